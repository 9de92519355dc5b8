# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take over the fields of previous field managers, and remove those that the unit does not set."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from ..errors import ApiError, NotReady
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

_ATTEMPTS = 20
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


def take_over(cluster: Cluster, live: Object, managers: Collection[str], unit: Unit) -> Object | None:
    """Make the fields of `managers` the unit's, so that those that it does not set are removed by the next apply.

    Returns the new version of the object; None if it was deleted.
    """

    def entries(obj: Object) -> list[Object] | None:
        return entries_after(obj, managers, unit) if takeable(obj, managers, unit) else None

    return _set_entries(cluster, live, entries, unit.manager)


def restore_owners(cluster: Cluster, created: Object, owners: Sequence[Mapping[str, Any]], manager: str) -> None:
    """Give the fields of an object that was recreated back to the managers that had set them."""

    def entries(obj: Object) -> list[Object]:
        return [*map(dict, owners), *(one for one in managed_fields.entries(obj) if one.get("manager") != manager)]

    _set_entries(cluster, created, entries, manager)


def _set_entries(
    cluster: Cluster, live: Object, entries: Callable[[Object], list[Object] | None], manager: str
) -> Object | None:
    """Set an object's managedFields to its `entries`, unless these are None, and return its new version; None if deleted.

    An object that controllers have changed meanwhile is read again.
    """
    key, obj = key_of(live), live
    for _attempt in range(_ATTEMPTS):
        wanted = entries(obj)
        if wanted is None:
            return obj
        try:
            return cluster.set_managed_fields(key, obj["metadata"]["resourceVersion"], wanted, manager=manager)
        except ApiError as error:
            if error.status not in (409, 422):
                raise
        found = cluster.get(key.of, key.name, key.namespace)
        if found is None:
            return None
        obj = found
    raise NotReady(
        f"Cannot set the field managers of {key}: other clients changed it at each of {_ATTEMPTS} attempts. Run again.",
        object=key._asdict(),
    )


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
