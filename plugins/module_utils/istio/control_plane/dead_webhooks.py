# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Webhooks of a control plane that is gone: they fail closed, and keep pods from starting or resources from being set."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...kube.errors import Refused
from ...kube.objects.objects import Key, Kind, key_of
from ...kube.plan.plan import Plan
from ..model import labels

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

Object = Mapping[str, Any]

_CONFIGURATIONS = (
    Kind("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    Kind("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
)
_DEPLOYMENTS, _SLICES = Kind("apps/v1", "Deployment"), Kind("discovery.k8s.io/v1", "EndpointSlice")
EFFECTS = {
    "MutatingWebhookConfiguration": ("dead_injector", "no pod can start in the namespaces that it injects"),
    "ValidatingWebhookConfiguration": ("dead_validator", "no Istio resource can be written"),
}
"""The code of what each kind does with nobody behind it, and what that means."""


def left_over(cluster: Cluster, wanted: Collection[Key]) -> Iterator[tuple[dict[str, Any], tuple[str, str]]]:
    """Istio's webhook configurations that are not `wanted`, fail closed, and call a Service with nobody behind it.

    Each with namespace and name of that Service. An istiod that is only down at the moment still has its Deployment.
    """
    lists = cluster.list_many([(kind, "", labels.REVISION) for kind in _CONFIGURATIONS])
    for configuration in (one for found in lists for one in found if key_of(one) not in wanted):
        for namespace, name in guarded_services(configuration):
            if not _is_kept(cluster, namespace, name):
                yield configuration, (namespace, name)
                break


def refuse_left_over(cluster: Cluster, plan: Plan) -> None:
    """Raise Refused for a plan with such webhooks in its way, unless it removes them."""
    if not plan.changes:
        return
    known = {key_of(obj) for obj in plan.objects} | {change.key for change in plan.changes}
    for configuration, (namespace, name) in left_over(cluster, known):
        key = key_of(configuration)
        raise Refused(
            f"{key} calls {namespace}/{name}, which is gone, and fails closed, so that {EFFECTS[key.kind][1]}: delete it,"
            " or set remove_dead_webhooks.",
            code="dead_webhooks",
            object=key._asdict(),
        )


def _is_kept(cluster: Cluster, namespace: str, service: str) -> bool:
    if cluster.get(_DEPLOYMENTS, service, namespace) is not None:
        return True
    slices = cluster.list(_SLICES, namespace, label_selector=f"kubernetes.io/service-name={service}")
    return any(answers(one) for one in slices)


def guarded_services(configuration: Object) -> list[tuple[str, str]]:
    """The services whose absence would block requests; webhooks that match nothing call none."""
    found = []
    for webhook in configuration.get("webhooks") or ():
        service = (webhook.get("clientConfig") or {}).get("service")
        selector = (webhook.get("namespaceSelector") or {}).get("matchLabels") or {}
        if service and webhook.get("failurePolicy", "Fail") == "Fail" and "istio.io/deactivated" not in selector:
            found.append((service["namespace"], service["name"]))
    return list(dict.fromkeys(found))


def answers(endpoints: Object) -> bool:
    """Whether an EndpointSlice has a ready endpoint."""
    # A missing condition means ready, as the API defines it.
    return any((one.get("conditions") or {}).get("ready") is not False for one in endpoints.get("endpoints") or ())
