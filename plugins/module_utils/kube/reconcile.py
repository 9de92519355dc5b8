# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one way through: plan, apply, wait, prune, and what came of it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .acceptance import refuse_unacceptable
from .apply import apply_changes, delete_stale
from .cluster import Cluster
from .difference import diffs
from .errors import Refused
from .lock import locked
from .objects import Key, key_of
from .permissions import refuse_forbidden
from .plan import Plan, Unit, make_plan
from .progress import Progress
from .ready import CURRENT, has_status, status
from .wait import wait_gone, wait_ready


@dataclass
class Outcome:
    """What was changed, or in check mode would be: `changes` as data, `diff` as texts, the plan's `digest`."""

    changed: bool
    changes: list[dict[str, str]]
    digest: str
    diff: list[dict[str, str]] = field(default_factory=list)


def reconcile(
    cluster: Cluster,
    unit: Unit,
    *,
    check: bool,
    diff: bool,
    wait: bool,
    timeout: float,
    progress: Progress,
    lock: str | None = None,
    expected_digest: str | None = None,
    checks: Callable[[Plan], None] | None = None,
    before: Callable[[Plan], None] | None = None,
) -> Outcome:
    """Make the cluster what `unit` says.

    check: only plan. diff: say what changes in each object. wait: until everything is ready, at most `timeout`
    seconds for all of it. lock: the name of the lock under which changes are written. expected_digest: refuse any
    other plan. checks: raise where a plan must not be carried out. before: is called with the plan that is carried
    out, right before its first write.

    Raises Refused before the first write, NotReady when the time is up, and what the API server answers.
    """
    with cluster.time_limit(timeout) as deadline:
        plan = _checked_plan(cluster, unit, checks, expected_digest)
        if plan.changes:
            refuse_forbidden(cluster, plan, waits=wait, locks=lock is not None)
            refuse_unacceptable(cluster, plan)
        if plan.changes and not check:
            held = (
                locked(cluster, lock, manager=unit.manager, deadline=deadline, progress=progress)
                if lock
                else contextlib.nullcontext(_always)
            )
            with held as permit:
                if plan.leaving:
                    wait_gone(cluster, plan.leaving, timeout=max(0.0, deadline - time.monotonic()), progress=progress)
                if plan.leaving or lock:
                    # Somebody else may have held the lock until now.
                    plan = _checked_plan(cluster, unit, checks, expected_digest)
                if before is not None:
                    before(plan)
                apply_changes(cluster, plan, gates=wait, deadline=deadline, progress=progress, permit=permit)
                _wait(cluster, plan, wait, deadline, progress)
                delete_stale(cluster, plan, awaited=wait, deadline=deadline, progress=progress, permit=permit)
        elif not check:
            _wait(cluster, plan, wait, deadline, progress)
    return Outcome(
        changed=bool(plan.changes),
        changes=[change.summary for change in plan.changes],
        digest=plan.digest,
        diff=diffs(plan.changes) if diff else [],
    )


def _always() -> None:
    """The permit to write of who needs no lock."""


def _checked_plan(
    cluster: Cluster, unit: Unit, checks: Callable[[Plan], None] | None, expected_digest: str | None
) -> Plan:
    plan = make_plan(cluster, unit)
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


def _wait(cluster: Cluster, plan: Plan, wanted: bool, deadline: float, progress: Progress) -> None:
    """Wait for what is not known to be ready; where nothing changed the plan has already read it."""
    if not wanted:
        return
    changed = {change.key.identity for change in plan.changes}
    awaited: list[Key] = []
    for obj in plan.objects:
        key = key_of(obj)
        if not has_status(key.of) or (plan.unit.awaited is not None and not plan.unit.awaited(obj)):
            continue
        live = plan.live.get(key.identity)
        if key.identity in changed or live is None or status(live).state != CURRENT:
            awaited.append(key)
    if awaited:
        wait_ready(cluster, awaited, timeout=max(0.0, deadline - time.monotonic()), progress=progress)
