# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse conflicts with fields of other managers, as server-side apply without force does.

field_managers.py lists the managers whose fields a unit may change without force.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from ..errors import ApiError, Refused
from ..objects import managed_fields
from ..objects.field_managers import is_autoscaler, is_controller, is_interactive, is_of_collection, tool_of
from ..objects.field_sets import changed
from ..objects.objects import Key

if TYPE_CHECKING:
    from ..api.cluster import Cluster
    from .change import Change
    from .plan import Plan
    from .unit import Unit

_MANAGER = re.compile(r'conflict with "([^"]+)"')
_SHOWN = 5
"""How many fields a message names; the details have all of them."""


class Conflict(NamedTuple):
    """The fields (paths) of an object that a manager owns, and that would be changed."""

    key: Key
    manager: str
    paths: tuple[str, ...]

    def __str__(self) -> str:
        more = f" and {len(self.paths) - _SHOWN} more" if len(self.paths) > _SHOWN else ""
        return f"{', '.join(self.paths[:_SHOWN])}{more}"


def conflicts(change: Change, unit: Unit) -> Iterator[Conflict]:
    """Yield the conflicts of a change."""
    before, after = change.before, change.after
    if before is None or after is None or change.patch:
        return
    managers = {str(one.get("manager")) for one in managed_fields.entries(before) if not one.get("subresource")}
    for manager in sorted(one for one in managers if not may_change(one, unit)):
        paths = tuple(changed(before, after, managed_fields.fields_of(before, {manager})))
        if paths:
            yield Conflict(change.key, manager, paths)


def may_change(manager: str, unit: Unit) -> bool:
    """Return whether a unit may change the fields of a manager without force."""
    return (
        is_of_collection(manager)
        or manager == unit.manager
        or manager in unit.previous_managers
        or tool_of(manager) in unit.previous_managers
        or is_interactive(manager)
        or is_controller(manager)
    )


def refuse_conflicts(plan: Plan) -> None:
    """Raise Refused for a plan with conflicts, unless it is forced."""
    if not plan.unit.force:
        refuse([one for change in plan.changes for one in conflicts(change, plan.unit)])


def refuse(found: Iterable[Conflict]) -> None:
    """Raise Refused for conflicts."""
    found = list(found)
    if not found:
        return
    first, others = found[0], len({one.key for one in found}) - 1
    more = f" {others} more object{'s have' if others > 1 else ' has'} conflicts." if others else ""
    raise Refused(
        f"Cannot apply {first.key}: conflict with field manager {first.manager}, which has set other values of {first}."
        f" Remove the fields here or there, add them to ignore_fields, or set force to true to overwrite them.{more}",
        code="field_conflict",
        object=first.key._asdict(),
        conflicts=[{**one.key._asdict(), "manager": one.manager, "fields": list(one.paths)} for one in found],
    )


def overwritten(plan: Plan) -> Iterator[str]:
    """Yield a warning for each conflict that is overwritten by force."""
    for change in plan.changes:
        for one in conflicts(change, plan.unit):
            yield f"Fields of field manager {one.manager} in {one.key} are overwritten by force: {one}."


def apply(cluster: Cluster, plan: Plan, change: Change, live: Mapping[str, Any] | None) -> dict[str, Any]:
    """Apply an object of a plan over its version `live`, without overwriting fields of other managers.

    Conflicts with fields set since the plan are refused too; fields of controllers are kept.
    """
    desired = cast(dict[str, Any], change.desired)
    try:
        return cluster.apply(at_version_of(live, desired), manager=plan.unit.manager, force=plan.unit.force)
    except ApiError as error:
        found = list(_conflicts_in(error, change.key))
        if not found:
            raise
        refuse(one for one in found if not may_change(one.manager, plan.unit) and not is_autoscaler(one.manager))
        newer = cluster.get(change.key.of, change.key.name, change.key.namespace)
        adjusted = plan.adjust(deepcopy(desired), newer) if plan.adjust else desired
        return cluster.apply(at_version_of(newer, adjusted), manager=plan.unit.manager)


def at_version_of(live: Mapping[str, Any] | None, desired: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object with the resourceVersion and uid of `live` as preconditions of the apply."""
    known = live["metadata"] if live else {}
    guards = {name: known[name] for name in ("resourceVersion", "uid") if name in known}
    return {**desired, "metadata": {**desired["metadata"], **guards}}


def _conflicts_in(error: ApiError, key: Key) -> Iterator[Conflict]:
    """Return the conflicts in the API server's answer to an apply."""
    found: dict[str, list[str]] = {}
    for cause in error.field_conflicts:
        if manager := _MANAGER.match(str(cause.get("message"))):
            found.setdefault(manager[1], []).append(str(cause.get("field", "")).lstrip("."))
    return (Conflict(key, manager, tuple(paths)) for manager, paths in found.items())
