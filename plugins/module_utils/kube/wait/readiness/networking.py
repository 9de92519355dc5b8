# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readiness of Services and of the kinds of the Gateway API."""

from __future__ import annotations

from ...objects.conditions import condition, conditions
from ...objects.objects import Object
from ...objects.shapes import maps_of
from .states import CURRENT, IN_PROGRESS, Rule, Status, field, missing

GATEWAY_API = "gateway.networking.k8s.io"

ADDRESSED = frozenset({("", "Service"), (GATEWAY_API, "Gateway")})
"""Kinds with a load balancer address."""


def address_missing(obj: Object) -> Status | None:
    """Return the status of an object that waits for a load balancer address; None if it needs none, or has one."""
    if obj["kind"] != "Service":
        return None if field(obj, "status.addresses") else Status(IN_PROGRESS, "no address yet")
    if field(obj, "spec.type") == "LoadBalancer" and not field(obj, "status.loadBalancer.ingress"):
        return Status(IN_PROGRESS, "no address from the load balancer yet")
    return None


def service(obj: Object) -> Status:
    """Return the status of a Service, as kstatus does, without regard to its endpoints."""
    if field(obj, "spec.type") == "LoadBalancer" and not field(obj, "spec.clusterIP"):
        return Status(IN_PROGRESS, "no cluster IP yet")
    return Status(CURRENT, "ready")


def gateway(obj: Object) -> Status:
    """Return the status of a Gateway of the Gateway API by its conditions."""
    found = conditions(obj)
    programmed = missing(obj, found, "Programmed")
    # Without a load balancer the address is never assigned, although the gateway works.
    if condition(obj, "Programmed").get("reason") == "AddressNotAssigned":
        programmed = None
    return missing(obj, found, "Accepted") or programmed or Status(CURRENT, "programmed")


def gateway_class(obj: Object) -> Status:
    """Return the status of a GatewayClass by its conditions."""
    return missing(obj, conditions(obj), "Accepted") or Status(CURRENT, "accepted")


def route(obj: Object) -> Status:
    """Return the status of a route by the conditions of each parent."""
    for parent in maps_of(field(obj, "status.parents")):
        found = maps_of(parent.get("conditions"))
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
