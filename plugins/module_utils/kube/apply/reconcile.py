# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one way through: plan, apply, wait, prune, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from ..api.cluster import Cluster
from ..api.metrics import PLAN, WAIT
from ..errors import Refused
from ..objects.objects import Key, key_of
from ..plan import conflicts, foreign_owners, takeover
from ..plan.plan import Plan, make_plan
from ..plan.unit import Unit
from ..progress import Progress
from ..wait.status import CURRENT, has_status
from ..wait.status_in_cluster import Judge

if TYPE_CHECKING:
    from .lock import Lock


@dataclass
class Outcome:
    """What was changed, or in check mode would be: `changes` as data, `diff` as texts, the plan's `digest`.

    warnings: what the plan takes from others, what others have left in the objects, and which deletions go on without being
        awaited, a sentence each.
    """

    changed: bool
    changes: list[dict[str, str]]
    digest: str
    diff: list[dict[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def reconcile(
    cluster: Cluster,
    unit: Unit,
    *,
    check: bool,
    diff: bool,
    wait: bool,
    timeout: float,
    progress: Progress,
    lock: Lock | None = None,
    expected_digest: str | None = None,
    checks: Callable[[Plan], None] | None = None,
    before: Callable[[Plan], None] | None = None,
) -> Outcome:
    """Make the cluster what `unit` says.

    check: only plan. diff: say what changes in each object. wait: until everything is ready, at most `timeout`
    seconds for all of it. lock: the lock under which changes are written. expected_digest: refuse any
    other plan. checks: raise where a plan must not be carried out. before: is called with the plan that is carried
    out, right before its first write.

    Raises Refused before the first write, NotReady when the time is up, and what the API server answers.
    """
    with cluster.time_limit(timeout) as deadline:
        plan = _checked_plan(cluster, unit, checks, expected_digest)
        awaited = _unready(cluster, plan) if wait and not check else []
        ending: list[str] = []
        if plan.reported or awaited or plan.ending:
            # What has nothing to change does not pay for the import of what writes and waits.
            from . import execute

            if plan.reported:
                execute.refuse(cluster, plan, waits=wait, lock=lock)
            if plan.reported and not check:
                plan = execute.write(
                    cluster,
                    plan,
                    lambda: _checked_plan(cluster, unit, checks, expected_digest),
                    before=before,
                    lock=lock,
                    awaited=partial(_unready, cluster) if wait else None,
                    deadline=deadline,
                    progress=progress,
                )
            elif wait and not check:
                cluster.meter.begin(WAIT)
                execute.wait_ready(cluster, awaited, timeout=_left(deadline), progress=progress)
                execute.wait_gone(cluster, plan.ending, timeout=_left(deadline), progress=progress)
            if check or (plan.ending and not wait):
                ending = execute.still_ending(cluster, plan)
    return Outcome(
        changed=bool(plan.reported),
        changes=[change.summary for change in plan.reported],
        digest=plan.digest,
        diff=_diffs(plan) if diff else [],
        warnings=[*foreign_owners.taken(plan), *conflicts.overwritten(plan), *takeover.remaining(plan), *ending],
    )


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def _diffs(plan: Plan) -> list[dict[str, str]]:
    from ..plan.diff import diffs

    return diffs(plan.reported)


def _checked_plan(
    cluster: Cluster, unit: Unit, checks: Callable[[Plan], None] | None, expected_digest: str | None
) -> Plan:
    cluster.meter.begin(PLAN)
    plan = make_plan(cluster, unit)
    foreign_owners.refuse_foreign(plan)
    conflicts.refuse_conflicts(plan)
    if unit.recreate and any(change.problem for change in plan.changes):
        from ..plan.recreate import plan_recreation

        plan_recreation(cluster, plan)
    if checks is not None:
        checks(plan)
    if expected_digest and plan.digest != expected_digest:
        raise Refused(
            f"The plan is another by now ({plan.digest[:12]} instead of {expected_digest[:12]}): "
            "look at it again, and give its digest.",
            code="plan_changed",
            digest=plan.digest,
        )
    return plan


def _unready(cluster: Cluster, plan: Plan) -> list[Key]:
    """What is not known to be ready; where nothing changed the plan has already read it."""
    changed = {change.key.identity for change in plan.changes}
    judge = Judge(cluster)
    awaited: list[Key] = []
    for obj in plan.objects:
        key = key_of(obj)
        if not has_status(key.of) or (plan.unit.awaited is not None and not plan.unit.awaited(obj)):
            continue
        live = plan.live.get(key.identity)
        if key.identity in changed or live is None or judge.present(live).state != CURRENT:
            awaited.append(key)
    return awaited
