# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds what lets a namespace out: a ServiceEntry for hosts outside, and a Sidecar that shuts out all others."""

from __future__ import annotations

from typing import Any

from ....kube.errors import InvalidInput
from ..shared.fields import NETWORKING, Object, Options, each, given, make, refuse_repeated, texts


def build(options: Options) -> list[Object]:
    """The objects of `egress`'s options. Raises InvalidInput for what can be told without a cluster."""
    namespace, name = options["namespace"], options["name"]
    hosts, outbound = options.get("hosts"), options.get("outbound")
    if not hosts and not outbound:
        raise InvalidInput("Egress needs hosts or outbound.")
    objects = []
    if hosts:
        _refuse_contradictions(options)
        objects.append(make(NETWORKING, "ServiceEntry", namespace, name, _service_entry(options)))
    if outbound:
        spec = {"outboundTrafficPolicy": {"mode": outbound.upper()}}
        objects.append(make(NETWORKING, "Sidecar", namespace, f"{name}-outbound", spec))
    return objects


def _service_entry(options: Options) -> dict[str, Any]:
    ports = [_port(port) for _where, port in each(options, "ports")]
    refuse_repeated((port["name"] for port in ports), "port name")
    return given(
        hosts=options["hosts"],
        addresses=options.get("addresses"),
        ports=ports,
        location=f"MESH_{options['location'].upper()}",
        resolution=options["resolution"].upper(),
        endpoints=[
            given(
                address=endpoint["address"],
                ports=endpoint.get("ports"),
                labels=texts(endpoint.get("labels")),
                locality=endpoint.get("locality"),
                weight=endpoint.get("weight"),
            )
            for _where, endpoint in each(options, "endpoints")
        ],
        exportTo=options.get("export_to"),
    )


def _port(port: Options) -> dict[str, Any]:
    number, protocol = port["number"], port["protocol"]
    return given(
        number=number,
        name=port.get("name") or f"{protocol}-{number}",
        protocol=protocol.upper(),
        targetPort=port.get("target_port"),
    )


def _refuse_contradictions(options: Options) -> None:
    resolution, endpoints = options["resolution"], options.get("endpoints")
    wild = next((host for host in options["hosts"] if "*" in host), None)
    if wild and resolution.startswith("dns"):
        raise InvalidInput(
            f"The wildcard '{wild}' cannot be looked up in DNS; use resolution none.", option="resolution"
        )
    if (resolution == "static") and not endpoints:
        raise InvalidInput("The resolution static needs endpoints, the addresses to go to.", option="endpoints")
    if resolution == "none" and endpoints:
        raise InvalidInput("The resolution none goes to the address that was asked for and takes no endpoints.")
    if not options.get("ports"):
        raise InvalidInput("Egress needs the ports of its hosts.", option="ports")
