# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations on sets of fields in the form of `fieldsV1` (see managed_fields.py)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .shapes import map_of

Fields = Mapping[str, Any]

_MISSING = object()


NO_VALUE = object()
"""The value of a key with malformed JSON. It equals no other value."""


def item_keys(key: str) -> Mapping[str, Any] | None:
    """Return the keys of the list item that a key `k:{...}` names; None for malformed JSON."""
    wanted = set_value(key)
    return wanted if isinstance(wanted, Mapping) else None


def set_value(key: str) -> Any:
    """Return the value that a key `v:...` names; NO_VALUE for malformed JSON."""
    try:
        return json.loads(key[2:])
    except ValueError:
        return NO_VALUE


def minus(owned: Fields, taken: Fields) -> dict[str, Any]:
    """Return the fields of `owned` that are not in `taken`, where a leaf stands for everything below it."""
    rest: dict[str, Any] = {}
    for key, child in map_of(owned).items():
        if key not in taken:
            rest[key] = child
        elif taken[key] and (left := minus(child, taken[key])):
            rest[key] = left
    return {key: child for key, child in rest.items() if key != "."}


def common(owned: Fields, other: Fields) -> dict[str, Any]:
    """Return the fields of `owned` that are also in `other`, where a leaf stands for everything below it."""
    both: dict[str, Any] = {}
    for key, child in map_of(owned).items():
        if key in map_of(other) and key != ".":
            inner = common(child, other[key])
            if not child or not other[key] or inner:
                both[key] = inner if child and other[key] else child
    return both


def drop(obj: Any, dropped: Fields) -> None:
    """Remove the fields and items in `dropped` from `obj`, and parents that become empty thereby."""
    for key, child in dropped.items():
        name = key[2:]
        if key.startswith("f:") and isinstance(obj, dict) and obj.get(name, _MISSING) is not _MISSING:
            was_empty = obj[name] in ({}, [])
            drop(obj[name], child)
            if not child or (not was_empty and obj[name] in ({}, [])):
                del obj[name]
        elif key.startswith("k:") and (index := index_of(obj, item_keys(key))) is not None:
            drop(obj[index], child)
        elif key.startswith("v:") and isinstance(obj, list) and (value := set_value(key)) in obj:
            obj.remove(value)


def changed(before: Any, after: Any, owned: Fields, path: str = "") -> Iterator[str]:
    """Yield the paths of `owned` fields with another value in `after`, in the form of `ignore_fields`."""
    for key, child in map_of(owned).items():
        if key.startswith("f:"):
            here = _path(path, key[2:])
            old, new = (one.get(key[2:], _MISSING) if isinstance(one, Mapping) else _MISSING for one in (before, after))
        elif key.startswith("k:"):
            wanted = item_keys(key)
            if wanted is None:
                continue
            name, value = next(iter(wanted.items()), ("", ""))
            here = f"{path}[{name}={value}]"
            old, new = item_of(before, wanted), item_of(after, wanted)
        else:
            continue
        if child:
            yield from changed(old, new, child, here)
        elif old is not _MISSING and old is not None and old != new:
            yield here


def _path(path: str, name: str) -> str:
    if "." in name or "/" in name:
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else name


_KEY_DEFAULTS = {"protocol": "TCP"}


def index_of(items: Any, wanted: Mapping[str, Any] | None) -> int | None:
    """Return the index of the item with these keys, None if not found; the protocol defaults to TCP."""
    if wanted is None:
        return None
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, Mapping) and all(item.get(k, _KEY_DEFAULTS.get(k)) == v for k, v in wanted.items()):
            return index
    return None


def item_of(items: Any, wanted: Mapping[str, Any] | None) -> Any:
    """Return the item with these keys, None if not found."""
    index = index_of(items, wanted)
    return None if index is None else items[index]
