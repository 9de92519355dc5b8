# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks that what the variables declare is there: of each part of a plan, of each gateway, addon and application."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.meshops.istio.plugins.plugin_utils.report.names import some, where

Data = Mapping[str, Any]
Check = tuple[str, str]
"""Name of a check, and the cause of its failure, which is empty if it passed."""

_WORDS = {
    "create": "missing",
    "update": "different",
    "delete": "left over",
    "recreate": "different",
    "restart": "not restarted",
}


def drift(parts: Data, failure: str) -> Iterator[Check]:
    """Yield the checks of a plan, from the results of its parts, and why it ended before the last one."""
    if parts or failure:
        yield "the mesh of the variables can be planned", failure
    if "gateway_api" in parts:
        yield "the Gateway API CRDs are as declared", _cause(parts["gateway_api"]["changes"])
    if "control_plane" in parts:
        yield from _control_plane(parts["control_plane"])
    for tag in parts.get("revision_tags") or ():
        yield f"revision tag {tag['name']} is as declared", _cause(tag["changes"])
    if "injection" in parts:
        yield "injection labels are as declared", _cause(parts["injection"]["changes"])
    if "addons" in parts:
        yield from _addons(parts["addons"])
    for application in parts.get("applications") or ():
        name = f"application {application['namespace']}/{application['name']}"
        yield f"{name} is as declared", _cause(application["changes"])
        yield f"{name} is ready", _unready(application["unready"], application["changes"])
    if changes := (parts.get("prune") or {}).get("changes"):
        yield "what the variables no longer declare is removed", _cause(changes)


def _control_plane(part: Data) -> Iterator[Check]:
    """Yield a check of each gateway, and one of everything else."""
    gateways = [(one["namespace"], one["name"]) for one in part.get("gateways") or ()]

    def gateway_of(change: Data) -> tuple[str, str] | None:
        place = change["namespace"], change["name"]
        return place if place in gateways else None

    yield "the control plane is as declared", _cause([one for one in part["changes"] if gateway_of(one) is None])
    for place in gateways:
        changes = [one for one in part["changes"] if gateway_of(one) == place]
        yield f"gateway {'/'.join(place)} is as declared", _cause(changes)


def _addons(part: Data) -> Iterator[Check]:
    of_addons: set[tuple[Any, ...]] = set()
    for name in part["addons"]:
        own = {_identity(one) for one in part["objects"].get(name, ())}
        of_addons |= own
        yield f"addon {name} is as declared", _cause([one for one in part["changes"] if _identity(one) in own])
        yield (
            f"addon {name} is ready",
            _unready([one for one in part["unready"] if _identity(one) in own], part["changes"]),
        )
    others = [one for one in part["changes"] if _identity(one) not in of_addons]
    yield "routes and telemetry of the addons are as declared", _cause(others)


def _identity(one: Data) -> tuple[Any, ...]:
    return one["kind"], one["namespace"], one["name"]


def _cause(changes: Sequence[Data]) -> str:
    listed = some([f"{one['kind']} {where(one)} is {_WORDS.get(one['action'], one['action'])}" for one in changes])
    return f"{listed}. Run meshops.istio.site to repair this, or meshops.istio.plan to review it." if changes else ""


def _unready(unready: Sequence[Data], changes: Sequence[Data]) -> str:
    """Return the cause; what differs has a check of its own."""
    differing = {_identity(one) for one in changes}
    names = [f"{one['kind']} {where(one)}" for one in unready if _identity(one) not in differing]
    return f"{some(names)} {'are' if len(names) > 1 else 'is'} not ready." if names else ""
