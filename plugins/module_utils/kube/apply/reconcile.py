# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reconcile a unit with the cluster: plan, apply, wait, prune, and report. The only way to write."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..api.cluster import Cluster
from ..api.metrics import PLAN, WAIT
from ..deadline import seconds_left
from ..errors import Refused
from ..plan import conflicts, foreign_owners, takeover
from ..plan.awaited import unready
from ..plan.plan import Plan
from ..plan.planning import make_plan
from ..plan.unit import Unit
from .settings import Settings


@dataclass
class Outcome:
    """The changes of a run, or in check mode of its plan: as data, as texts (`diff`), the plan and its `digest`.

    warnings: what the plan takes from other managers, what they have left in the objects, and which deletions go on
        without being awaited, a sentence each.
    """

    changed: bool
    changes: list[dict[str, str]]
    digest: str
    plan: Plan
    diff: list[dict[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def reconcile(cluster: Cluster, unit: Unit, settings: Settings, approved: Plan | None = None) -> Outcome:
    """Make the cluster what `unit` says.

    approved: a plan of the unit that was made and checked by a run in check mode, and is carried out now.

    Raises Refused before the first write, or before a stage whose objects have changed since the plan was approved;
    NotReady when the time is up; and the errors of the API server.
    """
    with cluster.time_limit(settings.timeout) as deadline:
        plan = approved or _checked_plan(cluster, unit, settings)
        awaited = unready(cluster, plan) if settings.wait and not settings.check else []
        ending: list[str] = []
        conditions = settings.conditions if settings.wait and not settings.check else ()
        if plan.reported or awaited or plan.ending or conditions:
            # A run without changes does not pay for the import of what writes and waits.
            from . import execute

            if plan.reported and approved is None:
                execute.refuse(cluster, plan, settings)
            if plan.reported and not settings.check:
                plan = execute.write(
                    cluster, plan, settings, lambda: _checked_plan(cluster, unit, settings), deadline=deadline
                )
            elif settings.wait and not settings.check:
                if settings.applied is not None:
                    settings.applied(plan)
                cluster.meter.begin(WAIT)
                left, progress = seconds_left(deadline), settings.progress
                execute.wait_ready(cluster, awaited, timeout=left, progress=progress, back_off=settings.back_off)
                execute.wait_gone(cluster, plan.ending, timeout=seconds_left(deadline), progress=settings.progress)
            execute.wait_for_conditions(cluster, conditions, settings, deadline)
            if settings.check or (plan.ending and not settings.wait):
                ending = execute.still_ending(cluster, plan)
    return Outcome(
        changed=bool(plan.reported),
        changes=[change.summary for change in plan.reported],
        digest=plan.digest,
        plan=plan,
        diff=_diffs(plan) if settings.diff else [],
        warnings=[*foreign_owners.taken(plan), *conflicts.overwritten(plan), *takeover.remaining(plan), *ending],
    )


def _diffs(plan: Plan) -> list[dict[str, str]]:
    from ..plan.diff import diffs

    return diffs(plan.reported)


def _checked_plan(cluster: Cluster, unit: Unit, settings: Settings) -> Plan:
    cluster.meter.begin(PLAN)
    plan = make_plan(cluster, unit)
    foreign_owners.refuse_foreign(plan)
    conflicts.refuse_conflicts(plan)
    if unit.recreate and any(change.problem for change in plan.changes):
        from ..plan.recreate import plan_recreation

        plan_recreation(cluster, plan)
    if settings.checks is not None:
        settings.checks(plan)
    expected = settings.expected_digest
    if expected and plan.digest != expected:
        raise Refused(
            f"The plan has changed since it was approved (its digest is {plan.digest[:12]}, not {expected[:12]}). Review"
            " it again, and pass the new digest.",
            code="plan_changed",
            digest=plan.digest,
        )
    return plan
