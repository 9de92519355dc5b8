# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build egress: a ServiceEntry for external hosts, and a Sidecar with the outbound traffic policy of a namespace."""

from __future__ import annotations

from typing import Any

from ....kube.errors import InvalidInput
from ....kube.objects.objects import Object
from ..shared.fields import NETWORKING, Options, each, given, make, refuse_repeated, texts


def build(options: Options) -> list[Object]:
    """Build the objects from the options of `egress`. Raises InvalidInput."""
    namespace, name = options["namespace"], options["name"]
    hosts, outbound = options.get("hosts"), options.get("outbound")
    if not hosts and not outbound:
        raise InvalidInput("The egress is empty: neither hosts nor outbound is set. Set one of them.")
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
            f"resolution {resolution} is invalid for the wildcard host '{wild}': it cannot be resolved by DNS. Use"
            " resolution none.",
            option="resolution",
        )
    if (resolution == "static") and not endpoints:
        raise InvalidInput(
            "resolution static needs the addresses of the hosts: endpoints is not set. Set endpoints.",
            option="endpoints",
        )
    if resolution == "none" and endpoints:
        raise InvalidInput(
            "resolution none and endpoints conflict: requests go to the address that the client has chosen. Remove"
            " endpoints, or use resolution static."
        )
    if not options.get("ports"):
        raise InvalidInput("hosts needs the ports of the hosts: ports is not set. Set ports.", option="ports")
