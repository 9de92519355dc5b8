# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read and compare Kubernetes' managedFields (field ownership), without a schema.

In an entry's `fieldsV1`, `f:name` is a field, `k:{...}` an item of a list keyed by those fields, `v:...` an item of a set,
`.` the value itself, and `{}` a scalar or an atomic value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from enum import Enum
from types import MappingProxyType
from typing import Any

from .builtin_kinds import BUILT_IN
from .field_managers import is_interactive, tool_of
from .field_sets import Fields, common, index_of, item_keys, item_of, minus, set_value
from .objects import kind_of
from .shapes import map_of

_MISSING = object()
_SUFFIXES = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


def entries(obj: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return an object's managedFields, including those of subresources (status, scale)."""
    return list(obj["metadata"].get("managedFields") or ())


def owned_by(obj: Mapping[str, Any], manager: str) -> Fields | None:
    """Return the fields that `manager` has applied, None if it has applied none."""
    for entry in entries(obj):
        if entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource"):
            return entry.get("fieldsV1") or {}
    return None


def held_by(obj: Mapping[str, Any], managers: Collection[str]) -> list[dict[str, Any]]:
    """Return the entries of `managers`, without those of subresources."""
    return [entry for entry in entries(obj) if _is_of(entry, managers) and not entry.get("subresource")]


def fields_of(obj: Mapping[str, Any], managers: Collection[str]) -> Fields:
    """Return the fields that any of `managers` has set, by any operation."""
    held = union(entry.get("fieldsV1") or {} for entry in held_by(obj, managers))
    if obj["kind"] == "Secret" and "f:stringData" in held:
        # The server moves the values to data, but not their ownership.
        moved = {"f:data": held.pop("f:stringData")}
        held = union((held, moved))
    return held


def interactive_managers(obj: Mapping[str, Any]) -> frozenset[str]:
    """Return the field managers of interactive clients."""
    managers = {str(entry.get("manager")) for entry in entries(obj) if not entry.get("subresource")}
    return frozenset(filter(is_interactive, managers))


def _is_of(entry: Mapping[str, Any], managers: Collection[str]) -> bool:
    manager = str(entry.get("manager"))
    return manager in managers or tool_of(manager) in managers


def others(obj: Mapping[str, Any], managers: Collection[str]) -> Fields:
    """Return the fields that other managers than `managers` own."""
    return union(entry.get("fieldsV1") or {} for entry in entries(obj) if not _is_of(entry, managers))


def union(sets: Iterable[Fields]) -> dict[str, Any]:
    """Return the fields that are in any of `sets`."""
    merged: dict[str, Any] = {}
    for one in sets:
        for key, value in map_of(one).items():
            merged[key] = union((merged.get(key, {}), value))
    return merged


def taken_over(
    obj: Mapping[str, Any], manager: str, previous: Collection[str], kept: Fields = MappingProxyType({})
) -> list[dict[str, Any]]:
    """Return the managedFields after `manager` has taken over the fields of `previous` managers.

    Fields in `kept` stay theirs.
    """
    mine = [entry for entry in held_by(obj, {manager}) if entry.get("operation") == "Apply"]
    theirs = held_by(obj, previous)
    taken = mine + theirs
    merged = {
        "manager": manager,
        "operation": "Apply",
        "apiVersion": obj["apiVersion"],
        "fieldsType": "FieldsV1",
        "fieldsV1": union([*(entry.get("fieldsV1") or {} for entry in mine), minus(fields_of(obj, previous), kept)]),
    }
    times = sorted(entry["time"] for entry in taken if entry.get("time"))
    if times:
        merged["time"] = times[-1]
    left = [{**entry, "fieldsV1": common(entry.get("fieldsV1") or {}, kept)} for entry in theirs]
    return [*(one for one in entries(obj) if one not in taken), *(one for one in left if one["fieldsV1"]), merged]


def in_sync(desired: Mapping[str, Any], live: Mapping[str, Any], fields: Fields) -> bool:
    """Return whether `live` is in sync with `desired`, and `fields` (those of one manager) are exactly its fields.

    True is certain. False may be due to a default in an atomic value, or the order of a list, and needs a dry run.
    """
    # Nobody owns the fields that identify an object.
    body = {name: value for name, value in desired.items() if name not in ("apiVersion", "kind")}
    metadata = {name: value for name, value in desired["metadata"].items() if name not in ("name", "namespace")}
    if metadata:
        body["metadata"] = metadata
    else:
        body.pop("metadata")
    rules = _Rules.BUILT_IN if kind_of(desired) in BUILT_IN else _Rules.EXACT
    return _agrees(body, live, fields, rules) if body else not fields


class _Rules(Enum):
    """The rules for equal values: exact, with the normalisation of Kubernetes' kinds, or as quantities.

    Custom resources, and texts such as labels, are stored unchanged.
    """

    EXACT = 0
    BUILT_IN = 1
    QUANTITIES = 2

    def within(self, name: str) -> _Rules:
        """Return the rules for the value of the field `name`."""
        if self is _Rules.EXACT or name in _TEXTS:
            return _Rules.EXACT
        return _Rules.QUANTITIES if name in _QUANTITIES else self


_TEXTS = frozenset({"annotations", "labels", "matchLabels", "nodeSelector", "selector", "data", "parameters"})
_QUANTITIES = frozenset({"limits", "requests", "hard", "capacity", "averageValue", "divisor", "sizeLimit"})
_DEFAULTS = {"fieldRef": {"apiVersion": "v1"}, "resourceFieldRef": {"divisor": "0"}, "rules": {"scope": "*"}}
"""Defaults that the server adds to atomic values, without an entry in managedFields."""


def _agrees(desired: Any, live: Any, fields: Fields, rules: _Rules, name: str = "") -> bool:
    if isinstance(desired, Mapping) and isinstance(live, Mapping) and _has(fields, "f:"):
        return _mapping_agrees(desired, live, fields, rules)
    if isinstance(desired, list) and isinstance(live, list):
        if _has(fields, "k:"):
            return _keyed_list_agrees(desired, live, fields, rules)
        if _has(fields, "v:"):
            return _set_agrees(desired, live, fields)
    if any(_has(fields, prefix) for prefix in ("f:", "k:", "v:")):
        return False
    return _same(desired, live, rules, name)


def _mapping_agrees(desired: Mapping[str, Any], live: Mapping[str, Any], fields: Fields, rules: _Rules) -> bool:
    owned = {key[2:] for key in fields if key.startswith("f:")}
    if owned - desired.keys():
        return False
    for name, value in desired.items():
        there = live.get(name, _MISSING)
        if name in owned:
            # The server drops zero values. If another client had removed the field, it would have no owner.
            dropped = there is _MISSING and not value
            if not dropped and not _agrees(value, there, fields[f"f:{name}"], rules.within(name), name):
                return False
        # Only the items of keyed lists and sets are owned, so that an empty list has no owner.
        elif value != [] or there not in ((_MISSING, []) if rules is not _Rules.EXACT else ([],)):
            return False
    return True


def _keyed_list_agrees(desired: list[Any], live: list[Any], fields: Fields, rules: _Rules) -> bool:
    keys = [(item_keys(key), child) for key, child in fields.items() if key.startswith("k:")]
    if len(desired) != len(keys):
        return False
    order = []
    for wanted, child in keys:
        mine, there = index_of(desired, wanted), index_of(live, wanted)
        if mine is None or there is None or not _agrees(desired[mine], live[there], child, rules):
            return False
        order.append((mine, there))
    # An apply keeps the order of its items.
    return [there for _mine, there in sorted(order)] == sorted(there for _mine, there in order)


def _set_agrees(desired: list[Any], live: list[Any], fields: Fields) -> bool:
    owned = [set_value(key) for key in fields if key.startswith("v:")]
    return (
        len(desired) == len(owned)
        and all(value in desired for value in owned)
        and [value for value in live if value in desired] == desired
    )


def _same(left: Any, right: Any, rules: _Rules, name: str = "") -> bool:
    """Return whether two values are equal to Kubernetes; `name`: the field's name."""
    if isinstance(left, dict) and isinstance(right, dict):
        if rules is not _Rules.EXACT:
            left = {**{key: value for key, value in _DEFAULTS.get(name, {}).items() if key in right}, **left}
        return left.keys() == right.keys() and all(
            _same(value, right[key], rules.within(key), key) for key, value in left.items()
        )
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(
            _same(one, other, rules, name) for one, other in zip(left, right, strict=True)
        )
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if left == right:
        return True
    if rules is _Rules.QUANTITIES:
        first, second = quantity(left), quantity(right)
        return first is not None and first == second
    return False


def without(obj: Any, abandoned: Fields, kept: Any, elsewhere: Fields) -> None:
    """Remove from `obj` the fields in `abandoned` that are neither in the object `kept` nor in the fields `elsewhere`."""
    for key, child in abandoned.items():
        there: Any = elsewhere.get(key, _MISSING)
        if key.startswith("f:"):
            name = key[2:]
            wanted = kept.get(name, _MISSING) if isinstance(kept, Mapping) else _MISSING
            if name not in obj:
                continue
            if wanted is _MISSING and there is _MISSING:
                del obj[name]
            elif isinstance(obj[name], (dict, list)) and child:
                without(obj[name], child, wanted, there if there is not _MISSING else {})
                if not obj[name] and wanted is _MISSING:
                    del obj[name]
        elif isinstance(obj, list) and key.startswith("k:"):
            index = index_of(obj, item_keys(key))
            wanted = item_of(kept, item_keys(key))
            if index is None:
                continue
            if wanted is None and there is _MISSING:
                del obj[index]
            elif child:
                without(obj[index], child, wanted, there if there is not _MISSING else {})
        elif isinstance(obj, list) and key.startswith("v:"):
            value = set_value(key)
            if value in obj and there is _MISSING and not (isinstance(kept, list) and value in kept):
                obj.remove(value)


def overlaid(obj: Any, desired: Any, structure: Fields) -> Any:
    """Return `obj` with `desired` merged into it, as an apply does; `structure`: fields with the types of lists."""
    if isinstance(obj, Mapping) and isinstance(desired, Mapping):
        names = {name: structure.get(f"f:{name}") or {} for name in desired}
        return {**obj, **{name: overlaid(obj.get(name), value, names[name]) for name, value in desired.items()}}
    if isinstance(obj, list) and isinstance(desired, list):
        if _has(structure, "k:"):
            return _keyed_list_overlaid(obj, desired, structure)
        if _has(structure, "v:"):
            return [*desired, *(value for value in obj if value not in desired)]
    return desired


def part(obj: Any, fields: Fields) -> Any:
    """Return the part of `obj` that is in `fields`."""
    if isinstance(obj, Mapping) and _has(fields, "f:"):
        named = {key[2:]: child for key, child in fields.items() if key.startswith("f:")}
        return {name: part(value, named[name]) for name, value in obj.items() if name in named}
    if isinstance(obj, list) and _has(fields, "k:"):
        keyed = {index_of(obj, item_keys(key)): child for key, child in fields.items() if key.startswith("k:")}
        return [part(item, keyed[index]) for index, item in enumerate(obj) if index in keyed]
    if isinstance(obj, list) and _has(fields, "v:"):
        owned = [set_value(key) for key in fields if key.startswith("v:")]
        return [value for value in obj if value in owned]
    return obj


def _keyed_list_overlaid(items: list[Any], desired: list[Any], structure: Fields) -> list[Any]:
    keys = [(item_keys(key), child) for key, child in structure.items() if key.startswith("k:")]
    laid: dict[int, tuple[int, Fields]] = {}
    for wanted, child in keys:
        there, mine = index_of(items, wanted), index_of(desired, wanted)
        if there is not None and mine is not None:
            laid[mine] = (there, child)
    used = {there for there, _child in laid.values()}
    over = [
        overlaid(items[laid[mine][0]], item, laid[mine][1]) if mine in laid else item
        for mine, item in enumerate(desired)
    ]
    return over + [item for there, item in enumerate(items) if there not in used]


def _has(fields: Fields, prefix: str) -> bool:
    return any(key.startswith(prefix) for key in fields)


def quantity(value: Any) -> Decimal | None:
    text = str(value)
    try:
        for suffix, power in _BINARY.items():
            if text.endswith(suffix):
                return Decimal(text[: -len(suffix)]) * Decimal(1024) ** power
        suffix = text[-1:] if text[-1:].isalpha() else ""
        return Decimal(text[: len(text) - len(suffix)]).scaleb(_SUFFIXES[suffix])
    except (InvalidOperation, KeyError):
        return None
