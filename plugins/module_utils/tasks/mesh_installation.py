# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Apply the due parts of a planned mesh: each as soon as what it relies on is there, and wait for all of them at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Iterator
from functools import partial

from ..istio.control_plane.install_order import istiod_service
from ..istio.injection.injectors import decides_sidecars
from ..istio.model.labels import PILOT, component_of
from ..kube.api.unserved import await_served
from ..kube.apply.apply import ROUTED_WITHIN, SERVED_WITHIN
from ..kube.apply.lock import release_held
from ..kube.apply.schedule import Step, run_steps
from ..kube.deadline import seconds_left
from ..kube.errors import MeshError
from ..kube.objects.builtin_kinds import of_definitions
from ..kube.objects.objects import Kind
from ..kube.plan.change import Change
from ..kube.plan.plan import Plan
from ..kube.wait.wait import wait_endpoint
from ..progress_file import changes_line
from ..task import Task
from .mesh_plan import CONTROL_PLANE, MeshPlan, PlannedPart

_INJECTS = "istiod injects"
"""The step that ends when istiod injects sidecars, which is before the control plane's gateways are ready."""

_GUARDED = ("gateway_api", "control_plane")
"""The parts whose plan must be the approved one when it is made again. Those of others follow what earlier parts did."""


class Installation:
    """Carries out a plan: a step for each due part, which plans again only if it takes a lock or relies on another.

    Applications, addons and labels need istiod, and not the gateways: they are applied while the gateways become ready,
    if istiod is new or stays as it is.
    """

    def __init__(self, task: Task, plan: MeshPlan) -> None:
        self._task = task
        self._plan = plan
        self._parts = list(_in_order(plan.parts))
        self._injects = threading.Event()
        self._overlaps = any(map(_keeps_istiod, self._parts))
        self._written: list[Change] = []
        self._applied: list[PlannedPart] = []
        self._failed: list[tuple[PlannedPart, MeshError]] = []
        self._discovering = threading.Lock()
        self._discovered: set[Kind] = set()

    def run(self) -> None:
        """Apply the parts. After a failure no more are begun; raises MeshError when the others have ended."""
        steps = [
            Step(one.title, partial(self._apply, one), order=number, needs=set(self._needs(number)))
            for number, one in enumerate(self._parts)
        ]
        if self._overlaps:
            steps.append(Step(_INJECTS, self._injects.wait, passive=True))
        try:
            run_steps(steps, workers=len(steps))
        except MeshError as error:
            raise self._failure() from error
        except KeyboardInterrupt:
            release_held()
            raise

    @property
    def changes(self) -> list[dict[str, str]]:
        """The changes of the parts that were carried out, in the order of the plan."""
        applied = [one for one in self._plan.parts if one in self._applied]
        made = [change for one in applied if one.listed for change in one.result["changes"]]
        # Of a record alone, its own.
        made = made or [change for one in applied for change in one.result["changes"]]
        return [change for number, change in enumerate(made) if change not in made[:number]]

    @property
    def diff(self) -> list[dict[str, str]]:
        """The diffs of these changes."""
        return [diff for one in self._plan.parts if one in self._applied and one.listed for diff in one.diff]

    def _needs(self, number: int) -> Iterator[Hashable]:
        """Yield the steps that a part needs: all earlier ones, or of the control plane only istiod."""
        this = self._parts[number]
        for one in self._parts[:number]:
            if one.name == "addons" and this.name == "applications" and not this.guesses:
                continue
            early = self._overlaps and this.name in ("record", "injection", "addons", "applications")
            yield _INJECTS if early and one.title == CONTROL_PLANE else one.title

    def _apply(self, one: PlannedPart) -> None:
        part = one.part
        try:
            self._await_new_kinds()
            anew = self._relies_on_others(one)
            result = part.apply(
                anew=anew,
                approved=bool(self._task.params["plan_digest"]) and one.name in _GUARDED and not anew,
                applied=partial(self._note_written, one),
            )
        except MeshError as error:
            self._failed.append((one, error))
            part.progress(f"{_capital(one.title)} failed: {error.message}")
            raise
        one.diff = result.pop("diff", [])
        one.result.clear()
        one.result.update({name: value for name, value in result.items() if name != "changed"}, unready=[])
        self._applied.append(one)
        if result["changes"] and one.listed:
            self._task.progress(changes_line(one.title, result["changes"]))
        if one.title == CONTROL_PLANE:
            self._injects.set()

    def _relies_on_others(self, one: PlannedPart) -> bool:
        """Return whether what a part was planned against may have changed, so that it has to be planned again."""
        if one.guesses or (one.follows and self._written):
            return True
        # A namespace is in two plans, where another part would create it too.
        written = {change.key for change in self._written} if one.name == "injection" else set()
        return one.part.planned is not None and any(change.key in written for change in one.part.planned.changes)

    def _await_new_kinds(self) -> None:
        """Wait until the API server serves the kinds of the CRDs that this run has created."""
        with self._discovering:
            created = [change.desired for change in self._written if change.desired and change.action == "create"]
            new = set(of_definitions(obj for obj in created if obj["kind"] == "CustomResourceDefinition"))
            if new - self._discovered:
                await_served(self._task.cluster, new, timeout=SERVED_WITHIN)
                self._discovered |= new

    def _note_written(self, one: PlannedPart, plan: Plan) -> None:
        """Note what a part has written; of a control plane wait for istiod only, which other parts need."""
        self._written += plan.changes
        service, cluster = istiod_service(plan.objects), one.part.cluster
        if service is None or not _keeps_istiod(one):
            return
        if one.part.params["wait"]:
            left = seconds_left(cluster.deadline or 0.0)
            part = one.part
            wait_endpoint(cluster, service, timeout=left, progress=part.progress, back_off=part.back_off)
            if any(change.key == service and change.before is None for change in plan.changes):
                time.sleep(ROUTED_WITHIN)
        self._injects.set()

    def _failure(self) -> MeshError:
        """Return the error of the run: what failed and why, and what was and was not done."""
        failed = [one for one, _error in self._failed]
        others = [one for one in self._parts if one not in failed]
        sentences = [f"{_capital(one.title)} failed: {error.message.rstrip('.')}." for one, error in self._failed]
        for word, titles in (
            ("Applied", [one.title for one in others if one in self._applied]),
            ("Not applied", [one.title for one in others if one not in self._applied]),
        ):
            sentences += [f"{word}: {', '.join(titles)}."] if titles else []
        first, error = self._failed[0]
        found = MeshError(" ".join(sentences), code=error.code, **{**error.details, "part": first.title})
        found.changed = bool(self._written)
        return found


def _in_order(parts: list[PlannedPart]) -> Iterator[PlannedPart]:
    """Yield the due parts in the order of the plan, restarts last if there was nothing to restart before."""
    late = [one for one in parts if one.name == "restart" and not one.result["changes"] and not one.result["unready"]]
    yield from (one for one in parts if one.due and one not in late)
    yield from (one for one in late if one.due)


def _keeps_istiod(one: PlannedPart) -> bool:
    """Return whether a control plane has its istiod as soon as that is ready: it is new, or stays as it is."""
    planned = one.part.planned
    if one.title != CONTROL_PLANE or planned is None or istiod_service(planned.objects) is None:
        return False
    return not any(change.before is not None and _rolls_istiod(change) for change in planned.changes)


def _rolls_istiod(change: Change) -> bool:
    of_istiod = component_of(change.desired or change.before or {}) == PILOT
    return decides_sidecars(change) or (of_istiod and change.key.kind == "Deployment")


def _capital(title: str) -> str:
    return title[:1].upper() + title[1:]
