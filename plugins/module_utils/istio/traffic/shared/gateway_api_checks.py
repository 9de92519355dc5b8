# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check Gateways and HTTPRoutes of the Kubernetes Gateway API against the objects in the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from ....kube.api.cluster import Cluster
from ....kube.objects.objects import Object
from ....kube.plan.plan import Plan
from .certificates import secret_problems
from .destinations import destinations
from .fields import Options
from .hosts import Host, overlap
from .problems import Problem
from .registry import GATEWAY_CLASS, KUBERNETES_GATEWAY, REFERENCE_GRANT, Registry
from .unit import served_kind

_MESH = "mesh"


def gateway_problems(options: Options, cluster: Cluster, plan: Plan) -> Iterator[Problem]:
    """Yield a problem for a GatewayClass that is not found, and for Secrets that cannot be used."""
    name = options["gateway_class"]
    classes = cluster.list(served_kind(cluster, GATEWAY_CLASS))
    if name not in {one["metadata"]["name"] for one in classes}:
        there = ", ".join(sorted(one["metadata"]["name"] for one in classes))
        has = f"the cluster has {there}" if there else "the cluster has none"
        yield Problem(
            f"GatewayClass {name} not found: {has}. Install Istio and the Gateway API, so that Istio creates its own, or"
            " correct gateway_class.",
            "class_missing",
            details={"gateway_class": name},
        )
    for gateway in (obj for obj in plan.objects if obj["kind"] == "Gateway"):
        for listener in gateway["spec"]["listeners"]:
            tls = listener.get("tls") or {}
            mode = (tls.get("options") or {}).get("gateway.istio.io/tls-terminate-mode", "SIMPLE")
            for reference in tls.get("certificateRefs") or ():
                yield from secret_problems(cluster, options["namespace"], reference["name"], mode)


def kubernetes_problems(registry: Registry, route: Object) -> Iterator[Problem]:
    """Yield a problem for Gateways not found or without the hosts, and for Services without a ReferenceGrant.

    `route`: the VirtualService from which the HTTPRoute is translated.
    """
    yield from _gateways(registry, route)
    yield from _grants(registry, route)


def _gateways(registry: Registry, route: Object) -> Iterator[Problem]:
    namespace = route["metadata"]["namespace"]
    known = {
        (one["metadata"]["namespace"], one["metadata"]["name"]): one for one in registry.listed(KUBERNETES_GATEWAY)
    }
    for text in route["spec"].get("gateways") or ():
        if text == _MESH:
            continue
        space, _slash, name = text.rpartition("/")
        gateway = known.get((space or namespace, name))
        if gateway is None:
            has = ", ".join(f"{one[0]}/{one[1]}" for one in sorted(known))
            yield Problem(
                f"Gateway {space or namespace}/{name} of the Kubernetes Gateway API not found: the cluster has"
                f" {has or 'none'}. Create it first, or correct gateways.",
                "gateway_missing",
                details={"gateway": text},
            )
            continue
        taken = [listener.get("hostname", "*") for listener in gateway["spec"]["listeners"]]
        for host in route["spec"]["hosts"]:
            if not any(overlap(pattern, host) for pattern in taken):
                yield Problem(
                    f"Host '{host}' not found in Gateway {space or namespace}/{name}, which has"
                    f" {', '.join(sorted(set(taken)))}. Add it to the Gateway, or correct hosts.",
                    "host_not_in_gateway",
                    details={"gateway": text, "host": host},
                )


def _grants(registry: Registry, route: Object) -> Iterator[Problem]:
    """Yield a problem for each Service of another namespace that no ReferenceGrant allows."""
    namespace = route["metadata"]["namespace"]
    for where, destination in destinations(route):
        host = Host.of(destination["host"], namespace)
        if host.namespace in ("", namespace):
            continue
        grants = [one for one in registry.listed(REFERENCE_GRANT) if one["metadata"]["namespace"] == host.namespace]
        if not any(_grants_routes(grant, namespace, host.name) for grant in grants):
            yield Problem(
                f"{where} is forbidden: no ReferenceGrant allows routes of namespace {namespace} to use Service {host}."
                f" Create a ReferenceGrant in namespace {host.namespace}.",
                "grant_missing",
                details={"option": where, "host": str(host)},
            )


def _grants_routes(grant: Object, namespace: str, service: str) -> bool:
    origins, targets = grant["spec"].get("from") or (), grant["spec"].get("to") or ()
    return any(one["kind"] == "HTTPRoute" and one["namespace"] == namespace for one in origins) and any(
        one["kind"] == "Service" and one.get("name") in (None, service) for one in targets
    )
