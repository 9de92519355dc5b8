# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look up the hosts of a mesh, their ports and their subsets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ....kube.api.cluster import Cluster
from ....kube.objects.kinds import SERVICE
from ....kube.objects.objects import Kind, Object
from ....kube.plan.plan import Plan
from .destinations import destinations
from .fields import ENVOY_FILTERS, GATEWAY_API, NETWORKING
from .hosts import Host, covers
from .problems import Problem
from .unit import served_kind

VIRTUAL_SERVICE = Kind(NETWORKING, "VirtualService")
DESTINATION_RULE = Kind(NETWORKING, "DestinationRule")
SERVICE_ENTRY = Kind(NETWORKING, "ServiceEntry")
GATEWAY = Kind(NETWORKING, "Gateway")
SIDECAR = Kind(NETWORKING, "Sidecar")
KUBERNETES_GATEWAY = Kind(GATEWAY_API, "Gateway")
GATEWAY_CLASS = Kind(GATEWAY_API, "GatewayClass")
HTTP_ROUTE = Kind(GATEWAY_API, "HTTPRoute")
REFERENCE_GRANT = Kind("gateway.networking.k8s.io/v1beta1", "ReferenceGrant")
ENVOY_FILTER = Kind(ENVOY_FILTERS, "EnvoyFilter")


@dataclass(frozen=True)
class Target:
    """A host that exists, with its port numbers and its Service, if it has one."""

    host: Host
    ports: tuple[int, ...]
    service: Mapping[str, Any] | None = None


class Registry:
    """The hosts of a cluster that are visible in one namespace; objects are read once, on first use."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster, self._namespace = cluster, namespace
        self._services: dict[Host, Object | None] = {}

    def listed(self, kind: Kind) -> list[Object]:
        """List all objects of an Istio kind."""
        return self._cluster.list(served_kind(self._cluster, kind))

    @cached_property
    def rules(self) -> list[Object]:
        """All DestinationRules."""
        return self.listed(DESTINATION_RULE)

    @cached_property
    def _entries(self) -> list[Object]:
        return [one for one in self.listed(SERVICE_ENTRY) if exported(one, self._namespace)]

    def host(self, text: str) -> Host:
        """Return the host that a text means in this namespace."""
        return Host.of(text, self._namespace)

    def service(self, host: Host) -> Object | None:
        """Return the Service of a host, None if it is not found."""
        if not host.name:
            return None
        if host not in self._services:
            self._services[host] = self._cluster.get(SERVICE, host.name, host.namespace)
        return self._services[host]

    def ports(self, host: Host) -> tuple[int, ...]:
        """Return the ports of a host; empty if it is not found."""
        target = self.find(host)
        return target.ports if target else ()

    def find(self, host: Host) -> Target | None:
        """Find the Service or ServiceEntry of a host; None if there is none."""
        service = self.service(host)
        if service is not None:
            return Target(host, tuple(port["port"] for port in service["spec"].get("ports") or ()), service)
        for entry in self._entries:
            if any(covers(known.lower(), host.full) for known in entry["spec"].get("hosts") or ()):
                return Target(host, tuple(port["number"] for port in entry["spec"].get("ports") or ()))
        return None

    def subsets(self, host: Host, plan: Plan) -> list[str]:
        """Return the names of a host's subsets after the plan is applied."""
        return sorted({name for rule in self.rules_after(plan) for name in _subsets(rule, host)})

    def rules_after(self, plan: Plan) -> Iterator[Object]:
        """Yield all DestinationRules after the plan is applied."""
        yield from after(plan, self.rules, "DestinationRule")


def after(plan: Plan, live: Sequence[Object], kind: str) -> Iterator[Object]:
    """Yield all objects of a kind after the plan is applied."""
    touched = {(change.key.namespace, change.key.name) for change in plan.changes if change.key.kind == kind} | {
        _place(obj) for obj in plan.objects if obj["kind"] == kind
    }
    yield from (obj for obj in live if _place(obj) not in touched)
    yield from (obj for obj in plan.objects if obj["kind"] == kind)


