# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shape of Kubernetes objects: which of their fields are maps, lists or scalars, so far as anything here reads them.

What users give is refused with every field that has another shape. What a cluster answers is read without such fields,
without nulls, and without the items of lists that lack what they must have, as if they were not there: only kinds without
a schema can hold them. So whoever reads a field that has a shape need not check it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from ..errors import InvalidInput


class Shape:
    """What a value must be."""


@dataclass(frozen=True)
class Scalar(Shape):
    """A value that is no map or list; `what` names it in errors."""

    what: str
    types: tuple[type, ...]
    remedy: str = ""


@dataclass(frozen=True)
class Map(Shape):
    """A map: of known `fields`, others being of any shape, or all of one shape, `each`; it must have those `required`."""

    fields: Mapping[str, Shape] = field(default_factory=dict)
    each: Shape | None = None
    required: tuple[str, ...] = ()


@dataclass(frozen=True)
class List(Shape):
    """A list of `each`; no two items have the same values of `keys`, which all must have unless a default is known."""

    each: Shape
    keys: tuple[str, ...] = ()


ANY = Shape()
TEXT = Scalar("text", (str,), "put it in quotes")
TIME = Scalar("a time such as 2026-01-31T12:00:00Z", (str,))
NUMBER = Scalar("a number", (int, float), "leave out the quotes")
NUMBER_OR_TEXT = Scalar("a number or text", (int, float, str))
BOOLEAN = Scalar("true or false", (bool,), "leave out the quotes")
MAP = Map()
TEXTS = Map(each=TEXT)

KEY_DEFAULTS: dict[str, Any] = {"protocol": "TCP"}
"""The keys of list items that have a default, so that they may be left out."""


class Problem(NamedTuple):
    """A field of another shape than it must have."""

    path: str
    text: str


def problems(value: Any, shape: Shape, path: str = "") -> list[Problem]:
    """Everything about `value` that is not of this shape; null is, like an absent field."""
    found: list[Problem] = []
    _walk(value, shape, path, found)
    return found


def fitting(value: Any, shape: Shape, *, whole: bool = True) -> Any:
    """The same value, changed in place, as it can be trusted to be of this shape; None where it is another altogether.

    What has another shape is left out, and so are nulls and the items of lists that lack what they must have. What a
    `whole` map lacks itself is empty.
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
    """Raise InvalidInput that names every problem."""
    if found:
        text = "; ".join(problem.text for problem in found)
        raise InvalidInput(f"{where}: {text}.", fields=[problem.path for problem in found])


def map_of(value: Any) -> dict[str, Any]:
    """The value if it is a map, else an empty one."""
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def maps_of(value: Any) -> list[dict[str, Any]]:
    """The maps in the value, if it is a list."""
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
    """Server-side apply tells items apart by their keys: each must have them, and no two the same."""
    seen: dict[tuple[Any, ...], int] = {}
    for index, item in enumerate(items):
        if not isinstance(item, Mapping):
            continue
        values = tuple(item.get(key, KEY_DEFAULTS.get(key)) for key in keys)
        missing = [key for key, value in zip(keys, values, strict=True) if value is None]
        if missing:
            found.append(Problem(f"{path}[{index}]", f"{path}[{index}] has no {missing[0]}"))
        elif not all(isinstance(value, (str, int, float)) for value in values):
            continue  # which is said of the field itself
        elif seen.setdefault(values, index) != index:
            named = ", ".join(f"{key} {value}" for key, value in zip(keys, values, strict=True))
            text = (
                f"{path} has the {named} twice, in items {seen[values]} and {index}: keep one of them, because server-side"
                " apply accepts each only once"
            )
            found.append(Problem(path, text))


def _wrong(path: str, value: Any, wanted: str) -> Problem:
    return Problem(path, f"{path} is {described(value)}, but must be {wanted}")


def described(value: Any) -> str:
    """What a value, or one of a shape, is."""
    if isinstance(value, Scalar):
        return value.what
    if isinstance(value, (Map, Mapping)):
        return "a map of keys and values"
    if isinstance(value, (List, list, tuple)):
        return "a list"
    if value is None:
        return "null"
    return "true or false" if isinstance(value, bool) else "text" if isinstance(value, str) else "a number"
