# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep fields of a control plane's objects that istiod, Helm and AKS set at run time.

Fields of Kubernetes' own controllers are kept in every unit, see kube/plan/runtime_fields.py.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

from ...kube.objects import managed_fields
from ...kube.objects.field_sets import Fields
from ...kube.objects.objects import Object
from ..model import labels
from ..model.labels import labels_of
from .helm import keep_release

# Expressions that AKS's admission enforcer adds to the namespaceSelector of every webhook, to exclude AKS's own pods.
_ENFORCED = frozenset({"control-plane", "kubernetes.azure.com/managedby"})
_ENFORCER = "admissionsenforcer"


class MeshRuntimeFields:
    """Adjusts desired objects to the live ones.

    `managers`: the field manager that applies, and the previous ones that it takes over. `istiod_ready` returns whether
    a ready istiod serves the validating webhooks.
    """

    def __init__(self, managers: frozenset[str], istiod_ready: Callable[[], bool]) -> None:
        self._managers = managers
        self._istiod_ready = istiod_ready

    def __call__(self, desired: Object, live: Object | None) -> Object:
        """Return `desired`, adjusted in place, as it is to be applied over `live`."""
        if live is None:
            return desired
        keep_release(desired, live)
        kind = desired["kind"]
        if kind == "ValidatingWebhookConfiguration":
            self._keep_failure_policy(desired, live)
        if kind in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"):
            self._keep_selectors(desired, live)
        if kind == "Namespace":
            self._keep_network(desired, live)
        return desired

    def _keep_failure_policy(self, desired: Object, live: Object) -> None:
        """Keep the failurePolicy Fail that istiod sets once it serves, unless no istiod is ready to answer."""
        policies = {webhook["name"]: webhook.get("failurePolicy") for webhook in live.get("webhooks") or ()}
        theirs = _webhook_fields(managed_fields.others(live, self._managers))
        for webhook in desired.get("webhooks") or ():
            policy = policies.get(webhook["name"])
            if not policy or policy == webhook.get("failurePolicy") or (policy == "Fail" and not self._istiod_ready()):
                continue
            if "f:failurePolicy" in theirs(webhook["name"]):
                del webhook["failurePolicy"]  # owned by istiod
            else:
                webhook["failurePolicy"] = policy

    def _keep_selectors(self, desired: Object, live: Object) -> None:
        """Keep the selector that AKS's enforcer has edited and owns, unless ours has changed."""
        if _ENFORCER not in {entry.get("manager") for entry in managed_fields.entries(live)}:
            return
        there = {webhook["name"]: webhook for webhook in live.get("webhooks") or ()}
        ours = _webhook_fields(
            managed_fields.union(one.get("fieldsV1") or {} for one in managed_fields.held_by(live, self._managers))
        )
        theirs = _webhook_fields(managed_fields.others(live, self._managers))
        for webhook in desired.get("webhooks") or ():
            name = webhook["name"]
            selector = _enforced(webhook, there.get(name) or {})
            held = "f:namespaceSelector" in theirs(name) and "f:namespaceSelector" not in ours(name)
            if held and selector == (there.get(name) or {}).get("namespaceSelector"):
                webhook.pop("namespaceSelector", None)
            elif selector:
                webhook["namespaceSelector"] = selector

    def _keep_network(self, desired: Object, live: Object) -> None:
        """Label only a new namespace with its network, as istioctl does."""
        if labels.NETWORK not in labels_of(live):
            labels_of(desired).pop(labels.NETWORK, None)


def _webhook_fields(owned: Fields) -> Callable[[str], Mapping[str, Any]]:
    """Return a function that returns the owned fields of a webhook by its name."""
    by_key: Mapping[str, Any] = owned.get("f:webhooks") or {}
    return lambda name: by_key.get(f'k:{{"name":"{name}"}}') or {}


def _enforced(webhook: Object, live: Mapping[str, Any]) -> Object:
    """Return the webhook's namespaceSelector with the expressions that the enforcer has added to the live one."""
    selector = webhook.get("namespaceSelector") or {}
    there = live.get("namespaceSelector") or {}
    expressions = list(selector.get("matchExpressions") or ())
    added = [
        expression
        for expression in there.get("matchExpressions") or ()
        if expression.get("key") in _ENFORCED and expression not in expressions
    ]
    if not added:
        return selector
    merged = {**selector, "matchExpressions": expressions + copy.deepcopy(added)}
    # The order of expressions has no meaning.
    return dict(there) if _unordered(merged) == _unordered(there) else merged


def _unordered(selector: Mapping[str, Any]) -> tuple[Any, list[str]]:
    expressions = [json.dumps(one, sort_keys=True) for one in selector.get("matchExpressions") or ()]
    return selector.get("matchLabels") or {}, sorted(expressions)
