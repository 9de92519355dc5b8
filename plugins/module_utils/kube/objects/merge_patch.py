# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON merge patches (RFC 7386): apply them, make them, and compare them with objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_GUARDS = frozenset({"resourceVersion", "uid"})


def applied(value: Any, patch: Any) -> Any:
    """Return a value with a patch applied; the value itself stays as it is."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(value) if isinstance(value, Mapping) else {}
    for name, new in patch.items():
        if new is None:
            result.pop(name, None)
        elif name in result or not fits({}, new):
            result[name] = applied(result.get(name), new)
    return result


def fits(value: Any, patch: Any) -> bool:
    """Return whether a patch would not change a value; a null removes a field."""
    if not isinstance(patch, Mapping):
        return bool(value == patch)
    known = value if isinstance(value, Mapping) else {}
    return all(fits(known.get(name), new) for name, new in patch.items())


def holds(live: Mapping[str, Any], patch: Mapping[str, Any]) -> bool:
    """Return whether a patch, except its preconditions, would not change an object."""
    metadata = {name: value for name, value in (patch.get("metadata") or {}).items() if name not in _GUARDS}
    return fits(live, {**patch, "metadata": metadata})


def part(value: Any, patch: Any) -> Any:
    """Return the part of a value that a patch writes to; None for missing fields."""
    if not isinstance(patch, Mapping) or not isinstance(value, Mapping):
        return value
    return {name: part(value.get(name), new) for name, new in patch.items()}


def between(old: Any, new: Any) -> Any:
    """Return the patch from `old` to `new`; None if they are equal."""
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return None if old == new else new
    gone: dict[str, Any] = dict.fromkeys(old.keys() - new.keys())
    added = {name: value for name, value in new.items() if name not in old}
    changed = {name: between(old[name], value) for name, value in new.items() if name in old}
    patch = {**gone, **added, **{name: value for name, value in changed.items() if value is not None}}
    return patch or None
