# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the changes of a plan stage by stage, each only where what it changes is still as planned."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

from ..api.cluster import Cluster
from ..api.metrics import WAIT, WRITE
from ..deadline import seconds_left
from ..errors import MeshError, NotReady
from ..objects.objects import Object
from ..plan.change import Change
from ..plan.inventory import Recording
from ..plan.plan import Identity, Plan, Stage, refuse_changed
from ..progress import Progress, silent
from ..wait.status import has_status
from ..wait.wait import wait_ready
from .apply import apply_changes, delete_stale
from .schedule import Step, run_steps
from .write import write

_TICK = 5.0
"""Seconds between two progress lines of a pause."""


@dataclass
class Stages:
    """The stages of one plan under one deadline. `waits`: until the objects of a stage are ready."""

    cluster: Cluster
    plan: Plan
    waits: bool
    deadline: float
    progress: Progress
    back_off: float | None = None

    def run(self) -> None:
        """Write all stages. Raises Refused before a stage whose objects have changed since the plan was approved."""
        stages = self.plan.stages
        for number, stage in enumerate(stages):
            if number:
                self._refuse_changed(change for later in stages[number:] for change in later.changes)
            self._write(stage)
            if stage.pause and (stage.gate or number + 1 < len(stages)):
                self._pause(stage)
            if stage.gate:
                self._ask(stage)

    @property
    def _recording(self) -> Recording | None:
        return None if self.plan.written else self.plan.recording

    def _write(self, stage: Stage) -> None:
        changes = [self._over_written(change) for change in stage.changes]
        # The inventory lists what is about to be created, and so goes with the first stage.
        part = replace(self.plan, changes=changes, stages=[], ending=[], leaving=[], recording=self._recording)
        if stage.at_once:
            self.plan.written.update(self._write_each(part, stage))
            return
        self._delete(part, progress=self.progress, first=True)
        written = apply_changes(
            self.cluster,
            part,
            gates=self.waits,
            deadline=self.deadline,
            progress=self.progress,
            back_off=self.back_off,
        )
        self.plan.written.update(written)
        keys = [change.key for change in changes if self._awaited(change)]
        if self.waits and keys:
            self.cluster.meter.begin(WAIT)
            wait_ready(
                self.cluster,
                keys,
                timeout=seconds_left(self.deadline),
                progress=self.progress,
                desired=self.plan.objects,
                back_off=self.back_off,
            )
            self.cluster.meter.begin(WRITE)
        self._delete(part, progress=self.progress, first=False)

    def _write_each(self, part: Plan, stage: Stage) -> dict[Identity, Object]:
        """Write objects in their order, each awaited before the next begins; after a failure no more are begun."""
        written: dict[Identity, Object] = {}
        groups: dict[Identity, list[Change]] = {}
        for change in part.changes:
            groups.setdefault(change.key.identity, []).append(change)

        def run(number: int, changes: list[Change]) -> None:
            key = changes[-1].key
            if not seconds_left(self.deadline):
                others = f" and {len(groups) - number} more" if number < len(groups) else ""
                raise NotReady(f"Timed out before {stage.verb} {key}{others}.", object=key._asdict())
            self.progress(f"{stage.verb} {key} ({number} of {len(groups)})")
            own = replace(part, changes=changes)
            self._delete(own, progress=silent, first=True)
            for change in changes:
                if change.desired is not None:
                    written[key.identity] = write(self.cluster, own, change, patience=0.0)
            if self.waits and any(change.awaited for change in changes):
                left = seconds_left(self.deadline)
                wait_ready(self.cluster, [key], timeout=left, progress=self.progress, back_off=self.back_off)

        steps = [Step(number, partial(run, number, one), number) for number, one in enumerate(groups.values(), start=1)]
        run_steps(steps, workers=stage.at_once)
        return written

    def _delete(self, part: Plan, *, progress: Progress, first: bool) -> None:
        delete_stale(self.cluster, part, awaited=self.waits, deadline=self.deadline, progress=progress, first=first)

    def _awaited(self, change: Change) -> bool:
        if change.patch or change.desired is None:
            return change.awaited
        wanted = self.plan.unit.awaited
        return has_status(change.key.of) and (wanted is None or wanted(change.desired))

    def _over_written(self, change: Change) -> Change:
        """Return a change with what an earlier stage has made of its object as the live one."""
        written = self.plan.written.get(change.key.identity)
        return change if written is None else replace(change, before=written)

    def _refuse_changed(self, changes: Iterable[Change]) -> None:
        planned = {change.key.identity: self._over_written(change) for change in reversed(list(changes))}

        def check(change: Change) -> None:
            key = change.key
            refuse_changed(self.plan, change, change.before, self.cluster.get(key.of, key.name, key.namespace))

        self.cluster.parallel(check, list(planned.values()))

    def _pause(self, stage: Stage) -> None:
        if stage.pause > (rest := seconds_left(self.deadline)):
            raise NotReady(
                f"Timed out before the pause of {stage.pause:g} s: only {rest:.0f} s are left. Increase wait_timeout."
            )
        ends = time.monotonic() + stage.pause
        while left := seconds_left(ends):
            self.progress(f"{stage.reason} ({left:.0f}s)")
            time.sleep(min(left, _TICK))

    def _ask(self, stage: Stage) -> None:
        if stage.gate is None:
            return
        try:
            stage.gate()
        except MeshError:
            if stage.restore:
                self._refuse_changed(stage.restore)
                self._write(Stage(stage.restore))
            raise
