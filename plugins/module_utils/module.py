# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of all modules: options, cluster, results, failures, and redaction of secrets."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import traceback
from collections.abc import Callable, Container, Iterable, Mapping
from functools import cached_property
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from . import interrupts
from .arguments import AUTH, CONNECTION, ArgumentSpec, misplaced_scalars
from .kube.api.cluster import Cluster
from .kube.api.identity import refuse_other
from .kube.errors import MeshError
from .kube.plan.immutable_fields import CODE as IMMUTABLE
from .progress_file import PHASES, PROGRESS_FILE
from .secret_options import Redaction, redacted_options, secrets_of
from .task import REQUIREMENTS, Definition, Result, Task
from .terminal_text import on_one_line

__all__ = ["VERSION", "MeshModule", "Result"]

VERSION = "0.1.0"
"""The collection's version, as in galaxy.yml."""

_ELSEWHERE = {
    **dict.fromkeys(("end_of_life", "retired_registry", "security_bulletin"), "the role mesh has mesh_security for it"),
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


class MeshModule(AnsibleModule, Task):
    """A module of this collection: its options and, if it `connects`, the connection options.

    It logs nothing, and its result has no secrets, except in the keys in `returned_whole`, which another task applies.
    """

    def __init__(
        self,
        argument_spec: ArgumentSpec,
        *,
        connects: bool = True,
        returned_whole: Container[str] = (),
        nested: Iterable[str] = (),
        **restrictions: Any,
    ) -> None:
        self._returned_whole = returned_whole
        self._nested = tuple(nested)
        self._needed = ("yaml", "kubernetes") if connects else ("yaml",)
        super().__init__(
            argument_spec={**argument_spec, **(CONNECTION if connects else {})},
            supports_check_mode=True,
            **restrictions,
        )
        self.__dict__.pop("redaction", None)

    @classmethod
    def main(cls, definition: Definition) -> None:
        """Run a task as a module."""
        made = cls(definition.spec, connects=definition.connects, nested=definition.nested, **definition.rules)
        made.run(definition.run)

    def _load_params(self) -> None:
        """Load the options; refuse values for which ansible-core would fail with a traceback."""
        super()._load_params()
        wrong = ", ".join(misplaced_scalars(self.params, self.argument_spec))
        if wrong:
            self.fail_json(msg=f"{wrong} is invalid: it must be a map of keys and values.")

    def run(self, body: Callable[[Any], Result]) -> None:
        """Exit with the result of `body`, or fail with a message, a code and details."""
        # So that an interrupted task removes its temporary kubeconfigs and releases its lock.
        interrupts.end_on_signals()
        # By default garbage collection takes 80 % of the time for reading 2,000 pods.
        gc.set_threshold(100_000, 50, 100)
        try:
            self.require(*self._needed)
            self.refuse_invalid_names()
            result = body(self)
        except MeshError as error:
            failure: Result = {"msg": _message(error), "code": error.code, "details": error.details}
            failure["changed"] = error.changed
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

    def warn(self, warning: str, *more: Any, **options: Any) -> None:
        """Warn, without secrets and control characters."""
        AnsibleModule.warn(self, on_one_line(self.redaction.text(warning)), *more, **options)

    def progress(self, line: str) -> None:
        """Report progress, which the action plugin displays."""
        if self._progress_file is not None:
            # One write for each line, because several threads report progress.
            os.write(self._progress_file, f"{self.redaction.text(line)}\n".encode())

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

    @property
    def shows_diff(self) -> bool:
        """True if the task runs with --diff."""
        return bool(self._diff)

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
        hidden = self.redaction.tree({name: one for name, one in result.items() if name not in self._returned_whole})
        return {**result, **hidden, "invocation": {"module_args": redacted_options(self.params)}}

    @cached_property
    def redaction(self) -> Redaction:
        """Redacts the secrets of the options, wherever they occur."""
        redaction = Redaction()
        # ansible-core may fail or warn before it has read the options.
        with contextlib.suppress(RecursionError):  # deep nesting is refused where the option is read
            parameters = getattr(self, "params", {})
            redaction.learn(secrets_of(parameters))
            for options in (parameters.get(name) for name in self._nested):
                for one in options if isinstance(options, list) else [options]:
                    redaction.learn(secrets_of(one) if isinstance(one, Mapping) else ())
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
                f" the requirements by {sys.executable} -m pip install --upgrade {' '.join(REQUIREMENTS)}.",
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
