# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What speaks against gateways and routes of Kubernetes' Gateway API, seen from the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from ....kube.api.cluster import Cluster
from ....kube.plan.plan import Plan
from ..routes.build import destinations
from .certificates import secret_problems
from .fields import Object, Options
from .hosts import Host, overlap
from .problems import Problem
from .registry import GATEWAY_CLASS, KUBERNETES_GATEWAY, REFERENCE_GRANT, Registry
from .unit import served_kind

_MESH = "mesh"


def gateway_problems(options: Options, cluster: Cluster, plan: Plan) -> Iterator[Problem]:
    """A class that nobody serves, and Secrets that cannot be used; they belong into the Gateway's own namespace."""
    name = options["gateway_class"]
    classes = cluster.list(served_kind(cluster, GATEWAY_CLASS))
    if name not in {one["metadata"]["name"] for one in classes}:
        there = ", ".join(sorted(one["metadata"]["name"] for one in classes))
        has = f"there are {there}" if there else "there is none"
        yield Problem(
            f"There is no GatewayClass {name} ({has}); Istio makes its own once it runs beside the Gateway API.",
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
    """Gateways that do not exist or do not take the hosts, and Services of other namespaces that may not be used.

    `route` is the VirtualService that the HTTPRoute is a translation of.
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
                f"There is no Gateway {space or namespace}/{name} of Kubernetes' Gateway API "
                f"({f'there are {has}' if has else 'there is none'}); create it first, or correct the name.",
                "gateway_missing",
                details={"gateway": text},
            )
            continue
        taken = [listener.get("hostname", "*") for listener in gateway["spec"]["listeners"]]
        for host in route["spec"]["hosts"]:
            if not any(overlap(pattern, host) for pattern in taken):
                yield Problem(
                    f"Gateway {space or namespace}/{name} takes no requests for the host '{host}', only for "
                    f"{', '.join(sorted(set(taken)))}.",
                    "host_not_in_gateway",
                    details={"gateway": text, "host": host},
                )


def _grants(registry: Registry, route: Object) -> Iterator[Problem]:
    """The Gateway API asks the owner of a Service whether routes of another namespace may use it."""
    namespace = route["metadata"]["namespace"]
    for where, destination in destinations(route):
        host = Host.of(destination["host"], namespace)
        if host.namespace in ("", namespace):
            continue
        grants = [one for one in registry.listed(REFERENCE_GRANT) if one["metadata"]["namespace"] == host.namespace]
        if not any(_grants_routes(grant, namespace, host.name) for grant in grants):
            yield Problem(
                f"{where}: routes of namespace {namespace} may not use Service {host}: a ReferenceGrant in namespace "
                f"{host.namespace} has to allow it.",
                "grant_missing",
                details={"option": where, "host": str(host)},
            )


def _grants_routes(grant: Object, namespace: str, service: str) -> bool:
    origins, targets = grant["spec"].get("from") or (), grant["spec"].get("to") or ()
    return any(one["kind"] == "HTTPRoute" and one["namespace"] == namespace for one in origins) and any(
        one["kind"] == "Service" and one.get("name") in (None, service) for one in targets
    )
