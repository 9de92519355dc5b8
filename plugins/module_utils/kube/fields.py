# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who owns which field: Kubernetes' managedFields, read and compared without a schema.

An entry's `fieldsV1` tells the structure of what its manager owns: `f:name` is a field, `k:{...}` an item of a list
keyed by those fields, `v:...` an item of a set, `.` the thing itself, and `{}` a scalar or something atomic.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

Fields = Mapping[str, Any]

_MISSING = object()
_QUANTITY_MAPS = frozenset({"limits", "requests", "hard", "capacity"})
_QUANTITIES = frozenset({"averageValue", "divisor", "sizeLimit", "storage"})
_SUFFIXES = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


def entries(obj: Mapping[str, Any]) -> list[dict[str, Any]]:
    """An object's managedFields, those of subresources (status, scale) included."""
    return list(obj["metadata"].get("managedFields") or ())


def owned_by(obj: Mapping[str, Any], manager: str) -> Fields | None:
    """The fields that `manager` has applied, or None where it has applied none."""
    for entry in entries(obj):
        if entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource"):
            return entry.get("fieldsV1") or {}
    return None


def held_by(obj: Mapping[str, Any], managers: Collection[str]) -> list[dict[str, Any]]:
    """The entries of any of `managers`, subresources aside."""
    return [entry for entry in entries(obj) if entry.get("manager") in managers and not entry.get("subresource")]


def others(obj: Mapping[str, Any], managers: Collection[str]) -> Fields:
    """The fields owned by anybody but `managers`."""
    return union(entry.get("fieldsV1") or {} for entry in entries(obj) if entry.get("manager") not in managers)


def union(sets: Iterable[Fields]) -> dict[str, Any]:
    """All the fields that are in any of `sets`."""
    merged: dict[str, Any] = {}
    for one in sets:
        for key, value in one.items():
            merged[key] = union((merged.get(key, {}), value))
    return merged


def handed_over(obj: Mapping[str, Any], manager: str, retired: Collection[str]) -> list[dict[str, Any]]:
    """The managedFields in which everything that `retired` managers own is the `manager`'s, as if it had applied it."""
    mine = [entry for entry in held_by(obj, {manager}) if entry.get("operation") == "Apply"]
    taken = mine + held_by(obj, retired)
    merged = {
        "manager": manager,
        "operation": "Apply",
        "apiVersion": obj["apiVersion"],
        "fieldsType": "FieldsV1",
        "fieldsV1": union(entry.get("fieldsV1") or {} for entry in taken),
    }
    times = sorted(entry["time"] for entry in taken if entry.get("time"))
    if times:
        merged["time"] = times[-1]
    return [entry for entry in entries(obj) if entry not in taken] + [merged]


def settled(desired: Mapping[str, Any], live: Mapping[str, Any], fields: Fields) -> bool:
    """Whether the object `live` is as `desired`, and `fields` (one manager's) are just the fields of `desired`.

    True is certain but for values that the server would rewrite into what is live now; False may be a default inside
    something atomic, or an order of list items: only a dry run tells.
    """
    # What identifies an object is owned by nobody.
    body = {name: value for name, value in desired.items() if name not in ("apiVersion", "kind")}
    metadata = {name: value for name, value in desired["metadata"].items() if name not in ("name", "namespace")}
    if metadata:
        body["metadata"] = metadata
    else:
        body.pop("metadata")
    return agrees(body, live, fields) if body else not fields


def agrees(desired: Any, live: Any, fields: Fields, *, name: str = "", quantity: bool = False) -> bool:
    """The same for one value of an object; `name` is its field's."""
    if isinstance(desired, Mapping) and isinstance(live, Mapping) and _has(fields, "f:"):
        return _mapping_agrees(desired, live, fields, quantity or name in _QUANTITY_MAPS)
    if isinstance(desired, list) and isinstance(live, list):
        if _has(fields, "k:"):
            return _keyed_list_agrees(desired, live, fields)
        if _has(fields, "v:"):
            wanted = [json.loads(key[2:]) for key in fields if key.startswith("v:")]
            return len(desired) == len(wanted) and all(v in desired and v in live for v in wanted)
    if _has(fields, "f:") or _has(fields, "k:") or _has(fields, "v:"):
        return False
    return same(desired, live, quantity=quantity or name in _QUANTITIES, name=name)


