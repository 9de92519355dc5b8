# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse node ports that are already allocated or out of range.

The API server rejects them only when the Service is written: a dry run accepts a port out of range, and does not work
for a namespace that does not exist yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..api.cluster import Cluster
from ..errors import ApiError, Refused
from ..objects.kinds import SERVICE
from ..objects.objects import Key, Object, key_of, kind_of

DEFAULT_RANGE = range(30000, 32768)
"""The API server's default of --service-node-port-range."""


class _Port(NamedTuple):
    number: int
    protocol: str
    name: str


def refuse_node_ports(cluster: Cluster, wanted: Sequence[tuple[Object, Object | None]]) -> None:
    """Raise Refused for a node port that another Service has, or that is out of the API server's range.

    `wanted`: objects, each with the live one. Makes no request if no Service sets a new node port.
    """
    asked = [
        (key_of(obj), port)
        for obj, live in wanted
        if kind_of(obj) == SERVICE
        for port in _ports(obj)
        if live is None or port[:2] not in {held[:2] for held in _ports(live)}
    ]
    if not asked:
        return
    try:
        services = cluster.list(SERVICE)
    except ApiError as error:
        if error.status != 403:
            raise
        services = []  # without permission to list Services, the API server checks it on writing
    holders = {port[:2]: (key_of(service), port) for service in services for port in _ports(service)}
    usual = all(number in DEFAULT_RANGE for number, _protocol in holders)
    for key, port in asked:
        holder, held = holders.setdefault(port[:2], (key, port))
        if holder != key:
            raise Refused(
                f"Cannot apply {_named(key, port)}: node port {port.number} is already allocated to {_named(holder, held)}."
                " Choose another node port, or remove it there first.",
                code="node_port_taken",
                node_port=port.number,
                object=key._asdict(),
                holder=holder._asdict(),
            )
        if usual and port.number not in DEFAULT_RANGE:
            raise Refused(
                f"Cannot apply {_named(key, port)}: node port {port.number} is out of the range"
                f" {DEFAULT_RANGE.start} to {DEFAULT_RANGE.stop - 1}. Choose one in the range.",
                code="node_port_range",
                node_port=port.number,
                object=key._asdict(),
            )


def remove_unset(obj: dict[str, Any]) -> None:
    """Remove node ports of 0 from a Service, which mean that the API server chooses them."""
    if kind_of(obj) != SERVICE:
        return
    spec = obj.get("spec") or {}
    for holder, name in ((spec, "healthCheckNodePort"), *((port, "nodePort") for port in spec.get("ports") or ())):
        if holder.get(name) == 0:
            del holder[name]


def _ports(service: Object) -> Iterator[_Port]:
    spec = service.get("spec") or {}
    for port in spec.get("ports") or ():
        if isinstance(port.get("nodePort"), int):
            yield _Port(port["nodePort"], port.get("protocol") or "TCP", port.get("name") or str(port.get("port")))
    if spec.get("healthCheckNodePort"):
        yield _Port(spec["healthCheckNodePort"], "TCP", "health check")


def _named(key: Key, port: _Port) -> str:
    return f"{key} (port {port.name})"
