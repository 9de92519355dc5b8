# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one definition of ready: tell from an object alone whether it is.

The words and their meaning are those of kstatus, Kubernetes' own library for this question:

- `current`: the controllers have made the cluster what the object asks for (or the kind has nothing to wait for);
- `in_progress`: they are at it, or have not started;
- `failed`: they have stopped trying, or see that they make no progress;
- `terminating`: the object is being deleted.

An object whose kind is not known here is judged by its conditions and its `observedGeneration`; without a status it
is current. Beyond kstatus, APIServices and the Gateway API's kinds are judged by their own conditions, and nothing is
awaited that cannot come: the roll-out of what is paused, or the work of what is suspended. The rules of a family of
kinds are in `readiness/`.
"""

from __future__ import annotations

import time

from ..objects.objects import Kind, Object, kind_of
from .readiness import api, networking, storage, workloads
from .readiness.states import (
    CURRENT,
    FAILED,
    IN_PROGRESS,
    TERMINATING,
    Rule,
    State,
    Status,
    always,
    condition,
    conditions,
    field,
    is_true,
    reason,
    whole,
)

__all__ = ["CURRENT", "FAILED", "IN_PROGRESS", "TERMINATING", "State", "Status", "gone", "has_status", "status"]

CRD_CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
"""The finalizer of a CustomResourceDefinition that stays until all objects of its kind are gone."""


def status(obj: Object, *, load_balancer: bool = False, now: float | None = None) -> Status:
    """Judge an object by its own fields.

    `load_balancer` also asks for an address where a load balancer is wanted, which many clusters never assign.
    `now` is the time in seconds since the epoch.
    """
    kind = kind_of(obj)
    identity = (kind.group, kind.kind)
    found = _generic(obj, known=identity in _RULES)
    if found:
        return found
    if load_balancer and identity in networking.ADDRESSED:
        found = networking.address_missing(obj)
        if found:
            return found
    if kind == Kind("v1", "Pod"):
        return workloads.pod(obj, time.time() if now is None else now)
    return _RULES.get(identity, _by_ready_condition)(obj)


def gone(obj: Object | None) -> Status:
    """Tell whether an object is gone, and what keeps it: `current` once there is none."""
    if obj is None:
        return Status(CURRENT, "gone")
    if not field(obj, "metadata.deletionTimestamp"):
        return Status(IN_PROGRESS, "nobody has asked for its deletion")
    # A namespace's conditions say what is left in it, which its finalizers do not.
    left = [reason(one) for one in conditions(obj) if is_true(one) and one.get("message")]
    if obj.get("kind") == "Namespace" and left:
        return Status(TERMINATING, "; ".join(left))
    finalizers = field(obj, "metadata.finalizers") or ()
    if CRD_CLEANUP in finalizers:
        return Status(TERMINATING, "objects of its kind are still being deleted")
    holders = ", ".join(finalizers)
    return Status(TERMINATING, f"held by the finalizers {holders}" if holders else "being deleted")


def has_status(kind: Kind) -> bool:
    """Tell whether there is anything to wait for once an object of this kind exists."""
    return (kind.group, kind.kind) not in _WITHOUT_STATUS


def _generic(obj: Object, *, known: bool) -> Status | None:
    if field(obj, "metadata.deletionTimestamp"):
        return Status(TERMINATING, "being deleted")
    if not known:
        halted = next((name for name in _HALTED if field(obj, f"spec.{name}") is True), None)
        if halted:
            return Status(CURRENT, _HALTED[halted])
    generation, observed = whole(obj, "metadata.generation"), whole(obj, "status.observedGeneration")
    if None not in (generation, observed) and observed != generation and not _unfollowed(obj):
        return Status(IN_PROGRESS, f"its controller has seen generation {observed}, not yet {generation}")
    for one in conditions(obj):
        if is_true(one) and one.get("type") == "Reconciling":
            return Status(IN_PROGRESS, reason(one))
        if is_true(one) and one.get("type") == "Stalled":
            return Status(FAILED, reason(one))
    return None


def _unfollowed(obj: Object) -> bool:
    """Tell whether the controller has looked at the object and leaves its observedGeneration as it is."""
    # A budget whose pods nothing scales, for example: the disruption controller gives up at each look.
    return obj["kind"] == "PodDisruptionBudget" and condition(obj, "DisruptionAllowed").get("reason") == "SyncFailed"


def _by_ready_condition(obj: Object) -> Status:
    ready = condition(obj, "Ready")
    if ready.get("status") in ("False", "Unknown"):
        return Status(IN_PROGRESS, reason(ready))
    return Status(CURRENT, "ready")


_HALTED = {"suspend": "suspended", "suspended": "suspended", "paused": "paused"}
"""Fields of custom resources' specs by which users have their controllers do nothing, and what is said then."""

_RULES: dict[tuple[str, str], Rule] = {
    ("", "ConfigMap"): always,
    ("", "Secret"): always,
    **api.RULES,
    **networking.RULES,
    **storage.RULES,
    **workloads.RULES,
}

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
