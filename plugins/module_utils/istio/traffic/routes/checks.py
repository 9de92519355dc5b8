# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check a route against the objects in the cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ....kube.api.cluster import Cluster
from ....kube.objects.objects import Object
from ....kube.plan.plan import Plan
from ..shared.fields import Options
from ..shared.gateway_api_checks import kubernetes_problems
from ..shared.hosts import Host, overlap
from ..shared.problems import Problem
from ..shared.registry import GATEWAY, VIRTUAL_SERVICE, Registry, exported, lost_subsets, missing_destinations
from .build import build

_MESH = "mesh"


def problems(options: Options, cluster: Cluster, plan: Plan) -> Iterator[Problem]:
    """Yield a problem for hosts, ports, subsets and gateways not found, a second route of a host, and subsets in use."""
    registry = Registry(cluster, options["namespace"])
    if options["state"] == "present":
        route, *_rules = build(options)
        if options["api"] == "kubernetes":
            yield from kubernetes_problems(registry, route)
        else:
            yield from _gateways(registry, route)
            yield from _conflicts(registry, route)
        yield from missing_destinations(registry, plan, route)
    yield from _misplaced_subsets(registry, plan)
    yield from lost_subsets(registry, plan)


def _gateways(registry: Registry, route: Object) -> Iterator[Problem]:
    named = sorted(gateways_of(route) - {_MESH})
    if not named:
        return
    known = {f"{one['metadata']['namespace']}/{one['metadata']['name']}": one for one in registry.listed(GATEWAY)}
    for name in named:
        if name not in known:
            has = f"the cluster has {', '.join(sorted(known))}" if known else "the cluster has none"
            yield Problem(
                f"Gateway {name} not found: {has}. Create it first, or correct gateways.",
                "gateway_missing",
                details={"gateway": name},
            )
            continue
        for host in route["spec"].get("hosts") or ():
            if not _accepts(known[name], host, route["metadata"]["namespace"]):
                taken = sorted({one for server in known[name]["spec"].get("servers") or () for one in server["hosts"]})
                yield Problem(
                    f"Host '{host}' not found in Gateway {name}, which has {', '.join(taken)}. Add it to the Gateway, or"
                    " correct hosts.",
                    "host_not_in_gateway",
                    details={"gateway": name, "host": host},
                )


def _conflicts(registry: Registry, route: Object) -> Iterator[Problem]:
    namespace, name = route["metadata"]["namespace"], route["metadata"]["name"]
    hosts, gateways = _hosts(route), gateways_of(route)
    for other in registry.listed(VIRTUAL_SERVICE):
        theirs = other["metadata"]
        if (theirs["namespace"], theirs["name"]) == (namespace, name):
            continue
        shared = sorted(str(host) for host in hosts & _hosts(other))
        places = gateways & gateways_of(other)
        if places == {_MESH} and not _same_clients(route, other):
            continue
        if shared and places:
            place = min(places)
            where = "in the mesh" if place == _MESH else f"at Gateway {place}"
            yield Problem(
                f"A route for the host '{shared[0]}' {where} already exists in VirtualService"
                f" {theirs['namespace']}/{theirs['name']}. Merge all routes of a host into one VirtualService.",
                "host_taken",
                details={"virtual_service": f"{theirs['namespace']}/{theirs['name']}", "hosts": shared},
            )


def _misplaced_subsets(registry: Registry, plan: Plan) -> Iterator[Problem]:
    """Yield a problem for subsets in a namespace in which neither clients nor the Service look for DestinationRules."""
    for rule in (obj for obj in plan.objects if obj["kind"] == "DestinationRule"):
        host, namespace = registry.host(rule["spec"]["host"]), rule["metadata"]["namespace"]
        if host.namespace and host.namespace != namespace:
            yield Problem(
                f"Subsets of {host} in namespace {namespace} have no effect for gateways. Define them with traffic_policy in"
                f" namespace {host.namespace}.",
                "subset_misplaced",
                details={"host": str(host)},
            )


def gateways_of(route: Mapping[str, Any]) -> set[str]:
    """Return the gateways of a VirtualService, each with its namespace; `mesh` stands for all sidecars."""
    namespace = route["metadata"]["namespace"]
    named = route["spec"].get("gateways") or [_MESH]
    return {name if name == _MESH or "/" in name else f"{namespace}/{name}" for name in named if isinstance(name, str)}


def _hosts(route: Mapping[str, Any]) -> set[Host]:
    return {
        Host.of(text, route["metadata"]["namespace"])
        for text in route["spec"].get("hosts") or ()
        if isinstance(text, str)
    }


def _same_clients(route: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether both apply to clients of the same namespace."""
    mine, theirs = route["metadata"]["namespace"], other["metadata"]["namespace"]
    return exported(other, mine) or exported(route, theirs)


def _accepts(gateway: Mapping[str, Any], host: str, namespace: str) -> bool:
    """Return whether a server of the gateway allows the host for routes of this namespace."""
    for server in gateway["spec"].get("servers") or ():
        for allowed in server.get("hosts") or ():
            scope, _slash, pattern = allowed.rpartition("/")
            scope = gateway["metadata"]["namespace"] if scope == "." else scope
            if scope in ("", "*", namespace) and overlap(pattern, host):
                return True
    return False
