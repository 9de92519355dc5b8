# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find clients that may send plain text, and that mutual TLS mode STRICT would reject.

They are found from the cluster's objects: pods without a proxy in namespaces of the mesh, Services that external clients
reach directly, and DestinationRules that disable TLS. Actual traffic is not known: a listed pod may never send requests,
and one outside the mesh's namespaces may.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ....kube.api.cluster import Cluster
from ....kube.objects.kinds import NAMESPACE, POD, SERVICE
from ....kube.objects.objects import Object
from ....kube.plan.plan import Plan
from ...injection.sidecars import owner_of
from ...model.labels import REVISION, labels_of
from ...model.proxies import has_ended, is_injected
from ..shared.fields import Options
from ..shared.hosts import Host
from ..shared.problems import Problem
from ..shared.registry import DESTINATION_RULE
from ..shared.unit import served_kind
from ..shared.workloads import in_mesh, selected_by, summed_up
from .mtls_build import mode_at, strict_somewhere

_SYSTEM = frozenset({"kube-system", "kube-public", "kube-node-lease"})
_OUTSIDE = frozenset({"NodePort", "LoadBalancer"})


@dataclass(frozen=True, order=True)
class Client:
    """An object that may send plain text, and the reason."""

    namespace: str
    kind: str
    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name} ({self.reason})"


def clients(options: Options, cluster: Cluster, wanted: Mapping[str, Any]) -> list[Client]:
    """Return the likely plain-text clients of the workloads of a PeerAuthentication."""
    root = options["root_namespace"]
    namespace = "" if options["namespace"] == root and not options.get("selector") else options["namespace"]
    pods, namespaces, services, rules = cluster.list_many(
        [
            (POD, "", ""),
            (NAMESPACE, "", ""),
            (SERVICE, namespace, ""),
            (served_kind(cluster, DESTINATION_RULE), "", ""),
        ]
    )
    pods = [pod for pod in pods if not has_ended(pod)]
    labels = ((wanted["spec"].get("selector") or {}).get("matchLabels") or {}).items()
    servers = [
        pod
        for pod in pods
        if namespace in ("", pod["metadata"]["namespace"]) and labels <= labels_of(pod).items() and _serves(pod)
    ]
    if not servers:
        return []
    members = {pod["metadata"]["namespace"] for pod in pods if _serves(pod)}
    members |= {one["metadata"]["name"] for one in namespaces if _labelled(one)}
    reached = [service for service in services if selected_by(service, servers)]
    found = {
        *_without_sidecar(pods, members - _SYSTEM - {root}),
        *_exposed(reached, servers, wanted),
        *_tls_disabled(rules, reached),
    }
    return sorted(found)


def problems(options: Options, cluster: Cluster, plan: Plan) -> Iterator[Problem]:
    """Yield a problem for plain-text clients that a plan would reject; none if they are rejected already."""
    for change in plan.changes:
        wanted, before = change.desired, change.before
        if wanted is None or not strict_somewhere(wanted) or _same_refusal(before, wanted):
            continue
        found = clients(options, cluster, wanted)
        if found:
            yield Problem(
                f"Cannot set mode strict: it would reject clients that may send plain text,"
                f" {summed_up([str(client) for client in found])}. Add them to the mesh, use the mode permissive, or set"
                " force to true.",
                "plain_text_clients",
                details={"plain_text_clients": as_dicts(found)},
            )


def as_dicts(found: Iterable[Client]) -> list[dict[str, str]]:
    """Return clients as plain data."""
    return [asdict(client) for client in found]


def _same_refusal(before: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> bool:
    return before is not None and all(
        before["spec"].get(name) == wanted["spec"].get(name) for name in ("selector", "mtls", "portLevelMtls")
    )


def _serves(pod: Object) -> bool:
    """Return whether PeerAuthentication applies to the pod: it has a sidecar, and is not a gateway."""
    annotations = pod["metadata"].get("annotations") or {}
    gateway = annotations.get("inject.istio.io/templates") == "gateway"
    return is_injected(pod) and not gateway and "gateway.networking.k8s.io/gateway-name" not in labels_of(pod)


def _labelled(namespace: Mapping[str, Any]) -> bool:
    own = labels_of(namespace)
    return own.get("istio-injection") == "enabled" or bool(own.get(REVISION))


def _without_sidecar(pods: Iterable[Object], members: set[str]) -> Iterator[Client]:
    for pod in pods:
        if pod["metadata"]["namespace"] in members and not in_mesh(pod):
            kind, namespace, name = owner_of(pod)
            yield Client(namespace, kind, name, "no sidecar")


def _exposed(services: Iterable[Object], servers: Sequence[Object], wanted: Mapping[str, Any]) -> Iterator[Client]:
    """Yield Services for external clients, which have no certificate of the mesh."""
    for service in services:
        metadata, spec = service["metadata"], service["spec"]
        if spec.get("type") not in _OUTSIDE:
            continue
        targets = selected_by(service, servers)
        ports = [port for port in spec.get("ports") or () if _refused(port, targets, wanted)]
        if ports:
            reason = f"type {spec['type']}, open to clients outside the cluster"
            yield Client(metadata["namespace"], "Service", metadata["name"], reason)


def _refused(port: Mapping[str, Any], pods: Iterable[Object], wanted: Mapping[str, Any]) -> bool:
    target = port.get("targetPort", port["port"])
    numbers = {target} if isinstance(target, int) else {found for pod in pods for found in _numbered(pod, target)}
    return any(mode_at(wanted, number) == "STRICT" for number in numbers)


def _numbered(pod: Mapping[str, Any], name: str) -> Iterator[int]:
    for container in pod["spec"].get("containers") or ():
        for port in container.get("ports") or ():
            if port.get("name") == name:
                yield port["containerPort"]


def _tls_disabled(rules: Iterable[Object], reached: Iterable[Object]) -> Iterator[Client]:
    """Yield DestinationRules that make clients with a sidecar send plain text."""
    hosts = [Host(service["metadata"]["name"], service["metadata"]["namespace"]) for service in reached]
    for rule in rules:
        metadata, spec = rule["metadata"], rule["spec"]
        policies = [spec.get("trafficPolicy"), *(subset.get("trafficPolicy") for subset in spec.get("subsets") or ())]
        off = any(((policy or {}).get("tls") or {}).get("mode") == "DISABLE" for policy in policies)
        own = Host.of(spec.get("host", ""), metadata["namespace"])
        if off and any(own.covers(host) for host in hosts):
            yield Client(metadata["namespace"], "DestinationRule", metadata["name"], "TLS mode DISABLE")
