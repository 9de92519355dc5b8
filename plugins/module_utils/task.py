# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the work of a module uses: options, cluster, release, progress, and reconciling a unit.

A module is one task; `mesh` runs several in one process.
"""

from __future__ import annotations

import copy
import dataclasses
import importlib.util
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .arguments import ArgumentSpec
from .kube.apply.reconcile import Outcome, reconcile
from .kube.apply.settings import Settings
from .kube.errors import InvalidInput, MeshError
from .kube.objects.names import refuse_invalid_namespaces
from .kube.objects.redaction import secret_values
from .kube.plan.lost_addresses import lost_addresses
from .manifest_sources import read_sources
from .secret_options import Redaction

if TYPE_CHECKING:
    from .istio.release.release import Release
    from .istio.release.support import Support
    from .kube.api.cluster import Cluster
    from .kube.plan.plan import Plan
    from .reconciliation import Reconciliation

REQUIREMENTS = ("jmespath", "kubernetes", "PyYAML", "urllib3", "websocket-client")
_DISTRIBUTIONS = {"yaml": "PyYAML"}

Result = dict[str, Any]


class Task(ABC):
    """A task of this collection: a module, or a part of `mesh`."""

    params: dict[str, Any]
    check_mode: bool
    applied: Callable[[Plan], None] | None = None
    """Called when all objects of a plan are written, before they are awaited."""

    @abstractmethod
    def warn(self, warning: str) -> None:
        """Warn, without secrets and control characters."""
        raise NotImplementedError

    @abstractmethod
    def progress(self, line: str) -> None:
        """Report progress, which the action plugin displays."""

    @property
    @abstractmethod
    def shows_diff(self) -> bool:
        """True if the task runs with --diff."""

    @property
    @abstractmethod
    def redaction(self) -> Redaction:
        """Redacts the secrets of the options, wherever they occur."""

    @cached_property
    @abstractmethod
    def cluster(self) -> Cluster:
        """The cluster of the connection options. Raises Refused if it is not the expected one."""

    def require(self, *libraries: str) -> None:
        """Raise MeshError if one of these Python packages (import names) is not installed."""
        for library in libraries:
            if importlib.util.find_spec(library) is None:
                name = _DISTRIBUTIONS.get(library, library)
                raise MeshError(
                    f"Python package {name} not found on the host that runs this module. Install the collection's"
                    f" requirements by {sys.executable} -m pip install {' '.join(REQUIREMENTS)}, or use an execution"
                    " environment.",
                    code="missing_library",
                    library=name,
                )

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

    def support(self) -> Support:
        """Return the checks of releases, with the options `security`, `end_of_life_days` and `release_data`."""
        from .istio.release.releases import read_release_data
        from .istio.release.support import Support

        days: int = self.params["end_of_life_days"]
        if days < 0:
            raise InvalidInput(f"end_of_life_days {days} is invalid: it must be 0 or more.", end_of_life_days=days)
        return Support(read_release_data(self.params["release_data"]), self.params["security"], days)

    def read_sources(self, entries: Iterable[Any]) -> list[Result]:
        """Return the objects in files, folders, URLs and texts; `download_timeout` is for all URLs."""
        return read_sources(entries, timeout=self.params["download_timeout"], connection=self._download)

    @property
    def _download(self) -> Result:
        """The connection options for downloads."""
        return {name: self.params[f"download_{name}"] for name in ("proxy", "ca_cert", "client_cert", "client_key")}

    def refuse_invalid_names(self) -> None:
        """Raise InvalidInput for a name among the options that cannot be the name of a Namespace."""
        named = [
            self.params.get("namespace"),
            self.params.get("root_namespace"),
            *(self.params.get("namespaces") or ()),
        ]
        refuse_invalid_namespaces([str(name) for name in named if name])

    @property
    def time_limit(self) -> int:
        """The option wait_timeout, in seconds."""
        seconds: int = self.params["wait_timeout"]
        if seconds < 1:
            raise InvalidInput(f"wait_timeout {seconds} is invalid: it must be 1 second or more.", wait_timeout=seconds)
        return seconds

    @property
    def back_off(self) -> int | None:
        """The option wait_back_off, in seconds; None for the timeout."""
        seconds: int | None = self.params.get("wait_back_off")
        if seconds is not None and seconds < 1:
            raise InvalidInput(
                f"wait_back_off {seconds} is invalid: it must be 1 second or more.", wait_back_off=seconds
            )
        return seconds

    def reconcile(self, wanted: Reconciliation, approved: Plan | None = None) -> Result:
        """Reconcile a unit, with check mode and the options for plan and wait.

        approved: the plan of an earlier run in check mode, which is carried out now.
        """
        warned: set[str] = set()
        unit = wanted.unit
        self.redaction.learn(secret_values(list(unit.objects)))

        def check(plan: Plan) -> None:
            if wanted.checks is not None:
                wanted.checks(plan)
            for sentence in sorted({*lost_addresses(plan), *plan.warnings, *map(str, plan.kept)} - warned):
                warned.add(sentence)
                self.progress(sentence)
                self.warn(sentence)

        ignored = [*unit.ignore_fields, *(self.params.get("ignore_fields") or ())]
        settings = Settings(
            timeout=self.time_limit if wanted.timeout is None else wanted.timeout,
            check=self.check_mode,
            diff=self.shows_diff,
            wait=bool(self.params.get("wait")),
            progress=self.progress,
            lock=wanted.lock,
            lock_from=wanted.lock_from,
            expected_digest=self.params.get("plan_digest"),
            checks=check,
            before=wanted.before,
            applied=self.applied,
            conditions=wanted.conditions,
            back_off=self.back_off,
        )
        force, recreate = bool(self.params.get("force")), self.params.get("recreate")
        unit = dataclasses.replace(unit, ignore_fields=ignored, force=force, recreate=recreate)
        try:
            outcome = reconcile(self.cluster, unit, settings, approved)
        except MeshError as error:
            explained = wanted.explain(error)
            if explained is error:
                raise
            raise explained from error
        return {**self.result_of(outcome), **wanted.finish(outcome.plan)}

    def result_of(self, outcome: Outcome) -> Result:
        """Return the part of the result that all modules with changes have."""
        for sentence in outcome.warnings:
            self.warn(sentence)
        result: Result = {"changed": outcome.changed, "changes": outcome.changes, "plan_digest": outcome.digest}
        return {**result, "diff": outcome.diff} if self.shows_diff else result


class Definition:
    """A task: its options, its work, and rules between options, as AnsibleModule has them.

    nested: the options that hold the options of other tasks.
    """

    def __init__(
        self,
        spec: ArgumentSpec,
        work: Callable[[Task], Result | Reconciliation],
        *,
        connects: bool = True,
        nested: Iterable[str] = (),
        **rules: Any,
    ) -> None:
        self._spec = spec
        self.work = work
        self.connects = connects
        self.nested = tuple(nested)
        self.rules = rules

    def run(self, task: Task) -> Result:
        """Do the work, and return the result."""
        made = self.work(task)
        return made if isinstance(made, dict) else task.reconcile(made)

    @property
    def spec(self) -> ArgumentSpec:
        """The options. A copy, because ansible-core fills defaults that are dictionaries."""
        return copy.deepcopy(self._spec)
