# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an object is ready, told from the object alone.

The words and their meaning are those of kstatus, Kubernetes' own library for this question:

- `current`: the controllers have made the cluster what the object asks for (or the kind has nothing to wait for);
- `in_progress`: they are at it, or have not started;
- `failed`: they have stopped trying, or see that they make no progress;
- `terminating`: the object is being deleted.

An object whose kind is not known here is judged by its conditions and its `observedGeneration`; without a status it
is current. Beyond kstatus, APIServices and the Gateway API's kinds are judged by their own conditions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from .objects import Kind, kind_of

State = Literal["current", "in_progress", "failed", "terminating"]
CURRENT: State = "current"
IN_PROGRESS: State = "in_progress"
FAILED: State = "failed"
TERMINATING: State = "terminating"

Object = Mapping[str, Any]

SCHEDULING_TIME = 15.0
"""Seconds that a new pod may be unschedulable before it counts as failed: a node may just be coming."""

GATEWAY_API = "gateway.networking.k8s.io"


class Status(NamedTuple):
    """What is known of an object: `message` is a short phrase for a user, without a full stop.

    `final` marks a failure that no waiting can heal.
    """

    state: State
    message: str
    final: bool = False


def status(obj: Object, *, load_balancer: bool = False, now: float | None = None) -> Status:
    """Whether an object is ready, from its own fields.

    `load_balancer` also asks for an address where a load balancer is wanted, which many clusters never assign.
    `now` is the time in seconds since the epoch.
    """
    found = _generic(obj)
    if found:
        return found
    kind = kind_of(obj)
    if load_balancer and (kind.group, kind.kind) in _WITH_ADDRESS:
        found = _addressed(obj)
        if found:
            return found
    if kind == Kind("v1", "Pod"):
        return _pod(obj, time.time() if now is None else now)
    rule = _RULES.get((kind.group, kind.kind), _by_ready_condition)
    return rule(obj)


def gone(obj: Object | None) -> Status:
    """Whether an object is gone, and what keeps it: `current` once there is none."""
    if obj is None:
        return Status(CURRENT, "gone")
    metadata = obj.get("metadata") or {}
    if not metadata.get("deletionTimestamp"):
        return Status(IN_PROGRESS, "nobody has asked for its deletion")
    # A namespace's conditions say what is left in it, which its finalizers do not.
    left = [_reason(one) for one in _conditions(obj) if one.get("status") == "True" and one.get("message")]
    if obj.get("kind") == "Namespace" and left:
        return Status(TERMINATING, "; ".join(left))
    holders = ", ".join(metadata.get("finalizers") or ())
    return Status(TERMINATING, f"held by the finalizers {holders}" if holders else "being deleted")


def has_status(kind: Kind) -> bool:
    """Whether there is anything to wait for once an object of this kind exists."""
    return (kind.group, kind.kind) not in _WITHOUT_STATUS


# --- any kind ------------------------------------------------------------------------------------------------------


def _generic(obj: Object) -> Status | None:
    if _field(obj, "metadata.deletionTimestamp"):
        return Status(TERMINATING, "being deleted")
    generation, observed = _field(obj, "metadata.generation"), _field(obj, "status.observedGeneration")
    if generation is not None and observed is not None and observed != generation:
        return Status(IN_PROGRESS, f"its controller has seen generation {observed}, not yet {generation}")
    for condition in _conditions(obj):
        if condition.get("status") == "True":
            if condition.get("type") == "Reconciling":
                return Status(IN_PROGRESS, _reason(condition))
            if condition.get("type") == "Stalled":
                return Status(FAILED, _reason(condition))
    return None


def _by_ready_condition(obj: Object) -> Status:
    ready = _condition(obj, "Ready")
    if ready.get("status") in ("False", "Unknown"):
        return Status(IN_PROGRESS, _reason(ready))
    return Status(CURRENT, "ready")


