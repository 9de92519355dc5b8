# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all modules have in common: options, the cluster, results, failures, and what must not be shown."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Container, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule

from . import interrupts
from .arguments import AUTH, CONNECTION, ArgumentSpec, misplaced_scalars
from .kube.api.cluster import Cluster
from .kube.api.identity import refuse_other
from .kube.apply.reconcile import Outcome, reconcile
from .kube.apply.settings import Settings
from .kube.errors import InvalidInput, MeshError
from .kube.objects.names import refuse_invalid_namespaces
from .kube.objects.redaction import secret_values
from .kube.plan.immutable_fields import CODE as IMMUTABLE
from .kube.plan.lost_addresses import released
from .manifest_sources import read_sources
from .progress_file import PHASES, PROGRESS_FILE
from .secret_options import Concealment, concealed, secrets_of
from .terminal_text import on_one_line

if TYPE_CHECKING:
    from .istio.release.release import Release
    from .kube.apply.lock import Lock
    from .kube.plan.plan import Plan
    from .kube.plan.unit import Unit

VERSION = "0.1.0"
"""The collection's version, as in galaxy.yml."""

_DISTRIBUTIONS = {"yaml": "PyYAML"}
_REQUIREMENTS = ("jmespath", "kubernetes", "PyYAML", "urllib3", "websocket-client")

Result = dict[str, Any]

_ELSEWHERE = {
    "no_kubeconfig": "the role mesh has mesh_kubeconfig and mesh_host for them, and AWX a credential",
    "open_dashboards": "the role mesh has mesh_addons_secret, mesh_addons_allow_http, mesh_addons_kiali_auth,"
    " mesh_addons_grafana_role, mesh_addons_grafana_secret and mesh_addons_allow_anonymous for them",
    "backup_lost": "the role mesh has mesh_purge_backup for it",
    "download_failed": "the role mesh has mesh_release_source for it",
    IMMUTABLE: "the role mesh has mesh_addons_recreate and mesh_applications[].recreate for it",
    "no_checksum": "the role mesh has mesh_release_checksum for it",
}
"""Where the options have another name that a sentence, by its code, tells users to set."""


