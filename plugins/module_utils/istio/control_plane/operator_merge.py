# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Merge IstioOperators and parse `--set path=value` as istioctl does.

The objects come from istioctl itself; this only computes what has to be known besides, such as the namespace and the
revision that result from overlays, a profile and `--set` flags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from ...kube.errors import InvalidInput

_ALWAYS_STRINGS = (
    "spec.values.compatibilityVersion",
    "spec.tag",
    "spec.values.global.tag",
    "spec.meshConfig.defaultConfig.proxyMetadata.",
    "spec.values.meshConfig.defaultConfig.proxyMetadata.",
    "spec.compatibilityVersion",
)
Step: TypeAlias = "str | int | tuple[str, str]"
"""A name, the index of a list item, or a key and value that select a list item."""

_SEPARATOR = re.compile(r"(?<!\\)\.")


def merge(base: dict[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Lay `top` over `base`, key by key, and return `base`; lists and scalars are replaced whole."""
    for key, value in top.items():
        if isinstance(value, Mapping):
            below = base.get(key)
            base[key] = merge(below if isinstance(below, dict) else {}, value)
        else:
            base[key] = list(value) if isinstance(value, list) else value
    return base


def get_path(document: Any, path: str, default: Any = None) -> Any:
    """Return the value at a dotted path of maps, or `default`."""
    for step in path.split("."):
        if not isinstance(document, Mapping) or step not in document:
            return default
        document = document[step]
    return document


def set_flag(document: dict[str, Any], flag: str) -> None:
    """Apply one `path=value` below `spec`, typed as istioctl types it.

    Raises InvalidInput for a flag that istioctl would misread or refuse.
    """
    path, separator, text = flag.partition("=")
    if not separator or not path.strip() or "=" in text:
        raise InvalidInput(
            f"The entry '{flag}' of set is invalid: it must have the form path=value with one '='. Give other values in"
            " values or an overlay.",
            entry=flag,
        )
    full = f"spec.{path.strip()}"
    value = text.strip() if full.startswith(_ALWAYS_STRINGS) else _typed(text.strip())
    _set(document, _steps(full), value, flag)


def _typed(text: str) -> Any:
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    if text in ("1", "t", "T", "TRUE", "true", "True"):
        return True
    if text in ("0", "f", "F", "FALSE", "false", "False"):
        return False
    return text.replace("\\,", ",")


def _steps(path: str) -> list[Step]:
    """`a.b[0].c` and `a.b.[name:x]` as names, list indexes, and (key, value) pairs that select a list item."""
    steps: list[Step] = []
    for part in _SEPARATOR.split(path):
        name, bracket, inside = part.replace("\\.", ".").partition("[")
        if name:
            steps.append(name)
        if bracket:
            inside = inside.removesuffix("]")
            key, colon, value = inside.partition(":")
            steps.append((key, value) if colon else int(inside) if inside.isdecimal() else inside)
    return steps


def _set(node: Any, steps: list[Step], value: Any, flag: str) -> None:
    name, *rest = steps
    if not isinstance(name, str):
        raise InvalidInput(
            f"The entry '{flag}' of set is invalid: it selects a list item in a value that is not a list. Correct the"
            " path.",
            entry=flag,
        )
    if not isinstance(node, dict):
        raise InvalidInput(
            f"The entry '{flag}' of set is invalid: it sets '{name}' in a value that is not a map. Correct the path.",
            entry=flag,
        )
    if not rest:
        node[name] = value
        return
    if isinstance(rest[0], str):
        below = node.setdefault(name, {})
        if not isinstance(below, dict):
            raise InvalidInput(
                f"The entry '{flag}' of set is invalid: '{name}' is not a map. Correct the path.", entry=flag
            )
        _set(below, rest, value, flag)
        return
    items = node.setdefault(name, [])
    index = _index(items, rest[0], flag)
    if index >= len(items):
        items.append({})
        index = len(items) - 1
    if len(rest) == 1:
        items[index] = value
    else:
        _set(items[index], rest[1:], value, flag)


def _index(items: Any, step: int | tuple[str, str], flag: str) -> int:
    if isinstance(items, list):
        if isinstance(step, int):
            return step
        for index, item in enumerate(items):
            if isinstance(item, Mapping) and item.get(step[0]) == step[1]:
                return index
    raise InvalidInput(
        f"The entry '{flag}' of set is invalid: the list item that it selects was not found. Correct the path.",
        entry=flag,
    )
