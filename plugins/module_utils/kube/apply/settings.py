# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings of a run: check mode, waiting, time limit, lock and callbacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..objects.objects import Key, Object
from ..progress import Progress, silent
from ..wait.readiness.states import Status

if TYPE_CHECKING:
    from ..plan.plan import Plan
    from .lock import Lock

Condition = tuple[Sequence[Key], Callable[[Object], Status]]
"""Objects, and what each of them has to be."""


@dataclass(frozen=True)
class Settings:
    """The settings with which a unit is reconciled.

    timeout: seconds for all of it. check: only plan. diff: report what changes in each object. wait: until everything
    is ready. lock: the lock under which changes are written, if there are at least `lock_from`. expected_digest: refuse
    any other plan. checks: raises where a plan must not be carried out. before: called with the plan that is carried
    out, right before its first write. applied: called when all objects are written, before they are awaited. conditions:
    awaited when the unit is ready. back_off: the seconds that a container may be in back-off; None for the timeout.
    """

    timeout: float
    check: bool = False
    diff: bool = False
    wait: bool = True
    progress: Progress = silent
    lock: Lock | None = None
    lock_from: int = 1
    expected_digest: str | None = None
    checks: Callable[[Plan], None] | None = None
    before: Callable[[Plan], None] | None = None
    applied: Callable[[Plan], None] | None = None
    conditions: Sequence[Condition] = ()
    back_off: float | None = None

    def lock_for(self, plan: Plan) -> Lock | None:
        """Return the lock that writing a plan takes; None for none."""
        return self.lock if len(plan.reported) >= self.lock_from else None