class MeshModule(AnsibleModule):
    """A module of this collection: its options and, if it `connects`, those of the connection.

    Nothing of an invocation is logged, and what a result shows of it is without secrets. What is `returned_whole`, by
    the names of the result's parts, is for another task to apply, and as the user gave it.
    """

    def __init__(
        self,
        argument_spec: ArgumentSpec,
        *,
        connects: bool = True,
        returned_whole: Container[str] = (),
        **restrictions: Any,
    ) -> None:
        self._returned_whole = returned_whole
        self._needed = ("yaml", "kubernetes") if connects else ("yaml",)
        super().__init__(
            argument_spec={**argument_spec, **(CONNECTION if connects else {})},
            supports_check_mode=True,
            **restrictions,
        )
        self.__dict__.pop("_concealment", None)

    def _load_params(self) -> None:
        """As AnsibleModule's; refuses what ansible-core would end with a traceback for."""
        super()._load_params()
        wrong = ", ".join(misplaced_scalars(self.params, self.argument_spec))
        if wrong:
            self.fail_json(msg=f"{wrong} must be a map of keys and values, not a number, a boolean or null.")

    def run(self, body: Callable[[MeshModule], Result]) -> None:
        """Exit with what `body` returns, or fail with one sentence, a code and details."""
        # A task that is stopped still removes its temporary kubeconfigs and gives back its lock.
        interrupts.end_on_signals()
        # Python looks for garbage ever again while big answers are read, which took four fifths of reading 2,000 pods.
        gc.set_threshold(100_000, 50, 100)
        try:
            self.require(*self._needed)
            refuse_invalid_namespaces(self._namespaces)
            result = body(self)
        except MeshError as error:
            failure: Result = {"msg": _said(error), "code": error.code, "details": error.details}
        except KeyboardInterrupt:
            interrupts.ended()
            failure = {
                "msg": "The run was interrupted: what it has applied stays, and running it again completes it.",
                "code": "interrupted",
                "details": {},
            }
        except Exception as error:  # noqa: BLE001 - whatever it is, the user gets a sentence
            failure = self._unexpected(error)
        else:
            self._warn_of_api()
            return self.exit_json(**result, **self._phases())
        self._warn_of_api()
        # Outside of the handlers, where ansible-core would add a traceback of its own accord.
        return self.fail_json(**failure, **self._phases())

    def require(self, *libraries: str) -> None:
        """Fail where one of these Python packages, by the name that they are imported by, is not installed."""
        for library in libraries:
            if importlib.util.find_spec(library) is None:
                name = _DISTRIBUTIONS.get(library, library)
                raise MeshError(
                    f"The Python package {name} is missing where this runs: have the collection's requirements there, by"
                    f" {sys.executable} -m pip install {' '.join(_REQUIREMENTS)}, or in an execution environment.",
                    code="missing_library",
                    library=name,
                )

    def warn(self, warning: str, *more: Any, **options: Any) -> None:
        """As AnsibleModule's, without what a terminal would obey."""
        super().warn(on_one_line(self._concealment.text(warning)), *more, **options)

    def progress(self, line: str) -> None:
        """Tell what the module does or waits for; the action plugin shows it."""
        if self._progress_file is not None:
            # One write each, because several threads may have something to tell.
            os.write(self._progress_file, f"{self._concealment.text(line)}\n".encode())

    @cached_property
    def cluster(self) -> Cluster:
        """The cluster that the connection options name; refused where it is another than the expected one."""
        options = {name: self.params[name] for name in AUTH}
        headers = options["proxy_headers"] or {}
        options["proxy_headers"] = {name: value for name, value in headers.items() if value is not None}
        cluster = Cluster.connect(options, user_agent=f"meshops.istio/{VERSION}")
        if "wait_timeout" in self.params:
            # What is read before and after the work that the option is about must not outlast it either.
            cluster.patience = min(cluster.patience, self.time_limit)
        expected = {name: value for name, value in (self.params["expected_cluster"] or {}).items() if value}
        if expected:
            refuse_other(cluster, expected)
        return cluster

    def release(self, version: str | None = None) -> tuple[Release, bool]:
        """The Istio release that the options name, or that of another version, and whether it had to be fetched."""
        from .istio.release.find import find_release

        return find_release(
            version or self.params["version"],
            source=self.params["source"],
            cache_dir=self.params["cache_dir"],
            checksum=self.params["checksum"],
            timeout=self.params["download_timeout"],
            connection={**self._download, "headers": self.params["download_headers"]},
            progress=self.progress,
        )

    def read_sources(self, entries: Iterable[Any]) -> list[Result]:
        """The objects in files, folders, URLs and texts; `download_timeout` is for all of the URLs."""
        return read_sources(entries, timeout=self.params["download_timeout"], connection=self._download)

    @property
    def _download(self) -> Result:
        """How to connect to where downloads come from."""
        return {name: self.params[f"download_{name}"] for name in ("proxy", "ca_cert", "client_cert", "client_key")}

    @property
    def _namespaces(self) -> list[str]:
        """The names of Namespaces among the options."""
        named = [
            self.params.get("namespace"),
            self.params.get("root_namespace"),
            *(self.params.get("namespaces") or ()),
        ]
        return [str(name) for name in named if name]

    @property
    def shows_diff(self) -> bool:
        """Whether the task runs with --diff."""
        return bool(self._diff)

    @property
    def time_limit(self) -> int:
        """The option wait_timeout, in seconds."""
        seconds: int = self.params["wait_timeout"]
        if seconds < 1:
            raise InvalidInput(f"wait_timeout is {seconds}; it has to be at least 1 (second).", wait_timeout=seconds)
        return seconds

    def reconcile(
        self,
        unit: Unit,
        *,
        lock: Lock,
        lock_from: int = 1,
        timeout: float | None = None,
        checks: Callable[[Plan], None] | None = None,
        before: Callable[[Plan], None] | None = None,
    ) -> Result:
        """Make the cluster what `unit` says, as far as check mode and the options of plan and wait go.

        lock: under which changes are written, one run at a time, if there are at least `lock_from`.
        timeout: seconds for all of it; default: the option wait_timeout.
        """
        warned: set[str] = set()
        self._concealment.learn(secret_values(list(unit.objects)))

        def check(plan: Plan) -> None:
            if checks is not None:
                checks(plan)
            for sentence in sorted({*released(plan), *plan.warnings, *map(str, plan.kept)} - warned):
                warned.add(sentence)
                self.progress(sentence)
                self.warn(sentence)

        ignored = [*unit.ignore_fields, *(self.params.get("ignore_fields") or ())]
        settings = Settings(
            timeout=self.time_limit if timeout is None else timeout,
            check=self.check_mode,
            diff=self.shows_diff,
            wait=bool(self.params.get("wait")),
            progress=self.progress,
            lock=lock,
            lock_from=lock_from,
            expected_digest=self.params.get("plan_digest"),
            checks=check,
            before=before,
        )
        force, recreate = bool(self.params.get("force")), self.params.get("recreate")
        unit = dataclasses.replace(unit, ignore_fields=ignored, force=force, recreate=recreate)
        return self.result_of(reconcile(self.cluster, unit, settings))

    def result_of(self, outcome: Outcome) -> Result:
        """The part of a result that all modules have which change something."""
        for sentence in outcome.warnings:
            self.warn(sentence)
        result: Result = {"changed": outcome.changed, "changes": outcome.changes, "plan_digest": outcome.digest}
        return {**result, "diff": outcome.diff} if self.shows_diff else result

    # --- what must not be shown --------------------------------------------------------------------------------

    def exit_json(self, **result: Any) -> None:
        """As AnsibleModule's, without secrets."""
        super().exit_json(**self._without_secrets(result))

    def fail_json(self, msg: str, **result: Any) -> None:
        """As AnsibleModule's, without secrets. ansible-core itself calls it for options that it refuses."""
        super().fail_json(**self._without_secrets({"msg": msg, "code": "invalid_input", "details": {}, **result}))

    def log(self, msg: str, log_args: Any = None) -> None:
        """Log nothing: ansible-core would log the options' values, content of kubeconfigs and manifests included."""

    def add_path_info(self, kwargs: Result) -> Result:
        """Leave results as they are: ansible-core would add owner, mode and more to each that has a `path`."""
        return kwargs

    def _without_secrets(self, result: Result) -> Result:
        hidden = self._concealment.tree({name: one for name, one in result.items() if name not in self._returned_whole})
        return {**result, **hidden, "invocation": {"module_args": concealed(self.params)}}

    @cached_property
    def _concealment(self) -> Concealment:
        """Only what is secret is taken out: it goes wherever it occurs, as any part of a text."""
        concealment = Concealment()
        # ansible-core itself may fail, or warn, before it has read the options.
        with contextlib.suppress(RecursionError):  # what is nested so deeply is refused where it is read
            concealment.learn(secrets_of(getattr(self, "params", {})))
        return concealment

    # --- the rest ----------------------------------------------------------------------------------------------

    def _warn_of_api(self) -> None:
        """Pass the API server's warnings on."""
        for text in self.cluster.warnings if "cluster" in vars(self) else ():
            self.warn(f"The API server warns: {text}")

    def _phases(self) -> Result:
        """What the run has asked of the cluster, where it is wanted: the action plugin shows it."""
        connected = self._verbosity > 0 and "cluster" in vars(self)
        return {PHASES: self.cluster.meter.phases()} if connected else {}

    @cached_property
    def _progress_file(self) -> int | None:
        path = os.environ.get(PROGRESS_FILE)
        try:
            return os.open(path, os.O_WRONLY | os.O_APPEND) if path else None
        except OSError:  # another user's file, where the task becomes someone else
            return None

    def _unexpected(self, error: Exception) -> Result:
        if isinstance(error, OSError) and error.strerror:
            where = f" ({error.filename})" if error.filename else ""
            return {"msg": f"The system says: {error.strerror}{where}.", "code": "system", "details": {}}
        if isinstance(error, ImportError) and not str(error.name or "").startswith("ansible"):
            return {
                "msg": f"A Python package where this runs is missing or too old ({error}): install the collection's"
                f" requirements.txt there, by {sys.executable} -m pip install --upgrade {' '.join(_REQUIREMENTS)}.",
                "code": "missing_library",
                "details": {"library": error.name or ""},
            }
        details = {"traceback": traceback.format_exception(error)} if self._verbosity >= 3 else {}
        what = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".")
        return {
            "msg": f"meshops.istio {VERSION} has a defect that shows here ({what}): please report it with the traceback"
            " that a run with -vvv returns in `details`.",
            "code": "unexpected",
            "details": details,
        }


def _said(error: MeshError) -> str:
    """The sentence of a failure, with the names that its options have elsewhere."""
    elsewhere = _ELSEWHERE.get(error.code)
    if error.code == IMMUTABLE and "`recreate`" not in error.message:
        elsewhere = None
    return f"{error.message.removesuffix('.')} ({elsewhere})." if elsewhere else error.message
