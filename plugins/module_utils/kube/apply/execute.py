# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Execute a plan with changes: check that it can be carried out, take the lock, write, wait, and delete."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from ..api.cluster import Cluster
from ..api.metrics import CHECK, WAIT, WRITE
from ..deadline import seconds_left
from ..objects.objects import Key
from ..plan.awaited import unready
from ..plan.dry_run import refuse_unacceptable
from ..plan.permissions import refuse_forbidden
from ..plan.plan import Plan
from ..wait.diagnosis import diagnose
from ..wait.wait import wait_gone, wait_ready
from .apply import apply_changes, delete_stale
from .lock import locked, placed
from .settings import Condition, Settings
from .stages import Stages

_CAUSES_WITHIN = 5.0
"""Seconds that finding what holds objects may take where nothing is waited for."""

__all__ = ["refuse", "still_ending", "wait_for_conditions", "wait_gone", "wait_ready", "write"]


def refuse(cluster: Cluster, plan: Plan, settings: Settings) -> None:
    """Raise Refused for a plan that the user may not carry out, or that the API server would not accept."""
    cluster.meter.begin(CHECK)
    lock = settings.lock_for(plan)
    locking = placed(cluster, lock).access if lock else ()
    refuse_forbidden(cluster, plan, waits=settings.wait, locking=locking)
    refuse_unacceptable(cluster, plan)


def still_ending(cluster: Cluster, plan: Plan) -> list[str]:
    """Say of each object whose deletion goes on what holds it."""
    keys = [*plan.leaving, *plan.ending]
    causes = diagnose(cluster, keys, within=_CAUSES_WITHIN)
    holds = {key: str(found.hold or "") for key, found in causes.items()}
    return [f"{key} is still being deleted" + (f": {holds[key]}." if holds.get(key) else ".") for key in keys]


def write(
    cluster: Cluster, plan: Plan, settings: Settings, planned_again: Callable[[], Plan], *, deadline: float
) -> Plan:
    """Carry out a plan, or what has become of it by the time the lock is held, which is returned."""
    lock, waits, progress = settings.lock_for(plan), settings.wait, settings.progress
    held = (
        locked(cluster, lock, manager=plan.unit.manager, deadline=deadline, progress=progress)
        if lock
        else contextlib.nullcontext()
    )

    cluster.meter.begin(WRITE)
    with held:
        if plan.leaving:
            wait_gone(cluster, plan.leaving, timeout=seconds_left(deadline), progress=progress)
        if plan.leaving or lock:
            # Another run may have held the lock until now.
            plan = planned_again()
            cluster.meter.begin(WRITE)
        if settings.before is not None:
            settings.before(plan)
        rest = plan
        if plan.stages:
            Stages(cluster, plan, waits, deadline, progress, settings.back_off).run()
            rest = replace(plan, changes=[], recording=None)
        delete = partial(delete_stale, cluster, rest, awaited=waits, deadline=deadline, progress=progress)
        delete(first=True)
        written = apply_changes(
            cluster, rest, gates=waits, deadline=deadline, progress=progress, back_off=settings.back_off
        )
        plan.written.update(written)
        if settings.applied is not None:
            settings.applied(plan)
        if waits and (keys := unready(cluster, plan)):
            cluster.meter.begin(WAIT)
            wait_ready(
                cluster,
                keys,
                timeout=seconds_left(deadline),
                progress=progress,
                desired=plan.objects,
                back_off=settings.back_off,
            )
            cluster.meter.begin(WRITE)
        delete()
        _finish_inventory(cluster, plan, awaited=waits)
    return plan


def wait_for_conditions(cluster: Cluster, conditions: Iterable[Condition], settings: Settings, deadline: float) -> None:
    """Wait until each condition holds. Raises NotReady when the time is up."""
    for keys, expect in conditions:
        cluster.meter.begin(WAIT)
        left, progress = seconds_left(deadline), settings.progress
        wait_ready(cluster, keys, timeout=left, progress=progress, expect=expect, back_off=settings.back_off)


def _finish_inventory(cluster: Cluster, plan: Plan, *, awaited: bool) -> None:
    deleted = [change.key for change in plan.changes if change.action == "delete"]
    if plan.recording is None or Key("v1", "Namespace", "", plan.recording.inventory.namespace) in deleted:
        return
    # A finalizer may hold an object that was not awaited: the inventory lists it until it is gone.
    unawaited = deleted if not awaited else []
    live = cluster.parallel(lambda key: cluster.get(key.of, key.name, key.namespace), unawaited)
    remaining = [key for key, obj in zip(unawaited, live, strict=True) if obj is not None]
    plan.recording.finish(cluster, plan.unit.manager, remaining)
