# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warn of addresses and node ports that a Service loses by a plan."""

from __future__ import annotations

from collections.abc import Iterator

from ..objects.kinds import SERVICE
from ..objects.objects import Object
from .plan import Plan


def lost_addresses(plan: Plan) -> Iterator[str]:
    """Yield a warning for each Service that loses addresses or node ports."""
    created = {change.key.identity: change.after for change in plan.changes if change.recreated and change.after}
    for change in plan.changes:
        becomes = created.get(change.key.identity) if change.recreated else change.after
        if change.key.of != SERVICE or change.before is None or becomes is None:
            continue
        before, after = _type(change.before), _type(becomes)
        gives_up = before == "LoadBalancer" and (after != before or change.recreated)
        lost = [f"the address {address}" for address in _addresses(change.before) if gives_up]
        lost += [f"the node port {port}" for port in sorted(_node_ports(change.before) - _node_ports(becomes))]
        if lost:
            how = f"changes from type {before} to {after}" if before != after else "is changed"
            how = "is recreated" if change.recreated else how
            yield f"{change.key} {how}, and loses {', '.join(lost)}: update its clients."


def _type(service: Object) -> str:
    return str((service.get("spec") or {}).get("type") or "ClusterIP")


def _addresses(service: Object) -> list[str]:
    entries = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [str(entry.get("ip") or entry.get("hostname")) for entry in entries]


def _node_ports(service: Object) -> set[int]:
    return {port["nodePort"] for port in (service.get("spec") or {}).get("ports") or () if port.get("nodePort")}
