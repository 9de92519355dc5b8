# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find webhooks of a deleted control plane, which block requests (failurePolicy Fail) that nothing can answer."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from ...kube.errors import Refused
from ...kube.objects.objects import Key, Kind, Object, key_of
from ...kube.plan.plan import Plan
from ..model import labels

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

_CONFIGURATIONS = (
    Kind("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    Kind("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
)
_DEPLOYMENTS, _SLICES = Kind("apps/v1", "Deployment"), Kind("discovery.k8s.io/v1", "EndpointSlice")
EFFECTS = {
    "MutatingWebhookConfiguration": ("dead_injector", "no pod can be created in the namespaces that it injects"),
    "ValidatingWebhookConfiguration": ("dead_validator", "no Istio resource can be created or changed"),
}
"""The code and the effect of each kind if its Service has no endpoints."""


def left_over(cluster: Cluster, wanted: Collection[Key]) -> Iterator[tuple[dict[str, Any], tuple[str, str]]]:
    """Find Istio's webhook configurations that are not `wanted`, fail closed, and call a Service without endpoints.

    Yields each with namespace and name of the Service. An istiod that is only down still has its Deployment.
    """
    lists = cluster.list_many([(kind, "", labels.REVISION) for kind in _CONFIGURATIONS])
    for configuration in (one for found in lists for one in found if key_of(one) not in wanted):
        for namespace, name in guarded_services(configuration):
            if not _exists(cluster, namespace, name):
                yield configuration, (namespace, name)
                break


def refuse_left_over(cluster: Cluster, plan: Plan) -> None:
    """Raise Refused if such webhooks would block a plan, unless it deletes them."""
    if not plan.changes:
        return
    known = {key_of(obj) for obj in plan.objects} | {change.key for change in plan.changes}
    kept = {one.key: one.reason for one in plan.kept}
    for configuration, (namespace, name) in left_over(cluster, known):
        key = key_of(configuration)
        remedy = "Delete it, or set remove_dead_webhooks to true"
        if key in kept:
            remedy = f"Delete it yourself, because {kept[key]}"
        raise Refused(
            f"{key} blocks requests: Service {namespace}/{name} not found, so that {EFFECTS[key.kind][1]}. {remedy}.",
            code="dead_webhooks",
            object=key._asdict(),
        )


def _exists(cluster: Cluster, namespace: str, service: str) -> bool:
    return cluster.get(_DEPLOYMENTS, service, namespace) is not None or has_endpoint(cluster, namespace, service)


def has_endpoint(cluster: Cluster, namespace: str, service: str) -> bool:
    """Return whether a Service has a ready endpoint, which its Deployment's status reports only later."""
    slices = cluster.list(_SLICES, namespace, label_selector=f"kubernetes.io/service-name={service}")
    return any(answers(one) for one in slices)


def guarded_services(configuration: Object) -> list[tuple[str, str]]:
    """Return the Services of webhooks that fail closed, except for webhooks that match nothing."""
    found = []
    for webhook in configuration.get("webhooks") or ():
        service = (webhook.get("clientConfig") or {}).get("service")
        selector = (webhook.get("namespaceSelector") or {}).get("matchLabels") or {}
        if service and webhook.get("failurePolicy", "Fail") == "Fail" and "istio.io/deactivated" not in selector:
            found.append((service["namespace"], service["name"]))
    return list(dict.fromkeys(found))


def answers(endpoints: Object) -> bool:
    """Return whether an EndpointSlice has a ready endpoint."""
    # A missing condition means ready, as the API defines it.
    return any((one.get("conditions") or {}).get("ready") is not False for one in endpoints.get("endpoints") or ())
