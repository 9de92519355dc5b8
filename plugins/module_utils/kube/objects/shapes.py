# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of fields of Kubernetes objects (maps, lists, scalars), as far as the collection reads them.

Input of users with other types is refused, naming every field. Answers of a cluster are read without such fields, nulls
and incomplete list items, which only kinds without a schema can have. Therefore code that reads these fields needs no
checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from ..errors import InvalidInput


class Shape:
    """The required type of a value."""


@dataclass(frozen=True)
class Scalar(Shape):
    """A value that is no map or list; `what`: its name in errors."""

    what: str
    types: tuple[type, ...]
    remedy: str = ""


@dataclass(frozen=True)
class Map(Shape):
    """A map: of known `fields` and any others, or with all values of the shape `each`; `required`: mandatory fields."""

    fields: Mapping[str, Shape] = field(default_factory=dict)
    each: Shape | None = None
    required: tuple[str, ...] = ()


@dataclass(frozen=True)
class List(Shape):
    """A list of `each`; `keys`: fields whose values are unique, and required unless they have a default."""

    each: Shape
    keys: tuple[str, ...] = ()


ANY = Shape()
TEXT = Scalar("text", (str,), "quote it")
TIME = Scalar("a time such as 2026-01-31T12:00:00Z", (str,))
NUMBER = Scalar("a number", (int, float), "remove the quotes")
NUMBER_OR_TEXT = Scalar("a number or text", (int, float, str))
BOOLEAN = Scalar("true or false", (bool,), "remove the quotes")
MAP = Map()
TEXTS = Map(each=TEXT)

KEY_DEFAULTS: dict[str, Any] = {"protocol": "TCP"}
"""The default values of keys of list items."""


class Problem(NamedTuple):
    """A field of the wrong type."""

    path: str
    text: str


def problems(value: Any, shape: Shape, path: str = "") -> list[Problem]:
    """Return all fields of `value` with the wrong type; null counts as absent."""
    found: list[Problem] = []
    _walk(value, shape, path, found)
    return found


def fitting(value: Any, shape: Shape, *, whole: bool = True) -> Any:
    """Remove fields of the wrong type from a value, in place, and return it; None if it has the wrong type itself.

    Nulls and incomplete list items are removed as well. Missing required fields of a `whole` map become empty.
    """
    if shape is ANY:
        return value
    if isinstance(shape, Scalar):
        return value if _is_scalar(value, shape) else None
    if isinstance(shape, Map):
        return _fitting_map(value, shape, whole) if isinstance(value, dict) else None
    if not isinstance(value, list):
        return None
    if isinstance(shape, List) and shape.each is not ANY:
        keys = {key for key in shape.keys if key not in KEY_DEFAULTS}
        items = [fitting(item, shape.each, whole=False) for item in value]
        value[:] = [item for item in items if item is not None and not (keys and keys - item.keys())]
    return value


def _fitting_map(value: dict[str, Any], shape: Map, whole: bool) -> dict[str, Any] | None:
    for key in list(value) if shape.each is not None else shape.fields.keys() & value.keys():
        inner = shape.fields.get(key, shape.each)
        if inner is not None and inner is not ANY and fitting(value[key], inner, whole=whole) is None:
            del value[key]
    missing = [key for key in shape.required if key not in value]
    if missing and not whole:
        return None
    for key in missing:
        value[key] = _empty(shape.fields[key])
    return value


def _empty(shape: Shape) -> Any:
    if isinstance(shape, Map):
        return {key: _empty(shape.fields[key]) for key in shape.required}
    return (
        []
        if isinstance(shape, List)
        else ""
        if shape is TEXT
        else shape.types[0]()
        if isinstance(shape, Scalar)
        else {}
    )


def refuse(found: list[Problem], where: str) -> None:
    """Raise InvalidInput with all problems."""
    if found:
        text = "; ".join(problem.text for problem in found)
        raise InvalidInput(f"{where} is invalid: {text}.", fields=[problem.path for problem in found])


def map_of(value: Any) -> dict[str, Any]:
    """Return the value if it is a map, else an empty one."""
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    """Return the value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def maps_of(value: Any) -> list[dict[str, Any]]:
    """Return the maps in the value, if it is a list."""
    return [one for one in list_of(value) if isinstance(one, dict)]


def _is_scalar(value: Any, shape: Scalar) -> bool:
    if shape is TIME:
        return isinstance(value, str) and _is_time(value)
    return isinstance(value, shape.types) and (bool in shape.types or not isinstance(value, bool))


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None  # without, it could not be compared with others
    except ValueError:
        return False


def _walk(value: Any, shape: Shape, path: str, found: list[Problem]) -> None:
    if value is None or shape is ANY:
        return
    if isinstance(shape, Scalar):
        if not _is_scalar(value, shape):
            remedy = f" ({shape.remedy})" if shape.remedy and not isinstance(value, (Mapping, list)) else ""
            found.append(_wrong(path, value, shape.what + remedy))
    elif isinstance(shape, Map):
        if not isinstance(value, (dict, Mapping)):
            found.append(_wrong(path, value, "a map of keys and values"))
            return
        for key, child in value.items():
            inner = shape.fields.get(key, shape.each)
            if inner is not None:
                _walk(child, inner, f"{path}.{key}" if path else str(key), found)
        missing = [key for key in shape.required if value.get(key) is None]
        found.extend(Problem(path, f"{path} has no {key}".lstrip()) for key in missing)
    elif not isinstance(value, list):
        found.append(_wrong(path, value, "a list"))
    elif isinstance(shape, List):
        for index, item in enumerate(value):
            if item is None and shape.each is not ANY:
                found.append(_wrong(f"{path}[{index}]", item, described(shape.each)))
            else:
                _walk(item, shape.each, f"{path}[{index}]", found)
        if shape.keys:
            _check_keys(value, shape.keys, path, found)


def _check_keys(items: list[Any], keys: tuple[str, ...], path: str, found: list[Problem]) -> None:
    """Check the keys of list items, which server-side apply requires to be present and unique."""
    seen: dict[tuple[Any, ...], int] = {}
    for index, item in enumerate(items):
        if not isinstance(item, Mapping):
            continue
        values = tuple(item.get(key, KEY_DEFAULTS.get(key)) for key in keys)
        missing = [key for key, value in zip(keys, values, strict=True) if value is None]
        if missing:
            found.append(Problem(f"{path}[{index}]", f"{path}[{index}] has no {missing[0]}"))
        elif not all(isinstance(value, (str, int, float)) for value in values):
            continue  # reported for the field itself
        elif seen.setdefault(values, index) != index:
            named = ", ".join(f"{key} {value}" for key, value in zip(keys, values, strict=True))
            text = (
                f"{path} has a duplicate {named} in items {seen[values]} and {index}, which server-side apply does not"
                " accept: keep one of them"
            )
            found.append(Problem(path, text))


def _wrong(path: str, value: Any, wanted: str) -> Problem:
    return Problem(path, f"{path} is {described(value)}, but must be {wanted}")


def described(value: Any) -> str:
    """Return the name of the type of a value or shape."""
    if isinstance(value, Scalar):
        return value.what
    if isinstance(value, (Map, Mapping)):
        return "a map of keys and values"
    if isinstance(value, (List, list, tuple)):
        return "a list"
    if value is None:
        return "null"
    return "true or false" if isinstance(value, bool) else "text" if isinstance(value, str) else "a number"
