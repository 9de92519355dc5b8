# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stages in which routes and subsets change together without losing a request.

A proxy that receives a route before the route's subset, or the removal of a subset before that of the route, answers 503.
Istio sends both in no order that would prevent it, so that there has to be time between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ....kube.objects.objects import Object
from ....kube.plan.change import Change
from ....kube.plan.plan import Plan, Stage

_REASON = "waiting for Istio to update the proxies"


def stages(plan: Plan, pause: float) -> Iterator[Stage]:
    """Divide a plan: new subsets first, then the routes, then what the routes no longer need; `pause` is in seconds."""
    rules = [change for change in plan.changes if change.key.kind == "DestinationRule"]
    routes = [change for change in plan.changes if change.key.kind == "VirtualService"]
    added = [change for change in rules if _subsets(change.desired) - _subsets(change.before)]
    removed = [change for change in rules if _subsets(change.before) - _subsets(change.desired)]
    first = [_with_both(change) for change in added] if routes else []
    second = routes if removed else []
    for part in (first, second):
        if part:
            yield Stage(part, pause=pause, reason=_REASON)
    finished = [change for change in [*first, *second] if change in plan.changes]
    yield Stage([change for change in plan.changes if change not in finished])


def _with_both(change: Change) -> Change:
    """Return the change of a DestinationRule that adds subsets and does not remove any yet."""
    wanted: Object = change.desired or {}
    removed = [one for one in _listed(change.before) if one["name"] not in _subsets(wanted)]
    if not removed:
        return change
    return replace(change, desired={**wanted, "spec": {**wanted["spec"], "subsets": [*_listed(wanted), *removed]}})


def _listed(rule: Object | None) -> list[dict[str, Any]]:
    return (rule or {}).get("spec", {}).get("subsets") or []


def _subsets(rule: Object | None) -> set[str]:
    return {subset["name"] for subset in _listed(rule)}
