# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take over the fields of previous field managers, and remove those that the unit does not set."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from ..errors import ApiError
from ..objects import managed_fields
from ..objects.field_managers import EDITORS, INSTALLERS, is_autoscaler, is_controller, is_of_collection, tool_of
from ..objects.field_sets import Fields, changed, common, minus
from ..objects.ignore_fields import fields_at
from ..objects.kinds import NAMESPACE
from ..objects.objects import Object, key_of, kind_of

if TYPE_CHECKING:
    from ..api.cluster import Cluster
    from .plan import Plan
    from .unit import Unit

_ATTEMPTS = 10
_RESTARTED: Fields = {"f:template": {"f:metadata": {"f:annotations": {"f:kubectl.kubernetes.io/restartedAt": {}}}}}
_NEVER: Fields = {
    "f:metadata": {"f:finalizers": {}, "f:ownerReferences": {}},
    "f:spec": {"f:volumeName": {}, **_RESTARTED},
    "f:status": {},
}
"""Fields that are never taken over: controllers need them, or removing them would restart pods."""

_SHARED: Fields = {"f:metadata": {**_NEVER["f:metadata"], "f:annotations": {}, "f:labels": {}}}
"""Fields of a Namespace that are never taken over, because other tools use it too."""


def kept(live: Mapping[str, Any], unit: Unit) -> Fields:
    """Return the fields of an object that are not taken over."""
    protected = _SHARED if kind_of(live) == NAMESPACE else _NEVER
    if not unit.ignore_fields:
        return protected
    owned = managed_fields.union(
        entry.get("fieldsV1") or {} for entry in managed_fields.held_by(live, unit.previous_managers)
    )
    return managed_fields.union((protected, fields_at(live, owned, unit.ignore_fields)))


def previous(live: Mapping[str, Any], unit: Unit) -> frozenset[str]:
    """Return the previous field managers of an object whose fields are taken over."""
    # Fields that editors add to the unit's objects are not taken over.
    known = (
        unit.previous_managers - EDITORS
        if managed_fields.owned_by(live, unit.manager) is not None
        else unit.previous_managers
    )
    return frozenset(str(entry.get("manager")) for entry in takeable(live, known, unit))


def takeable(live: Mapping[str, Any], managers: Collection[str], unit: Unit) -> list[Object]:
    """Return the entries of `managers` with fields to take over."""
    held = managed_fields.held_by(live, managers)
    return [entry for entry in held if minus(entry.get("fieldsV1") or {}, kept(live, unit))] if held else []


def entries_after(live: Mapping[str, Any], managers: Collection[str], unit: Unit) -> list[Object]:
    """Return the managedFields of an object after its takeover from `managers`."""
    return managed_fields.taken_over(live, unit.manager, managers, kept(live, unit))


def without_abandoned(
    applied: Object, live: Mapping[str, Any], managers: Collection[str], unit: Unit, desired: Object
) -> Object:
    """Remove the fields that only `managers` set from `applied`, which a dry-run apply would still contain."""
    others = managed_fields.others(live, {unit.manager, *managers})
    abandoned = minus(managed_fields.fields_of(live, managers), kept(live, unit))
    managed_fields.without(applied, abandoned, desired, others)
    return applied


def forced(live: Object, desired: Object) -> Object:
    """Return `live` with `desired` merged into it, as an apply does."""
    structure = managed_fields.union(entry.get("fieldsV1") or {} for entry in managed_fields.entries(live))
    result: Object = managed_fields.overlaid(deepcopy(live), desired, structure)
    return result


def restore_owners(cluster: Cluster, created: Object, owners: Sequence[Mapping[str, Any]], manager: str) -> None:
    """Give the fields of an object that was created again back to the managers that had set them.

    What controllers write meanwhile is read, and the attempt repeated; an object that is gone needs nothing.
    """
    key, live = key_of(created), created
    for _attempt in range(_ATTEMPTS):
        others = [one for one in managed_fields.entries(live) if one.get("manager") != manager]
        try:
            cluster.set_managed_fields(key, live["metadata"]["resourceVersion"], [*owners, *others], manager=manager)
            return
        except ApiError as error:
            if error.status not in (409, 422):
                raise
        found = cluster.get(key.of, key.name, key.namespace)
        if found is None:
            return
        live = found


def remaining(plan: Plan) -> Iterator[str]:
    """Yield a warning for each object with fields of another installer that the unit does not set.

    An installer also sets fields that the unit sets; a manager that only adds fields is none.
    """
    deleted = {change.key.identity for change in plan.changes if change.action == "delete"}
    after = {change.key.identity: change.after for change in plan.changes if change.after}
    for obj in plan.objects:
        identity = key_of(obj).identity
        live = after.get(identity) or plan.live.get(identity)
        if live is None or identity in deleted:
            continue
        ours = managed_fields.owned_by(live, plan.unit.manager) or {}
        for manager in sorted({str(entry.get("manager")) for entry in managed_fields.entries(live)}):
            theirs = managed_fields.fields_of(live, {manager}) if _installs(manager, plan.unit) else {}
            if ours and common(theirs, ours):
                rest = minus(minus(theirs, ours), kept(live, plan.unit))
                rest = minus(rest, fields_at(live, rest, plan.unit.ignore_fields))
                if names := list(changed(live, {}, rest)):
                    yield _sentence(str(key_of(obj)), names, manager)


def _installs(manager: str, unit: Unit) -> bool:
    """Return whether a manager may be an installer."""
    if manager == unit.manager or is_of_collection(manager) or is_controller(manager) or is_autoscaler(manager):
        return False
    return tool_of(manager) in EDITORS or (not manager.startswith("kubectl") and tool_of(manager) not in INSTALLERS)


def _sentence(what: str, names: list[str], manager: str) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return (
        f"{what} has fields of field manager {manager} that are not part of this configuration:"
        f" {', '.join(names[:5])}{more}. Remove them there, or add them to ignore_fields."
    )
