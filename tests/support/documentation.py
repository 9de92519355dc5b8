# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules, their documentation, and whether what they return is what it says."""

from __future__ import annotations

import functools
import importlib
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.meshops.istio.plugins.module_utils.progress_file import PHASES
from ansible_collections.meshops.istio.tools.documentation import PACKAGE

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(
    path.stem for path in (ROOT / "plugins/modules").glob("*.py") if "\ndef main(" in path.read_text(encoding="utf-8")
)
"""Those that are more than the documentation of an action plugin."""

UNSEEN = {"changed", "failed", "msg", "diff", "invocation", "warnings", "deprecations", "exception", PHASES}
"""What is not said of each module: ansible-core adds it, or the action plugin takes it out."""

TYPES: dict[str, Any] = {"str": str, "int": int, "bool": bool, "dict": Mapping, "list": list, "float": float}


def module(name: str) -> types.ModuleType:
    """A module of the collection, imported."""
    return importlib.import_module(f"{PACKAGE}.modules.{name}")


@functools.cache
def returns(name: str) -> dict[str, Any]:
    """What a module's RETURN says."""
    found: dict[str, Any] = yaml.safe_load(module(name).RETURN)
    return found


def contradictions(name: str, result: Mapping[str, Any]) -> list[str]:
    """Where a result is not what the module's RETURN says; a result that failed is held against it too."""
    said = returns(name)
    found = [f"{key} is not documented" for key in result if key not in said and key not in UNSEEN]
    when = "failure" if result.get("failed") else "success"
    for key, value in said.items():
        due = value["returned"] in ("always", when)
        if key in result:
            found += _mistakes(key, value, result[key])
        elif due:
            found.append(f"{key} is missing")
    return found


def _mistakes(path: str, said: Mapping[str, Any], value: Any) -> Iterator[str]:
    fits = isinstance(value, TYPES[said["type"]]) and not (said["type"] == "int" and isinstance(value, bool))
    if not fits:
        yield f"{path} is {value!r}, not of type {said['type']}"
        return
    if said["type"] == "list":
        for number, element in enumerate(value):
            if not isinstance(element, TYPES[said["elements"]]):
                yield f"{path}[{number}] is {element!r}, not of type {said['elements']}"
            elif "contains" in said:
                yield from _parts(f"{path}[{number}]", said["contains"], element)
    elif "contains" in said:
        yield from _parts(path, said["contains"], value)


def _parts(path: str, contains: Mapping[str, Any], value: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{path}.{key} is not documented" for key in value if key not in contains)
    for key, said in contains.items():
        if key in value:
            yield from _mistakes(f"{path}.{key}", said, value[key])
        elif said["returned"] == "always":
            yield f"{path}.{key} is missing"
