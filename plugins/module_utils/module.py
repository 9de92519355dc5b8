# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of all modules: options, cluster, results, failures, and redaction of secrets."""

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
from .kube.plan.lost_addresses import lost_addresses
from .manifest_sources import read_sources
from .progress_file import PHASES, PROGRESS_FILE
from .secret_options import Redaction, redacted_options, secrets_of
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
    "several_gateways": "the role mesh has mesh_ingress[].namespace for it",
    "download_failed": "the role mesh has mesh_release_source for it",
    IMMUTABLE: "the role mesh has mesh_addons_recreate and mesh_applications[].recreate for it",
    "no_checksum": "the role mesh has mesh_release_checksum for it",
}
"""The names of options in the role mesh, by the code of the error that names them."""


class MeshModule(AnsibleModule):
    """A module of this collection: its options and, if it `connects`, the connection options.

    It logs nothing, and its result has no secrets, except in the keys in `returned_whole`, which another task applies.
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
        self.__dict__.pop("_redaction", None)

    def _load_params(self) -> None:
        """Load the options; refuse values for which ansible-core would fail with a traceback."""
        super()._load_params()
        wrong = ", ".join(misplaced_scalars(self.params, self.argument_spec))
        if wrong:
            self.fail_json(msg=f"{wrong} is invalid: it must be a map of keys and values.")

    def run(self, body: Callable[[MeshModule], Result]) -> None:
        """Exit with the result of `body`, or fail with a message, a code and details."""
        # So that an interrupted task removes its temporary kubeconfigs and releases its lock.
        interrupts.end_on_signals()
        # By default garbage collection takes 80 % of the time for reading 2,000 pods.
        gc.set_threshold(100_000, 50, 100)
        try:
            self.require(*self._needed)
            refuse_invalid_namespaces(self._namespaces)
            result = body(self)
        except MeshError as error:
            failure: Result = {"msg": _message(error), "code": error.code, "details": error.details}
        except KeyboardInterrupt:
            interrupts.ended()
            failure = {
                "msg": "The run was interrupted: changes so far are kept. Run it again to complete it.",
                "code": "interrupted",
                "details": {},
            }
        except Exception as error:  # noqa: BLE001 - any error becomes a message
            failure = self._unexpected(error)
        else:
            self._warn_of_api()
            return self.exit_json(**result, **self._phases())
        self._warn_of_api()
        # Outside the handlers, in which ansible-core would add a traceback.
        return self.fail_json(**failure, **self._phases())

    def require(self, *libraries: str) -> None:
        """Raise MeshError if one of these Python packages (import names) is not installed."""
        for library in libraries:
            if importlib.util.find_spec(library) is None:
                name = _DISTRIBUTIONS.get(library, library)
                raise MeshError(
                    f"Python package {name} not found on the host that runs this module. Install the collection's"
                    f" requirements by {sys.executable} -m pip install {' '.join(_REQUIREMENTS)}, or use an execution"
                    " environment.",
                    code="missing_library",
                    library=name,
                )

    def warn(self, warning: str, *more: Any, **options: Any) -> None:
        """Warn, without secrets and control characters."""
        super().warn(on_one_line(self._redaction.text(warning)), *more, **options)

    def progress(self, line: str) -> None:
        """Report progress, which the action plugin displays."""
        if self._progress_file is not None:
            # One write for each line, because several threads report progress.
            os.write(self._progress_file, f"{self._redaction.text(line)}\n".encode())

    @cached_property
    def cluster(self) -> Cluster:
        """The cluster of the connection options. Raises Refused if it is not the expected one."""
        options = {name: self.params[name] for name in AUTH}
        headers = options["proxy_headers"] or {}
        options["proxy_headers"] = {name: value for name, value in headers.items() if value is not None}
        cluster = Cluster.connect(options, user_agent=f"meshops.istio/{VERSION}")
        if "wait_timeout" in self.params:
            # Reads before and after the run are limited by the same timeout.
            cluster.patience = min(cluster.patience, self.time_limit)
        expected = {name: value for name, value in (self.params["expected_cluster"] or {}).items() if value}
        if expected:
            refuse_other(cluster, expected)
        return cluster

    def release(self, version: str | None = None) -> tuple[Release, bool]:
        """Return the Istio release of the options (or of `version`), and whether it was downloaded."""
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
        """Return the objects in files, folders, URLs and texts; `download_timeout` is for all URLs."""
        return read_sources(entries, timeout=self.params["download_timeout"], connection=self._download)

    @property
    def _download(self) -> Result:
        """The connection options for downloads."""
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
        """True if the task runs with --diff."""
        return bool(self._diff)

    @property
    def time_limit(self) -> int:
        """The option wait_timeout, in seconds."""
        seconds: int = self.params["wait_timeout"]
        if seconds < 1:
            raise InvalidInput(f"wait_timeout {seconds} is invalid: it must be 1 second or more.", wait_timeout=seconds)
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
        """Reconcile a unit, with check mode and the options for plan and wait.

        lock: the lock for writing, used from `lock_from` changes.
        timeout: seconds in all; default: the option wait_timeout.
        """
        warned: set[str] = set()
        self._redaction.learn(secret_values(list(unit.objects)))

        def check(plan: Plan) -> None:
            if checks is not None:
                checks(plan)
            for sentence in sorted({*lost_addresses(plan), *plan.warnings, *map(str, plan.kept)} - warned):
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
        """Return the part of the result that all modules with changes have."""
        for sentence in outcome.warnings:
            self.warn(sentence)
        result: Result = {"changed": outcome.changed, "changes": outcome.changes, "plan_digest": outcome.digest}
        return {**result, "diff": outcome.diff} if self.shows_diff else result

    # --- redaction -----------------------------------------------------------------------------------------------

    def exit_json(self, **result: Any) -> None:
        """Exit, without secrets in the result."""
        super().exit_json(**self._without_secrets(result))

    def fail_json(self, msg: str, **result: Any) -> None:
        """Fail, without secrets in the result. ansible-core calls this for invalid options."""
        super().fail_json(**self._without_secrets({"msg": msg, "code": "invalid_input", "details": {}, **result}))

    def log(self, msg: str, log_args: Any = None) -> None:
        """Log nothing: ansible-core would log the values of options, such as kubeconfigs and manifests."""

    def add_path_info(self, kwargs: Result) -> Result:
        """Do not change the result: ansible-core would add owner and mode to results with a `path`."""
        return kwargs

    def _without_secrets(self, result: Result) -> Result:
        hidden = self._redaction.tree({name: one for name, one in result.items() if name not in self._returned_whole})
        return {**result, **hidden, "invocation": {"module_args": redacted_options(self.params)}}

    @cached_property
    def _redaction(self) -> Redaction:
        """Redacts the secrets of the options, wherever they occur."""
        redaction = Redaction()
        # ansible-core may fail or warn before it has read the options.
        with contextlib.suppress(RecursionError):  # deep nesting is refused where the option is read
            redaction.learn(secrets_of(getattr(self, "params", {})))
        return redaction

    # --- API warnings, metrics and unexpected errors -----------------------------------------------------------------

    def _warn_of_api(self) -> None:
        """Report the API server's warnings."""
        for text in self.cluster.warnings if "cluster" in vars(self) else ():
            self.warn(f"Warning of the API server: {text}")

    def _phases(self) -> Result:
        """Return the requests by phase with -v, which the action plugin displays."""
        connected = self._verbosity > 0 and "cluster" in vars(self)
        return {PHASES: self.cluster.meter.phases()} if connected else {}

    @cached_property
    def _progress_file(self) -> int | None:
        path = os.environ.get(PROGRESS_FILE)
        try:
            return os.open(path, os.O_WRONLY | os.O_APPEND) if path else None
        except OSError:  # the file of another user, with become
            return None

    def _unexpected(self, error: Exception) -> Result:
        if isinstance(error, OSError) and error.strerror:
            where = f" ({error.filename})" if error.filename else ""
            return {
                "msg": f"A system call failed: {error.strerror}{where}. Check files, permissions and disk space.",
                "code": "system",
                "details": {},
            }
        if isinstance(error, ImportError) and not str(error.name or "").startswith("ansible"):
            return {
                "msg": f"A Python package was not found or is too old on the host that runs this module: {error}. Install"
                f" the requirements by {sys.executable} -m pip install --upgrade {' '.join(_REQUIREMENTS)}.",
                "code": "missing_library",
                "details": {"library": error.name or ""},
            }
        details = {"traceback": traceback.format_exception(error)} if self._verbosity >= 3 else {}
        what = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".")
        return {
            "msg": f"Unexpected error in meshops.istio {VERSION}: {what}. Report this defect with the traceback in the"
            " details of a run with -vvv.",
            "code": "unexpected",
            "details": details,
        }


def _message(error: MeshError) -> str:
    """Return the message of a failure, with the names of its options in the role mesh."""
    elsewhere = _ELSEWHERE.get(error.code)
    if error.code == IMMUTABLE and "set recreate" not in error.message:
        elsewhere = None
    return f"{error.message.removesuffix('.')} ({elsewhere})." if elsewhere else error.message