def missing_destinations(registry: Registry, plan: Plan, route: Object) -> Iterator[Problem]:
    """Yield a problem for each destination whose host, port or subset is not found."""
    for where, destination in destinations(route):
        problem = _missing(registry, plan, where, destination)
        if problem is not None:
            yield problem


def _missing(registry: Registry, plan: Plan, where: str, destination: Mapping[str, Any]) -> Problem | None:
    text, subset = destination["host"], destination.get("subset")
    port = (destination.get("port") or {}).get("number")
    host = registry.host(text)
    target = registry.find(host)
    details = {"option": where, "host": text}
    if target is None:
        return Problem(
            f"Host of {where} not found: {_absent(host)}. Create it first, or correct the name.",
            "host_missing",
            True,
            details,
        )
    if port is None and len(target.ports) > 1 and target.service:
        return Problem(
            f"Port of {where} is missing: Service {host} has the ports {_listed(target.ports)}. Set port to one of them.",
            "port",
            True,
            details,
        )
    if port is not None and target.ports and port not in target.ports:
        return Problem(
            f"Port {port} of {where} not found: {host} has the ports {_listed(target.ports)}. Choose one of them.",
            "port_missing",
            True,
            details,
        )
    if subset:
        known = registry.subsets(host, plan)
        if subset not in known:
            has = f"{host} has {', '.join(known)}" if known else f"{host} has none"
            return Problem(
                f"Subset '{subset}' of {where} not found in any DestinationRule: {has}. Add it to subsets.",
                "subset_missing",
                True,
                {**details, "subset": subset, "subsets": known},
            )
    return None


def _absent(host: Host) -> str:
    if host.name:
        return f"Service {host.namespace}/{host.name} does not exist"
    parts = host.external.split(".")
    if len(parts) == 2 or (len(parts) == 3 and parts[2] == "svc"):
        # Istio treats a name with a dot as complete.
        return (
            f"no Service or ServiceEntry has the host '{host.external}' (the host of a Service in another namespace is"
            f" its full name, {parts[0]}.{parts[1]}.svc.cluster.local)"
        )
    return f"no ServiceEntry has the host '{host.external}'"


def lost_subsets(registry: Registry, plan: Plan) -> Iterator[Problem]:
    """Yield a problem for each subset that the plan removes, and that a route still uses."""
    gone: dict[Host, set[str]] = {}
    for change in plan.changes:
        if change.key.kind == "DestinationRule" and change.before is not None:
            host = Host.of(change.before["spec"]["host"], change.key.namespace)
            left = registry.subsets(host, plan)
            gone.setdefault(host, set()).update(set(_subsets(change.before, host)) - set(left))
    if not any(gone.values()):
        return
    for route in after(plan, registry.listed(VIRTUAL_SERVICE), "VirtualService"):
        namespace = route["metadata"]["namespace"]
        for _where, destination in destinations(route):
            host, subset = Host.of(destination["host"], namespace), destination.get("subset")
            if subset in gone.get(host, ()):
                yield Problem(
                    f"Cannot remove the subset '{subset}' of {host}: it is in use by VirtualService"
                    f" {namespace}/{route['metadata']['name']}. Change the route first.",
                    "subset_in_use",
                    True,
                    {"host": str(host), "subset": subset},
                )


def exported(obj: Mapping[str, Any], namespace: str) -> bool:
    """Return whether an object applies to clients of a namespace."""
    scopes = obj["spec"].get("exportTo") or ["*"]
    return "*" in scopes or namespace in scopes or ("." in scopes and obj["metadata"]["namespace"] == namespace)


def _subsets(rule: Mapping[str, Any], host: Host) -> list[str]:
    known = Host.of(rule["spec"].get("host", ""), rule["metadata"]["namespace"])
    return [subset["name"] for subset in rule["spec"].get("subsets") or ()] if known.covers(host) else []


def _place(obj: Mapping[str, Any]) -> tuple[str, str]:
    return obj["metadata"]["namespace"], obj["metadata"]["name"]


def _listed(ports: Iterable[int]) -> str:
    return ", ".join(str(port) for port in ports)
