# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When what leads traffic to workloads is ready: Services, and the kinds of the Gateway API."""

from __future__ import annotations

from ...objects.objects import Object
from .states import CURRENT, IN_PROGRESS, Rule, Status, condition, conditions, field, mappings, missing

GATEWAY_API = "gateway.networking.k8s.io"

ADDRESSED = frozenset({("", "Service"), (GATEWAY_API, "Gateway")})
"""The kinds to which a load balancer may give an address."""


def address_missing(obj: Object) -> Status | None:
    """What is missing until a load balancer has given its address; None where none is wanted, or it is there."""
    if obj["kind"] != "Service":
        return None if field(obj, "status.addresses") else Status(IN_PROGRESS, "no address yet")
    if field(obj, "spec.type") == "LoadBalancer" and not field(obj, "status.loadBalancer.ingress"):
        return Status(IN_PROGRESS, "no address from the load balancer yet")
    return None


def service(obj: Object) -> Status:
    """Judge a Service as kstatus does: without its endpoints, which may be none, or anybody's."""
    if field(obj, "spec.type") == "LoadBalancer" and not field(obj, "spec.clusterIP"):
        return Status(IN_PROGRESS, "no cluster IP yet")
    return Status(CURRENT, "ready")


def gateway(obj: Object) -> Status:
    """Judge a Gateway of the Gateway API by its conditions."""
    found = conditions(obj)
    programmed = missing(obj, found, "Programmed")
    # Where no load balancer exists the address never comes, although everything else is at work.
    if condition(obj, "Programmed").get("reason") == "AddressNotAssigned":
        programmed = None
    return missing(obj, found, "Accepted") or programmed or Status(CURRENT, "programmed")


def gateway_class(obj: Object) -> Status:
    """Judge a GatewayClass by its conditions."""
    return missing(obj, conditions(obj), "Accepted") or Status(CURRENT, "accepted")


def route(obj: Object) -> Status:
    """Judge a route by the conditions that each of its parents gives it."""
    for parent in mappings(field(obj, "status.parents")):
        found = mappings(parent.get("conditions"))
        behind = missing(obj, found, "Accepted") or missing(obj, found, "ResolvedRefs")
        if behind:
            return behind
    return Status(CURRENT, "accepted")


RULES: dict[tuple[str, str], Rule] = {
    ("", "Service"): service,
    (GATEWAY_API, "Gateway"): gateway,
    (GATEWAY_API, "GatewayClass"): gateway_class,
    **{(GATEWAY_API, f"{protocol}Route"): route for protocol in ("HTTP", "GRPC", "TCP", "TLS", "UDP")},
}
