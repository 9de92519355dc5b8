# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A part of the mesh: a task that is planned, and perhaps applied, in the process and with the connection of another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..kube.apply.reconcile import Outcome
from ..kube.errors import InvalidInput, MeshError
from ..kube.objects.objects import kind_of
from ..kube.plan.awaited import unready
from ..reconciliation import Reconciliation
from ..task import Definition, Result, Task

if TYPE_CHECKING:
    from ..istio.release.release import Release
    from ..kube.api.cluster import Cluster
    from ..kube.objects.objects import Key
    from ..kube.plan.plan import Plan
    from ..secret_options import Redaction

Releases = dict[str, "tuple[Release, bool]"]


class Part(Task):
    """A task with options of its own, planned in check mode by default. `releases`: those that other parts have found.

    Raises InvalidInput for options that its module would not take.
    """

    def __init__(
        self,
        parent: Task,
        name: str,
        definition: Definition,
        options: Mapping[str, Any],
        releases: Releases,
        *,
        check_mode: bool = True,
    ) -> None:
        self.check_mode = check_mode
        self._parent = parent
        self._definition = definition
        self._releases = releases
        self._made: Result | Reconciliation = {}
        self._warned: set[str] = set()
        self.planned: Plan | None = None
        self.unready: list[Key] = []
        """What is as it should be and not ready, or still being deleted, if the task waits for it."""
        spec = definition.spec
        self.redaction.learn(_texts([options.get(option) for option, one in spec.items() if one.get("no_log")]))
        read = ArgumentSpecValidator(spec, **definition.rules).validate(dict(options))
        if read.error_messages:
            raise InvalidInput(f"The options of {name} are invalid: {'; '.join(read.error_messages)}.", part=name)
        self.params = read.validated_parameters
        self.refuse_invalid_names()

    def plan(self) -> Result:
        """Return the result of the task in check mode. Raises MeshError where it fails."""
        self._made = self._definition.work(self)
        result = self._made if isinstance(self._made, dict) else self.reconcile(self._made)
        if result.get("failed"):
            raise MeshError(result["msg"], code=result["code"], **{**result, **result.get("details", {})})
        return result

    def apply(self, *, anew: bool, approved: bool, applied: Callable[[Plan], None] | None = None) -> Result:
        """Carry out the plan, and return the result.

        anew: plan again first, because what it was planned against has changed.
        approved: accept no other plan, if it has to be made again.
        """
        self.check_mode, self.applied = False, applied
        made, planned = self._made, self.planned
        if approved and planned is not None:
            self.params["plan_digest"] = planned.digest
        if anew:
            made, planned = self._definition.work(self), None
        return made if isinstance(made, dict) else self.reconcile(made, planned)

    @property
    def guesses(self) -> bool:
        """True if an object is of a kind that the API server does not serve yet."""
        objects = self._made.unit.objects if isinstance(self._made, Reconciliation) else ()
        return any(self.cluster.discovery.guessed(kind_of(obj)) for obj in objects)

    def warn(self, warning: str) -> None:
        """Warn as the other task does, once."""
        if warning not in self._warned:
            self._warned.add(warning)
            self._parent.warn(warning)

    def progress(self, line: str) -> None:
        """Report progress as the other task does."""
        self._parent.progress(line)

    @property
    def shows_diff(self) -> bool:
        """True if the other task runs with --diff."""
        return self._parent.shows_diff

    @property
    def redaction(self) -> Redaction:
        """What redacts the secrets of the other task."""
        return self._parent.redaction

    @cached_property
    def cluster(self) -> Cluster:
        """The cluster of the other task, with a time limit and a lock of its own."""
        return self._parent.cluster.without_limits()

    def release(self, version: str | None = None) -> tuple[Release, bool]:
        """Return an Istio release, which the parts find once."""
        wanted = version or self.params["version"]
        if wanted not in self._releases:
            self._releases[wanted] = super().release(wanted)
        return self._releases[wanted]

    def result_of(self, outcome: Outcome) -> Result:
        """Return the result, and note the plan, and what the task would wait for."""
        self.planned = outcome.plan
        if self.check_mode and self.params.get("wait"):
            self.unready += [*unready(self.cluster, outcome.plan), *outcome.plan.ending]
        return super().result_of(outcome)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts(list(value.values()))
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