def same(left: Any, right: Any, *, quantity: bool = False, name: str = "") -> bool:
    """Whether two values are the same to Kubernetes: equal, or equal as quantities where quantities stand."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        nested = quantity or name in _QUANTITY_MAPS
        return left.keys() == right.keys() and all(
            same(value, right[key], quantity=nested or key in _QUANTITIES, name=key) for key, value in left.items()
        )
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if left == right:
        return True
    if quantity:
        first, second = _quantity(left), _quantity(right)
        return first is not None and first == second
    return False


def without(obj: Any, abandoned: Fields, kept: Any, elsewhere: Fields) -> None:
    """Remove from `obj` what is in `abandoned`, but neither in the object `kept` nor in the fields `elsewhere`."""
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
        elif isinstance(obj, list) and key.startswith("k:"):
            index = _index(obj, json.loads(key[2:]))
            wanted = _find(kept, json.loads(key[2:]))
            if index is None:
                continue
            if wanted is None and there is _MISSING:
                del obj[index]
            elif child:
                without(obj[index], child, wanted, there if there is not _MISSING else {})
        elif isinstance(obj, list) and key.startswith("v:"):
            value = json.loads(key[2:])
            if value in obj and there is _MISSING and not (isinstance(kept, list) and value in kept):
                obj.remove(value)


def _mapping_agrees(desired: Mapping[str, Any], live: Mapping[str, Any], fields: Fields, quantity: bool) -> bool:
    owned = {key[2:] for key in fields if key.startswith("f:")}
    if owned - desired.keys():
        return False
    for name, value in desired.items():
        there = live.get(name, _MISSING)
        if name not in owned:
            # Kubernetes drops empty values; that nothing is there is then all that was asked for.
            if _empty(value) and (there is _MISSING or _empty(there)):
                continue
            return False
        if there is _MISSING or not agrees(value, there, fields[f"f:{name}"], name=name, quantity=quantity):
            return False
    return True


def _keyed_list_agrees(desired: list[Any], live: list[Any], fields: Fields) -> bool:
    keys = [(json.loads(key[2:]), child) for key, child in fields.items() if key.startswith("k:")]
    if len(desired) != len(keys):
        return False
    order = []
    for wanted, child in keys:
        mine, there = _index(desired, wanted), _index(live, wanted)
        if mine is None or there is None or not agrees(desired[mine], live[there], child):
            return False
        order.append((mine, there))
    # An apply keeps the order of its own items.
    return [there for _mine, there in sorted(order)] == sorted(there for _mine, there in order)


_KEY_DEFAULTS = {"protocol": "TCP"}


def _index(items: Any, wanted: Mapping[str, Any]) -> int | None:
    """Where the item with these keys stands; protocol, the one key that has a default, may be left out."""
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, Mapping) and all(item.get(k, _KEY_DEFAULTS.get(k)) == v for k, v in wanted.items()):
            return index
    return None


def _find(items: Any, wanted: Mapping[str, Any]) -> Any:
    index = _index(items, wanted)
    return None if index is None else items[index]


def _has(fields: Fields, prefix: str) -> bool:
    return any(key.startswith(prefix) for key in fields)


def _empty(value: Any) -> bool:
    return value is None or value in ({}, [], "")


def _quantity(value: Any) -> Decimal | None:
    text = str(value)
    try:
        for suffix, power in _BINARY.items():
            if text.endswith(suffix):
                return Decimal(text[: -len(suffix)]) * Decimal(1024) ** power
        suffix = text[-1:] if text[-1:].isalpha() else ""
        return Decimal(text[: len(text) - len(suffix)]).scaleb(_SUFFIXES[suffix])
    except (InvalidOperation, KeyError):
        return None


def names(fields: Fields, prefix: str = "") -> Iterator[str]:
    """The owned fields as readable paths, for example `spec.template.spec.containers[name=discovery].image`."""
    for key, child in fields.items():
        if key == ".":
            continue
        if key.startswith("f:"):
            path = f"{prefix}.{key[2:]}" if prefix else key[2:]
        elif key.startswith("k:"):
            path = f"{prefix}[{','.join(f'{k}={v}' for k, v in json.loads(key[2:]).items())}]"
        else:
            path = f"{prefix}[{key[2:]}]"
        if child and set(child) != {"."}:
            yield from names(child, path)
        else:
            yield path
