# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of a control plane's objects that others decide at run time, and that applying must not take back."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..kube import fields
from . import labels
from .labels import labels_of

Object = dict[str, Any]

# What AKS's admission enforcer adds to the namespace selector of every webhook, so that none reaches AKS's own pods.
_ENFORCED = frozenset({"control-plane", "kubernetes.azure.com/managedby"})
_ENFORCER = "admissionsenforcer"


class Handover:
    """Adjusts desired objects to the live ones.

    `manager` is the field manager that applies them; `istiod_ready` tells, when asked, whether an istiod stands
    behind the validating webhooks.
    """

    def __init__(self, objects: Iterable[Mapping[str, Any]], manager: str, istiod_ready: Callable[[], bool]) -> None:
        self._manager = manager
        self._istiod_ready = istiod_ready
        self._scaled = {
            (obj["metadata"].get("namespace", ""), *_target(obj))
            for obj in objects
            if obj["kind"] == "HorizontalPodAutoscaler"
        }

    def __call__(self, desired: Object, live: Object | None) -> Object:
        """`desired` (which may be changed) as it is to be applied over `live`."""
        if live is None:
            return desired
        kind = desired["kind"]
        if kind == "ValidatingWebhookConfiguration":
            self._keep_failure_policy(desired, live)
        if kind in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"):
            _keep_enforced(desired, live)
        if kind == "Namespace":
            self._keep_network(desired, live)
        identity = (desired["metadata"].get("namespace", ""), kind, desired["metadata"]["name"])
        if identity in self._scaled:
            self._keep_replicas(desired, live)
        return desired

    def _keep_failure_policy(self, desired: Object, live: Object) -> None:
        """istiod turns Ignore into Fail once it serves; with no istiod left, Fail would block all configuration."""
        policies = {webhook["name"]: webhook.get("failurePolicy") for webhook in live.get("webhooks") or ()}
        owned_by_others = fields.others(live, {self._manager}).get("f:webhooks", {})
        for webhook in desired.get("webhooks") or ():
            policy = policies.get(webhook["name"])
            if not policy or policy == webhook.get("failurePolicy") or (policy == "Fail" and not self._istiod_ready()):
                continue
            if "f:failurePolicy" in owned_by_others.get(f'k:{{"name":"{webhook["name"]}"}}', {}):
                del webhook["failurePolicy"]  # istiod's, and to state it too would be a claim on it
            else:
                webhook["failurePolicy"] = policy

    def _keep_network(self, desired: Object, live: Object) -> None:
        """istioctl labels a namespace with its network only when it creates it."""
        if labels.NETWORK not in labels_of(live):
            labels_of(desired).pop(labels.NETWORK, None)

    def _keep_replicas(self, desired: Object, live: Object) -> None:
        """An autoscaler decides; a field that nobody but we hold would fall back to 1 if we let go of it."""
        spec, replicas = desired["spec"], live.get("spec", {}).get("replicas")
        owners = {
            entry.get("manager")
            for entry in live["metadata"].get("managedFields") or ()
            if "f:replicas" in ((entry.get("fieldsV1") or {}).get("f:spec") or {})
        }
        if "replicas" in spec or owners == {self._manager}:
            spec["replicas"] = replicas if replicas is not None else spec.get("replicas", 1)


def _target(autoscaler: Mapping[str, Any]) -> tuple[str, str]:
    target = (autoscaler.get("spec") or {}).get("scaleTargetRef") or {}
    return target.get("kind", ""), target.get("name", "")


def _keep_enforced(desired: Object, live: Object) -> None:
    managers = {entry.get("manager") for entry in live["metadata"].get("managedFields") or ()}
    if _ENFORCER not in managers:
        return
    selectors = {webhook["name"]: webhook.get("namespaceSelector") or {} for webhook in live.get("webhooks") or ()}
    for webhook in desired.get("webhooks") or ():
        added = [
            expression
            for expression in selectors.get(webhook["name"], {}).get("matchExpressions") or ()
            if expression.get("key") in _ENFORCED
        ]
        selector = webhook.setdefault("namespaceSelector", {}) if added else {}
        expressions = list(selector.get("matchExpressions") or ())
        missing = [copy.deepcopy(expression) for expression in added if expression not in expressions]
        if missing:
            selector["matchExpressions"] = expressions + missing
