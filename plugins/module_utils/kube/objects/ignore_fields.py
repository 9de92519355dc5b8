# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do not apply fields in `ignore_fields`, which other tools manage.

An entry is the path of a field, such as `spec.replicas`, `metadata.annotations[example.com/team]` (or with a dot before
the name), or `spec.template.spec.containers[name=discovery].resources`. It may be limited to objects:
`Deployment:spec.replicas`, `Deployment/istiod:spec.replicas`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from ..errors import InvalidInput
from .field_sets import Fields, item_keys
from .managed_fields import union

_STEP = re.compile(r"\.?([^.\[\]]+)|\[([^\]]+)\]")


def without_ignored(
    desired: dict[str, Any], live: Mapping[str, Any], foreign: Fields, ignored: Sequence[str]
) -> dict[str, Any]:
    """Return `desired` without ignored fields that others own (`foreign`), and with the live values of other ignored ones.

    Raises InvalidInput for an invalid path.
    """
    result = deepcopy(desired)
    for steps in _steps_for(desired, ignored):
        _ignore(result, live, foreign, steps)
    return result


def fields_at(obj: Mapping[str, Any], owned: Fields, ignored: Sequence[str]) -> Fields:
    """Return the ignored ones of an object's `owned` fields."""
    return union(_at(owned, steps) for steps in _steps_for(obj, ignored))


def _steps_for(obj: Mapping[str, Any], ignored: Sequence[str]) -> Iterator[Sequence[str]]:
    for text in ignored:
        objects, _colon, path = text.partition(":") if _names_objects(text) else ("", "", text)
        steps = _steps(path)
        if objects in ("", obj["kind"], f"{obj['kind']}/{obj['metadata']['name']}"):
            yield steps


def _at(owned: Fields, steps: Sequence[str]) -> Fields:
    if not steps:
        return {}
    name, rest = _name(steps, {key[2:] for key in owned if key.startswith("f:")})
    found = [f"f:{name}"] if f"f:{name}" in owned else []
    if not found and steps[0].startswith("["):
        rest = steps[1:]
        found = [key for key in owned if key.startswith("k:") and _is(item_keys(key), name)]
    # An atomic value has no fields of its own.
    return {key: _at(owned[key], rest) for key in found if not rest or owned[key]}


def _names_objects(text: str) -> bool:
    return ":" in text.partition("[")[0]


def _steps(path: str) -> list[str]:
    """Split `a.b[c=d]` into `a`, `b`, `[c=d]`."""
    found, end = [], 0
    for match in _STEP.finditer(path):
        if match.start() != end:
            break
        found.append(match[1] or f"[{match[2]}]")
        end = match.end()
    if not found or end != len(path):
        raise InvalidInput(
            f"The entry '{path}' of ignore_fields is invalid: it must be the path of a field. Use, for example,"
            " spec.replicas or metadata.annotations[example.com/team].",
            field=path,
        )
    return found


def _ignore(mine: Any, there: Any, foreign: Fields, steps: Sequence[str]) -> None:
    if isinstance(mine, dict) and isinstance(there, Mapping):
        _ignore_in_mapping(mine, there, foreign, steps)
    elif isinstance(mine, list) and isinstance(there, list):
        _ignore_in_list(mine, there, foreign, steps)


def _ignore_in_mapping(mine: dict[str, Any], there: Mapping[str, Any], foreign: Fields, steps: Sequence[str]) -> None:
    name, rest = _name(steps, {*mine, *there})
    if name not in there:
        return
    owned = foreign.get(f"f:{name}")
    if rest:
        _ignore(mine.get(name), there[name], owned or {}, rest)
    elif owned is not None:
        mine.pop(name, None)
    elif name in mine:
        # No other manager owns it, for example after an apply with force: keep the live value.
        mine[name] = deepcopy(there[name])


def _ignore_in_list(mine: list[Any], there: list[Any], foreign: Fields, steps: Sequence[str]) -> None:
    wanted, rest = steps[0][1:-1], steps[1:]
    index = next((index for index, item in enumerate(mine) if _is(item, wanted)), None)
    other = next((item for item in there if _is(item, wanted)), None)
    if index is None or other is None:
        return
    owned = [child for keys, child in _keyed(foreign) if keys.items() <= other.items()]
    if rest:
        _ignore(mine[index], other, union(owned), rest)
    elif owned:
        del mine[index]
    else:
        mine[index] = deepcopy(other)


def _name(steps: Sequence[str], known: set[str]) -> tuple[str, Sequence[str]]:
    """Return the name of the next field, which may have dots, and the remaining steps."""
    if steps[0].startswith("["):
        return steps[0][1:-1], steps[1:]
    for length in range(len(steps), 0, -1):
        name = ".".join(steps[:length])
        if name in known:
            return name, steps[length:]
    return steps[0], steps[1:]


def _is(item: Any, wanted: str) -> bool:
    name, _equals, value = wanted.partition("=")
    return isinstance(item, Mapping) and str(item.get(name)) == value


def _keyed(foreign: Fields) -> Iterator[tuple[Mapping[str, Any], Fields]]:
    for key, child in foreign.items():
        if key.startswith("k:") and (wanted := item_keys(key)) is not None:
            yield wanted, child
