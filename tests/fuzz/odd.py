# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ordinary mistakes: valid data with a few of its places changed, as a wrong indentation or a missing quote does."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

VALUES: tuple[Any, ...] = (
    *(
        None,
        "",
        "x",
        "a b",
        "a=b",
        "1",
        "true",
        "80:http",
        "2026-01-01T00:00:00Z",
        "ä🚀",
        "{{ value }}",
        "*",
        "-",
        "...",
    ),
    *(0, 1, -1, 80, 70000, 10**30, 1.5, 1e300, True, False),
    *([], {}, [None], ["x"], [0], [[]], [{}], ["x", "x"], [{"name": "x"}, {"name": "x"}]),
    *({"x": "y"}, {"x": None}, {"name": "x"}, {"": ""}, {"x": {"y": ["z"]}}),
)
ACTS = ("replace", "replace", "replace", "delete", "wrap", "unwrap", "repeat", "rename", "null")

values = st.sampled_from(VALUES).map(copy.deepcopy)


@st.composite
def mistaken(draw: Any, valid: Any, most: int = 3) -> Any:
    """A copy of `valid`, data or a strategy of it, with up to `most` mistakes in it; rarely none."""
    data = copy.deepcopy(draw(valid) if hasattr(valid, "map") else valid)
    for _mistake in range(draw(st.integers(0, most))):
        data = _spoiled(draw, data)
    return data


def _spoiled(draw: Any, data: Any) -> Any:
    places = list(_places(data))
    if not places:
        return draw(values)
    holder, key = draw(st.sampled_from(range(len(places))).map(places.__getitem__))
    act = draw(st.sampled_from(ACTS))
    old = holder[key]
    if act == "delete":
        del holder[key]
    elif act == "wrap":
        holder[key] = [old] if draw(st.booleans()) else {"x": old}
    elif act == "unwrap" and isinstance(old, (list, dict)) and old:
        holder[key] = next(iter(old)) if isinstance(old, list) else next(iter(old.values()))
    elif act == "repeat" and isinstance(holder, list):
        holder.append(copy.deepcopy(old))
    elif act == "rename" and isinstance(holder, dict):
        holder[f"{key}s"] = holder.pop(key)
    elif act == "null":
        holder[key] = None
    else:
        holder[key] = draw(values)
    return data


def _places(node: Any) -> Any:
    """Every place of a value, as what holds it and its key there."""
    if isinstance(node, (dict, list)):
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            yield node, key
            yield from _places(node[key])
