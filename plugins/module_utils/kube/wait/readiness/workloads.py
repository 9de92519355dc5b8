# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readiness of workloads: Deployments and the like, Jobs and pods."""

from __future__ import annotations

from datetime import datetime

from ...objects.conditions import condition, is_ready, is_true, reason
from ...objects.objects import Object
from ...objects.shapes import maps_of
from .states import CURRENT, FAILED, IN_PROGRESS, Rule, Status, always, few, field, first, number, surplus, whole

SCHEDULING_TIME = 15.0
"""Seconds that a new pod may be unschedulable before it counts as failed, because a node may be starting."""

_NO_DEADLINE = 2**31 - 1


def deployment(obj: Object) -> Status:
    """Return the status of a Deployment, as kstatus does; a paused rollout is not awaited."""
    wanted, total = number(obj, "spec.replicas", 1), number(obj, "status.replicas")
    available = number(obj, "status.availableReplicas")
    if field(obj, "spec.paused") is True:
        return Status(CURRENT, f"its rollout is paused, {available}/{wanted} replicas available")
    progressing = condition(obj, "Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return Status(FAILED, reason(progressing))
    updated = number(obj, "status.updatedReplicas")
    behind = first(
        few(total, wanted, "created"),
        few(updated, wanted, "updated"),
        surplus(total, wanted),
        few(available, updated, "available"),
        few(number(obj, "status.readyReplicas"), wanted, "ready"),
    )
    if behind:
        return behind
    # Without a deadline the controller does not report progress.
    reports = field(obj, "spec.progressDeadlineSeconds") not in (None, _NO_DEADLINE)
    if reports and not (is_true(progressing) and progressing.get("reason") == "NewReplicaSetAvailable"):
        return Status(IN_PROGRESS, "its new ReplicaSet is not available")
    if not is_true(condition(obj, "Available")):
        return Status(IN_PROGRESS, "not available")
    return Status(CURRENT, f"{total}/{wanted} replicas ready")


def replica_set(obj: Object) -> Status:
    """Return the status of a ReplicaSet or ReplicationController, as kstatus does."""
    failure = condition(obj, "ReplicaFailure")
    if is_true(failure):
        return Status(IN_PROGRESS, reason(failure))
    wanted = number(obj, "spec.replicas", 1)
    return first(
        few(number(obj, "status.fullyLabeledReplicas"), wanted, "labelled"),
        few(number(obj, "status.availableReplicas"), wanted, "available"),
        few(number(obj, "status.readyReplicas"), wanted, "ready"),
        surplus(number(obj, "status.replicas"), wanted),
    ) or Status(CURRENT, f"{wanted}/{wanted} replicas ready")


def stateful_set(obj: Object) -> Status:
    """Return the status of a StatefulSet, as kstatus does: by its partition; OnDelete is not awaited."""
    if field(obj, "spec.updateStrategy.type") == "OnDelete":
        return Status(CURRENT, "update strategy OnDelete")
    wanted, total = number(obj, "spec.replicas", 1), number(obj, "status.replicas")
    behind = first(
        few(total, wanted, "created"),
        few(number(obj, "status.readyReplicas"), wanted, "ready"),
        surplus(total, wanted),
    )
    if behind:
        return behind
    done = Status(CURRENT, f"{total}/{wanted} replicas ready")
    partition = whole(obj, "spec.updateStrategy.rollingUpdate.partition")
    if partition is not None:
        return few(number(obj, "status.updatedReplicas"), wanted - partition, "updated") or done
    behind = few(number(obj, "status.currentReplicas"), wanted, "current")
    if not behind and field(obj, "status.currentRevision") != field(obj, "status.updateRevision"):
        behind = Status(IN_PROGRESS, "not all replicas are updated")
    return behind or done


def daemon_set(obj: Object) -> Status:
    """Return the status of a DaemonSet, as kstatus does, except that OnDelete is not awaited."""
    wanted = whole(obj, "status.desiredNumberScheduled")
    # A DaemonSet that its controller has not observed looks like one without pods.
    if wanted is None or None in (field(obj, "metadata.generation"), field(obj, "status.observedGeneration")):
        return Status(IN_PROGRESS, "its controller has not observed it yet")
    on_delete = field(obj, "spec.updateStrategy.type") == "OnDelete"
    return first(
        few(number(obj, "status.currentNumberScheduled"), wanted, "scheduled"),
        None if on_delete else few(number(obj, "status.updatedNumberScheduled"), wanted, "updated"),
        few(number(obj, "status.numberAvailable"), wanted, "available"),
        few(number(obj, "status.numberReady"), wanted, "ready"),
    ) or Status(CURRENT, f"{wanted}/{wanted} replicas ready")


def job(obj: Object) -> Status:
    """Return the status of a Job, as kstatus does: a started or suspended one is current."""
    completions = number(obj, "spec.completions", number(obj, "spec.parallelism", 1))
    done = f"{number(obj, 'status.succeeded')}/{completions}"
    if is_true(condition(obj, "Complete")):
        return Status(CURRENT, f"{done} completed")
    failure = condition(obj, "Failed")
    if is_true(failure):
        return Status(FAILED, reason(failure), final=True)
    # The spec takes precedence over an older condition.
    suspend = field(obj, "spec.suspend")
    if suspend is True or (suspend is None and is_true(condition(obj, "Suspended"))):
        return Status(CURRENT, "suspended")
    if not field(obj, "status.startTime"):
        return Status(IN_PROGRESS, "not started")
    return Status(CURRENT, f"running, {done} completed")


def pod(obj: Object, now: float) -> Status:
    """Return the status of a pod, as kstatus does, at a time in seconds since the epoch."""
    phase = field(obj, "status.phase")
    if phase == "Succeeded":
        return Status(CURRENT, "completed")
    if phase == "Failed":
        return Status(CURRENT, "failed")
    if phase == "Running":
        if is_ready(obj):
            return Status(CURRENT, "ready")
        crashing = [
            str(container.get("name", "?"))
            for container in maps_of(field(obj, "status.containerStatuses"))
            if field(container, "state.waiting.reason") == "CrashLoopBackOff"
        ]
        if crashing:
            return Status(FAILED, f"CrashLoopBackOff: {', '.join(crashing)}")
        return Status(IN_PROGRESS, "running but not ready")
    scheduled = condition(obj, "PodScheduled")
    if phase == "Pending" and scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        if now - _seconds(field(obj, "metadata.creationTimestamp"), now) < SCHEDULING_TIME:
            return Status(IN_PROGRESS, "not scheduled yet")
        return Status(FAILED, reason(scheduled))
    return Status(IN_PROGRESS, "pending" if phase == "Pending" else "not observed by a node yet")


def _seconds(timestamp: str | None, default: float) -> float:
    return datetime.fromisoformat(timestamp).timestamp() if timestamp else default


RULES: dict[tuple[str, str], Rule] = {
    ("", "ReplicationController"): replica_set,
    ("apps", "DaemonSet"): daemon_set,
    ("apps", "Deployment"): deployment,
    ("apps", "ReplicaSet"): replica_set,
    ("apps", "StatefulSet"): stateful_set,
    ("batch", "CronJob"): always,
    ("batch", "Job"): job,
    ("policy", "PodDisruptionBudget"): always,
}
