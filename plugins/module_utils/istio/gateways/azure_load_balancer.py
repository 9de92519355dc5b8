# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Azure load balancer options of a gateway, as annotations of its Service.

The options are those of `azure` of an `ingress` entry: `internal`, `subnet`, `public_address` (the name of an Azure
resource), `resource_group` (the public address's), `dns_label`, `service_tags`, `idle_timeout` (minutes), `health_probe`
(`ready`, `tcp` or `default`) and `excluded_ports` (names of ports). Blank ones are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...kube.errors import InvalidInput

PREFIX = "service.beta.kubernetes.io/"
PROBES = ("ready", "tcp", "default")
STATUS_PORT = 15021
_READY = "/healthz/ready"
_IDLE_MINUTES = range(4, 101)
_LABEL = re.compile(r"[a-z][a-z0-9-]{1,61}[a-z0-9]")
_OF_A_PUBLIC_ADDRESS = ("public_address", "resource_group", "dns_label")


def annotations_of(
    azure: Mapping[str, Any], ports: Sequence[Mapping[str, Any]], *, address: str | None = None, local: bool = False
) -> dict[str, str]:
    """Return the annotations of a Service with these `ports`.

    `address`: its IP address. `local`: externalTrafficPolicy is Local, which has a health check of Kubernetes' own.
    Raises InvalidInput for conflicting settings.
    """
    given = {key: value for key, value in azure.items() if value not in (None, "", [])}
    _check(given, address)
    found: dict[str, str] = {}
    if "internal" in given:
        found["azure-load-balancer-internal"] = str(bool(given["internal"])).lower()
    for option, annotation in {
        "subnet": "azure-load-balancer-internal-subnet",
        "public_address": "azure-pip-name",
        "resource_group": "azure-load-balancer-resource-group",
        "dns_label": "azure-dns-label-name",
        "idle_timeout": "azure-load-balancer-tcp-idle-timeout",
    }.items():
        if option in given:
            found[annotation] = str(given[option])
    if "service_tags" in given:
        found["azure-allowed-service-tags"] = ",".join(given["service_tags"])
    if address:
        found["azure-load-balancer-ipv4"] = address
    excluded = set(_excluded(given.get("excluded_ports") or [], ports))
    found |= {f"port_{number}_no_lb_rule": "true" for number in sorted(excluded)}
    if not local:
        found |= _probes(given.get("health_probe", PROBES[0]), ports, excluded)
    return {PREFIX + name: value for name, value in found.items()}


def _check(given: Mapping[str, Any], address: str | None) -> None:
    internal = bool(given.get("internal"))
    if "subnet" in given and not internal:
        raise InvalidInput(
            "azure.subnet is for an internal load balancer only. Set azure.internal to true, or remove azure.subnet."
        )
    public = [option for option in _OF_A_PUBLIC_ADDRESS if option in given]
    if internal and public:
        raise InvalidInput(
            f"azure.{public[0]} and azure.internal conflict: an internal load balancer has no public address. Remove one"
            " of them."
        )
    if address and "public_address" in given:
        raise InvalidInput(
            "address and azure.public_address conflict: both set the address of the load balancer. Remove one of them."
        )
    label = given.get("dns_label")
    if label is not None and not _LABEL.fullmatch(str(label)):
        raise InvalidInput(
            f"azure.dns_label '{label}' is invalid: it must consist of 3 to 63 lower case letters, digits and '-', start"
            " with a letter and not end with '-'."
        )
    minutes = given.get("idle_timeout")
    if minutes is not None and minutes not in _IDLE_MINUTES:
        raise InvalidInput(f"azure.idle_timeout {minutes} is invalid: it must be from 4 to 100 minutes.")
    probe = given.get("health_probe", PROBES[0])
    if probe not in PROBES:
        raise InvalidInput(f"azure.health_probe '{probe}' is invalid: it must be one of {', '.join(PROBES)}.")


def _excluded(names: Sequence[str], ports: Sequence[Mapping[str, Any]]) -> Iterator[int]:
    numbers = {port.get("name", ""): int(port["port"]) for port in ports}
    for name in names:
        if name not in numbers:
            raise InvalidInput(
                f"Port {name} of azure.excluded_ports not found: the Service has the ports {', '.join(numbers)}. Choose"
                " one of them.",
                ports=list(numbers),
            )
        yield numbers[name]


def _probes(how: str, ports: Sequence[Mapping[str, Any]], excluded: set[int]) -> Iterator[tuple[str, str]]:
    """Yield the annotations for Azure's health probes.

    By default Azure probes `/` at ports with an appProtocol, which a gateway answers with 404, or only opens a TCP
    connection. Instead, use the pod's own readiness probe.
    """
    if how == "default":
        return
    asked = [int(port["port"]) for port in ports if int(port["port"]) not in excluded and port.get("protocol") != "UDP"]
    if how == "ready" and STATUS_PORT not in {int(port["port"]) for port in ports}:
        raise InvalidInput(
            f"azure.health_probe 'ready' cannot be used: port {STATUS_PORT} not found in this gateway's Service. Use"
            " 'tcp'."
        )
    for number in asked:
        if how == "tcp":
            yield f"port_{number}_health-probe_protocol", "tcp"
            continue
        yield f"port_{number}_health-probe_protocol", "http"
        yield f"port_{number}_health-probe_port", str(STATUS_PORT)
        yield f"port_{number}_health-probe_request-path", _READY
