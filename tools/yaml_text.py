# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML as this repository writes it by hand: short lists in one line, long texts wrapped, quotes where they are needed."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

WIDTH = 120


def as_yaml(value: Mapping[str, Any]) -> str:
    """Write a dictionary as YAML."""
    return "\n".join([*_dictionary(value, 0), ""])


def _dictionary(value: Mapping[str, Any], indent: int) -> Iterator[str]:
    for key, inner in value.items():
        yield from _entry(f"{' ' * indent}{key}:", inner, indent)


def _entry(begin: str, value: Any, indent: int) -> Iterator[str]:
    line = f"{begin} {_scalar(value) if isinstance(value, str) else _flow(value)}"
    # Sentences, dictionaries and whatever is too long for one line have a line for each item.
    nested = isinstance(value, list) and any(isinstance(item, dict) or " " in str(item) for item in value)
    if isinstance(value, dict) and value:
        yield begin
        yield from _dictionary(value, indent + 2)
    elif nested or (isinstance(value, list) and value and len(line) > WIDTH):
        yield begin
        for item in value:
            yield from _item(item, indent + 2)
    elif isinstance(value, str) and len(line) > WIDTH:
        yield begin
        yield from (f"{' ' * (indent + 2)}{part}" for part in _wrapped(value, indent + 2))
    else:
        yield line


def _item(value: Any, indent: int) -> Iterator[str]:
    if isinstance(value, dict) and value:
        lines = list(_dictionary(value, indent + 2))
    elif isinstance(value, str):
        lines = [f"{' ' * (indent + 2)}{part}" for part in _wrapped(value, indent + 2)]
    else:
        lines = [f"{' ' * (indent + 2)}{_flow(value)}"]
    yield f"{' ' * indent}- {lines[0].strip()}"
    yield from lines[1:]


def _wrapped(text: str, indent: int) -> list[str]:
    return textwrap.wrap(_scalar(text), WIDTH - indent, break_long_words=False, break_on_hyphens=False)


def _scalar(text: str) -> str:
    return text if _means_itself(text, f"- {text}") else json.dumps(text, ensure_ascii=False)


def _flow(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_flow(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_flow(inner)}' for key, inner in value.items())}}}"
    if not isinstance(value, str):
        return "null" if value is None else json.dumps(value)
    return value if _means_itself(value, f"[{value}]") else json.dumps(value, ensure_ascii=False)


def _means_itself(text: str, written: str) -> bool:
    """Whether a text needs no quotes where it is written so."""
    if text != " ".join(text.split()) or "{{" in text:
        return False
    try:
        return bool(yaml.safe_load(written) == [text])
    except yaml.YAMLError:
        return False
