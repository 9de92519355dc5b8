# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What applying and updating does to an object and to who owns its fields, for objects whose lists are all atomic."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

Object = dict[str, Any]


def conflicts(desired: Object, live: Object, manager: str) -> list[tuple[str, str]]:
    """The managers and paths of fields that applying `desired` would change, and that others own."""
    owners = [
        one for one in live["metadata"]["managedFields"] if one["manager"] != manager or one["operation"] != "Apply"
    ]
    return [
        (one["manager"], "".join(f".{name}" for name in path))
        for path in sorted(set(_leaves(desired)) - _IDENTITY)
        for one in owners
        if _at(desired, path) != _at(live, path) and path in _owned(one["fieldsV1"])
    ]


def applied(desired: Object, live: Object | None, manager: str) -> Object:
    """`live` after a server-side apply of `desired`, by force."""
    managed = deepcopy(live["metadata"]["managedFields"]) if live else []
    mine = next((one for one in managed if one["manager"] == manager and one["operation"] == "Apply"), None)
    changed = {path for path in _leaves(desired) if live and _at(desired, path) != _at(live, path)} - _IDENTITY
    others = ({**one, "fieldsV1": _less(one["fieldsV1"], changed)} for one in managed if one is not mine)
    rest = [one for one in others if one["fieldsV1"]]
    result: Object = deepcopy(live) if live else {}
    kept = set(_paths(desired)).union(*(_owned(one["fieldsV1"]) for one in rest))
    for path in sorted(_owned(mine["fieldsV1"]) if mine else (), key=len, reverse=True):
        if path not in kept:
            _remove(result, path)
    result = merged_into(result, desired)
    owned = {"manager": manager, "operation": "Apply", "apiVersion": desired["apiVersion"], "fieldsType": "FieldsV1"}
    result["metadata"]["managedFields"] = [*rest, {**owned, "fieldsV1": fields_of(desired)}]
    return result


def updated(live: Object, body: Object, manager: str) -> Object:
    """`live` after an update with `body` as a merge patch."""
    result: Object = merged_into(deepcopy(live), body)
    taken = {path for path in _leaves(body) if _at(live, path) != _at(result, path)} - _IDENTITY
    managed = [{**one, "fieldsV1": _less(one["fieldsV1"], taken)} for one in live["metadata"].get("managedFields", [])]
    mine = next((one for one in managed if one["manager"] == manager and one["operation"] == "Update"), None)
    if taken and mine is None:
        mine = {"manager": manager, "operation": "Update", "apiVersion": live["apiVersion"], "fieldsV1": {}}
        managed.append(mine)
    for path in taken:
        owned = mine["fieldsV1"] if mine else {}
        for name in path:
            owned = owned.setdefault(f"f:{name}", {})
    result["metadata"]["managedFields"] = [one for one in managed if one["fieldsV1"]]
    return result


def _less(owned: Object, taken: set[tuple[str, ...]], path: tuple[str, ...] = ()) -> Object:
    kept = {}
    for name, child in owned.items():
        here = (*path, name[2:])
        rest = _less(child, taken, here)
        if here not in taken and (rest or not child):
            kept[name] = rest
    return kept


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, child in value.items():
        if isinstance(child, dict) and child:
            yield from _leaves(child, (*path, name))
        else:
            yield (*path, name)


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def fields_of(value: Any, path: tuple[str, ...] = ()) -> Object:
    """The fieldsV1 of all that is in a value."""
    if not isinstance(value, dict):
        return {}
    return {
        f"f:{name}": fields_of(child, (*path, name))
        for name, child in value.items()
        if (*path, name) not in _IDENTITY and ((*path, name) != ("metadata",) or set(child) - {"name", "namespace"})
    }


_IDENTITY = {
    ("apiVersion",),
    ("kind",),
    *(("metadata", name) for name in ("name", "namespace", "managedFields", "uid")),
}


def _paths(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, child in value.items() if isinstance(value, dict) else ():
        yield (*path, name)
        yield from _paths(child, (*path, name))


def _owned(owned: Object, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    found = set()
    for name, child in owned.items():
        found |= {(*path, name[2:])} | _owned(child, (*path, name[2:]))
    return found


def _remove(obj: Object, path: tuple[str, ...]) -> None:
    *parents, last = path
    for name in parents:
        obj = obj.get(name, {})
    # A mapping goes when nothing is left in it.
    if not isinstance(obj.get(last), dict) or not obj[last]:
        obj.pop(last, None)


def merged_into(base: Any, patch: Any) -> Any:
    """A JSON merge patch, done."""
    if not isinstance(base, dict) or not isinstance(patch, dict):
        return deepcopy(patch)
    merged: Object = {**base, **{name: merged_into(base.get(name), value) for name, value in patch.items()}}
    return {name: value for name, value in merged.items() if value is not None}


def without_versions(obj: Object) -> Object:
    """An object without what makes two copies of it differ."""
    ignored = ("resourceVersion", "uid")
    return {**obj, "metadata": {name: value for name, value in obj["metadata"].items() if name not in ignored}}
