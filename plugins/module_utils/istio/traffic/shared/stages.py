# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps by which routes and subsets change together without losing a request.

A proxy that hears of a route before it knows the route's subset, or of a subset's end before the route has gone,
answers 503. Istio tells a proxy of both in no order that would prevent it, so that there has to be time between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ....kube.plan.plan import Change, Plan
from ....kube.plan.unit import Unit
from .fields import Object


def steps(plan: Plan) -> Iterator[Unit]:
    """What has to be in place at all proxies, one after the other, before the plan as a whole is carried out."""
    rules = [change for change in plan.changes if change.key.kind == "DestinationRule"]
    routes = [change for change in plan.changes if change.key.kind == "VirtualService"]
    if not routes:
        return
    more = [_both(change) for change in rules if change.desired and _subsets(change.desired) - _subsets(change.before)]
    if more:
        yield replace(plan.unit, objects=more, stale=None)
    if any(_subsets(change.before) - _subsets(change.desired) for change in rules):
        gone = [change.before for change in routes if change.before and not change.desired]
        new = [change.desired for change in routes if change.desired]
        yield replace(plan.unit, objects=new, stale=lambda _cluster: gone)


def _both(change: Change) -> Object:
    """A DestinationRule with the subsets that it had as well as those that it is to have."""
    wanted: Object = change.desired or {}
    spec = wanted["spec"]
    kept = [one for one in _listed(change.before) if one["name"] not in _subsets(wanted)]
    return {**wanted, "spec": {**spec, "subsets": [*_listed(wanted), *kept]}}


def _listed(rule: Object | None) -> list[dict[str, Any]]:
    return (rule or {}).get("spec", {}).get("subsets") or []


def _subsets(rule: Object | None) -> set[str]:
    return {subset["name"] for subset in _listed(rule)}
