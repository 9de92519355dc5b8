# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The definition of ready: compute the status of an object from its fields.

The states are those of kstatus, the library of kubectl and cli-utils:

- `current`: the object is fully reconciled, or its kind has nothing to wait for;
- `in_progress`: its controllers have not reconciled it yet;
- `failed`: its controllers report a failure, or no progress;
- `terminating`: the object is being deleted.

Other kinds are evaluated by their conditions and `observedGeneration`; without a status they are current. In addition to
kstatus, APIServices and the Gateway API's kinds are evaluated by their conditions, and paused or suspended objects are
current. The rules of each family of kinds are in `readiness/`.
"""

from __future__ import annotations

import time

from ..objects.conditions import condition, conditions, is_true, reason
from ..objects.objects import Kind, Object, kind_of
from .readiness import api, networking, storage, workloads
from .readiness.states import CURRENT, FAILED, IN_PROGRESS, TERMINATING, Rule, State, Status, always, field, whole

__all__ = ["CURRENT", "FAILED", "IN_PROGRESS", "TERMINATING", "State", "Status", "gone", "has_status", "status"]

CRD_CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
"""The finalizer of a CustomResourceDefinition while objects of its kind exist."""


def status(obj: Object, *, load_balancer: bool = False, now: float | None = None) -> Status:
    """Return the status of an object, from its fields.

    `load_balancer`: also require a load balancer address, which many clusters never assign. `now`: the time in seconds
    since the epoch.
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
    """Return the status of a deletion: `current` once the object is deleted."""
    if obj is None:
        return Status(CURRENT, "deleted")
    if not field(obj, "metadata.deletionTimestamp"):
        return Status(IN_PROGRESS, "its deletion was not requested")
    # A Namespace's conditions list its remaining objects, unlike its finalizers.
    left = [reason(one) for one in conditions(obj) if is_true(one) and one.get("message")]
    if obj.get("kind") == "Namespace" and left:
        return Status(TERMINATING, "; ".join(left))
    finalizers = field(obj, "metadata.finalizers") or ()
    if CRD_CLEANUP in finalizers:
        return Status(TERMINATING, "objects of its kind are still being deleted")
    holders = ", ".join(finalizers)
    return Status(TERMINATING, f"blocked by the finalizers {holders}" if holders else "being deleted")


def has_status(kind: Kind) -> bool:
    """Return whether objects of this kind have a status to wait for."""
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
        return Status(IN_PROGRESS, f"its controller has observed generation {observed}, not yet {generation}")
    for one in conditions(obj):
        if is_true(one) and one.get("type") == "Reconciling":
            return Status(IN_PROGRESS, reason(one))
        if is_true(one) and one.get("type") == "Stalled":
            return Status(FAILED, reason(one))
    return None


def _unfollowed(obj: Object) -> bool:
    """Return whether the controller has failed to reconcile the object, and does not update observedGeneration."""
    # Such as a PodDisruptionBudget whose pods have no controller.
    return obj["kind"] == "PodDisruptionBudget" and condition(obj, "DisruptionAllowed").get("reason") == "SyncFailed"


def _by_ready_condition(obj: Object) -> Status:
    ready = condition(obj, "Ready")
    if ready.get("status") in ("False", "Unknown"):
        return Status(IN_PROGRESS, reason(ready))
    return Status(CURRENT, "ready")


_HALTED = {"suspend": "suspended", "suspended": "suspended", "paused": "paused"}
"""Fields of custom resources that stop their controller, and the message then."""

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