def _always(_obj: Object) -> Status:
    return Status(CURRENT, "ready")


# --- workloads -----------------------------------------------------------------------------------------------------


def _deployment(obj: Object) -> Status:
    progressing = _condition(obj, "Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return Status(FAILED, _reason(progressing))
    wanted = _number(obj, "spec.replicas", 1)
    total, updated = _number(obj, "status.replicas"), _number(obj, "status.updatedReplicas")
    behind = _first(
        _few(total, wanted, "created"),
        _few(updated, wanted, "updated"),
        _surplus(total, wanted),
        _few(_number(obj, "status.availableReplicas"), updated, "available"),
        _few(_number(obj, "status.readyReplicas"), wanted, "ready"),
    )
    if behind:
        return behind
    # Without a deadline the controller does not report progress at all.
    reports = _field(obj, "spec.progressDeadlineSeconds") not in (None, 2**31 - 1)
    if reports and (progressing.get("status") != "True" or progressing.get("reason") != "NewReplicaSetAvailable"):
        return Status(IN_PROGRESS, "its new ReplicaSet is not available")
    if _condition(obj, "Available").get("status") != "True":
        return Status(IN_PROGRESS, "not available")
    return Status(CURRENT, f"{total} of {wanted} replicas ready")


def _replica_set(obj: Object) -> Status:
    failure = _condition(obj, "ReplicaFailure")
    if failure.get("status") == "True":
        return Status(IN_PROGRESS, _reason(failure))
    wanted = _number(obj, "spec.replicas", 1)
    return _first(
        _few(_number(obj, "status.fullyLabeledReplicas"), wanted, "labelled"),
        _few(_number(obj, "status.availableReplicas"), wanted, "available"),
        _few(_number(obj, "status.readyReplicas"), wanted, "ready"),
        _surplus(_number(obj, "status.replicas"), wanted),
    ) or Status(CURRENT, f"{wanted} of {wanted} replicas ready")


def _stateful_set(obj: Object) -> Status:
    if _field(obj, "spec.updateStrategy.type") == "OnDelete":
        return Status(CURRENT, "its pods are updated by hand")
    wanted = _number(obj, "spec.replicas", 1)
    total = _number(obj, "status.replicas")
    behind = _first(
        _few(total, wanted, "created"),
        _few(_number(obj, "status.readyReplicas"), wanted, "ready"),
        _surplus(total, wanted),
    )
    if behind:
        return behind
    done = Status(CURRENT, f"{total} of {wanted} replicas ready")
    partition = _field(obj, "spec.updateStrategy.rollingUpdate.partition")
    if partition is not None:
        return _few(_number(obj, "status.updatedReplicas"), wanted - partition, "updated") or done
    behind = _few(_number(obj, "status.currentReplicas"), wanted, "current")
    if not behind and _field(obj, "status.currentRevision") != _field(obj, "status.updateRevision"):
        behind = Status(IN_PROGRESS, "not all replicas are of the new revision")
    return behind or done


def _daemon_set(obj: Object) -> Status:
    wanted = _field(obj, "status.desiredNumberScheduled")
    # A DaemonSet that its controller has not seen looks like one that wants no pods.
    if None in (wanted, _field(obj, "metadata.generation"), _field(obj, "status.observedGeneration")):
        return Status(IN_PROGRESS, "its controller has not seen it yet")
    return _first(
        _few(_number(obj, "status.currentNumberScheduled"), wanted, "scheduled"),
        _few(_number(obj, "status.updatedNumberScheduled"), wanted, "updated"),
        _few(_number(obj, "status.numberAvailable"), wanted, "available"),
        _few(_number(obj, "status.numberReady"), wanted, "ready"),
    ) or Status(CURRENT, f"{wanted} of {wanted} replicas ready")


def _job(obj: Object) -> Status:
    done = (
        f"{_number(obj, 'status.succeeded')} of {_number(obj, 'spec.completions', _number(obj, 'spec.parallelism', 1))}"
    )
    if _condition(obj, "Complete").get("status") == "True":
        return Status(CURRENT, f"{done} completed")
    failure = _condition(obj, "Failed")
    if failure.get("status") == "True":
        return Status(FAILED, _reason(failure), final=True)
    if _condition(obj, "Suspended").get("status") == "True":
        return Status(CURRENT, "suspended")
    if not _field(obj, "status.startTime"):
        return Status(IN_PROGRESS, "not started")
    return Status(CURRENT, f"running, {done} completed")


def _pod(obj: Object, now: float) -> Status:
    phase = _field(obj, "status.phase")
    if phase == "Succeeded":
        return Status(CURRENT, "completed")
    if phase == "Failed":
        return Status(CURRENT, "completed, but not successfully")
    if phase == "Running":
        if _condition(obj, "Ready").get("status") == "True":
            return Status(CURRENT, "ready")
        crashing = [
            container.get("name", "?")
            for container in _field(obj, "status.containerStatuses") or ()
            if _field(container, "state.waiting.reason") == "CrashLoopBackOff"
        ]
        if crashing:
            return Status(FAILED, f"crashing again and again: {', '.join(crashing)}")
        return Status(IN_PROGRESS, "running but not ready")
    scheduled = _condition(obj, "PodScheduled")
    if phase == "Pending" and scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        if now - _seconds(_field(obj, "metadata.creationTimestamp"), now) < SCHEDULING_TIME:
            return Status(IN_PROGRESS, "not scheduled yet")
        return Status(FAILED, _reason(scheduled))
    return Status(IN_PROGRESS, "pending" if phase == "Pending" else "not seen by a node yet")


# --- other kinds ---------------------------------------------------------------------------------------------------


def _claim(obj: Object) -> Status:
    phase = _field(obj, "status.phase") or "unknown"
    return Status(CURRENT, "bound") if phase == "Bound" else Status(IN_PROGRESS, f"not bound, its phase is {phase}")


def _service(obj: Object) -> Status:
    if _field(obj, "spec.type") == "LoadBalancer" and not _field(obj, "spec.clusterIP"):
        return Status(IN_PROGRESS, "no cluster IP yet")
    return Status(CURRENT, "ready")


def _addressed(obj: Object) -> Status | None:
    if obj["kind"] != "Service":
        return None if _field(obj, "status.addresses") else Status(IN_PROGRESS, "no address yet")
    if _field(obj, "spec.type") == "LoadBalancer" and not _field(obj, "status.loadBalancer.ingress"):
        return Status(IN_PROGRESS, "no address from the load balancer yet")
    return None


def _definition(obj: Object) -> Status:
    names, established = _condition(obj, "NamesAccepted"), _condition(obj, "Established")
    if names.get("status") == "False":
        return Status(FAILED, _reason(names))
    if established.get("status") == "False" and established.get("reason") != "Installing":
        return Status(FAILED, _reason(established))
    if established.get("status") == "True":
        return Status(CURRENT, "established")
    return Status(IN_PROGRESS, "being installed")


def _api_service(obj: Object) -> Status:
    return _true(obj, _conditions(obj), "Available", required=True) or Status(CURRENT, "available")


def _namespace(obj: Object) -> Status:
    phase = _field(obj, "status.phase") or "Active"
    return Status(CURRENT, "active") if phase == "Active" else Status(TERMINATING, "being deleted")


def _gateway(obj: Object) -> Status:
    conditions = _conditions(obj)
    programmed = _true(obj, conditions, "Programmed")
    # Where no load balancer exists the address never comes, although everything else is at work.
    if _condition(obj, "Programmed").get("reason") == "AddressNotAssigned":
        programmed = None
    return _true(obj, conditions, "Accepted") or programmed or Status(CURRENT, "programmed")


def _gateway_class(obj: Object) -> Status:
    return _true(obj, _conditions(obj), "Accepted") or Status(CURRENT, "accepted")


def _route(obj: Object) -> Status:
    for parent in _field(obj, "status.parents") or ():
        conditions = parent.get("conditions") or ()
        behind = _true(obj, conditions, "Accepted") or _true(obj, conditions, "ResolvedRefs")
        if behind:
            return behind
    return Status(CURRENT, "accepted")


_RULES: dict[tuple[str, str], Callable[[Object], Status]] = {
    ("", "ConfigMap"): _always,
    ("", "Secret"): _always,
    ("", "Namespace"): _namespace,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Service"): _service,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _replica_set,
    ("apps", "StatefulSet"): _stateful_set,
    ("batch", "CronJob"): _always,
    ("batch", "Job"): _job,
    ("policy", "PodDisruptionBudget"): _always,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
    ("apiregistration.k8s.io", "APIService"): _api_service,
    (GATEWAY_API, "Gateway"): _gateway,
    (GATEWAY_API, "GatewayClass"): _gateway_class,
    **{(GATEWAY_API, f"{protocol}Route"): _route for protocol in ("HTTP", "GRPC", "TCP", "TLS", "UDP")},
}

_WITH_ADDRESS = frozenset({("", "Service"), (GATEWAY_API, "Gateway")})

_WITHOUT_STATUS = frozenset(
    {
        *(("", kind) for kind in ("ConfigMap", "Endpoints", "LimitRange", "Secret", "ServiceAccount")),
        *(("rbac.authorization.k8s.io", kind) for kind in ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")),
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
        ("batch", "CronJob"),
        ("coordination.k8s.io", "Lease"),
        ("discovery.k8s.io", "EndpointSlice"),
        ("networking.k8s.io", "IngressClass"),
        ("networking.k8s.io", "NetworkPolicy"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("storage.k8s.io", "StorageClass"),
    }
)


# --- fields --------------------------------------------------------------------------------------------------------


def _field(obj: Object, path: str) -> Any:
    value: Any = obj
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _number(obj: Object, path: str, default: int = 0) -> int:
    value = _field(obj, path)
    return default if value is None else int(value)


def _conditions(obj: Object) -> list[Object]:
    return list(_field(obj, "status.conditions") or ())


def _condition(obj: Object, kind: str) -> Object:
    return _named(_conditions(obj), kind)


def _named(conditions: Iterable[Object], kind: str) -> Object:
    return next((condition for condition in conditions if condition.get("type") == kind), {})


def _true(obj: Object, conditions: Iterable[Object], kind: str, *, required: bool = False) -> Status | None:
    """What is missing until a condition is true of the object's newest generation; nothing if it is not used."""
    condition = _named(conditions, kind)
    if not condition:
        return Status(IN_PROGRESS, f"not {kind.lower()} yet") if required else None
    if condition.get("status") != "True":
        return Status(IN_PROGRESS, _reason(condition))
    if (
        condition.get("observedGeneration", 0) < _number(obj, "metadata.generation")
        and "observedGeneration" in condition
    ):
        return Status(IN_PROGRESS, "its controller has not seen its newest generation yet")
    return None


def _reason(condition: Object) -> str:
    words = [str(condition.get(part) or "").strip().rstrip(".") for part in ("reason", "message")]
    return ": ".join(word for word in words if word) or f"{condition.get('type')} is {condition.get('status')}"


def _first(*found: Status | None) -> Status | None:
    return next((one for one in found if one), None)


def _few(number: int, wanted: int, what: str) -> Status | None:
    return Status(IN_PROGRESS, f"{number} of {wanted} replicas {what}") if number < wanted else None


def _surplus(number: int, wanted: int) -> Status | None:
    return Status(IN_PROGRESS, f"{number - wanted} old replicas still to end") if number > wanted else None


def _seconds(timestamp: str | None, default: float) -> float:
    return datetime.fromisoformat(timestamp).timestamp() if timestamp else default
