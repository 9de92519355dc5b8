# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of modules with their fragments resolved, as ansible-doc shows it."""

from __future__ import annotations

import functools
import importlib
from typing import Any

import yaml

PACKAGE = "ansible_collections.meshops.istio.plugins"


@functools.cache
def fragment(reference: str) -> dict[str, Any]:
    """Return a documentation fragment, such as ``wait`` or ``attributes.info``."""
    file, variable = [*reference.removeprefix("meshops.istio.").split("."), "documentation"][:2]
    text = getattr(importlib.import_module(f"{PACKAGE}.doc_fragments.{file}").ModuleDocFragment, variable.upper())
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@functools.cache
def documentation(module: str) -> dict[str, Any]:
    """Return the DOCUMENTATION of a module, its own options first, then those of its fragments."""
    own: dict[str, Any] = yaml.safe_load(importlib.import_module(f"{PACKAGE}.modules.{module}").DOCUMENTATION)
    for reference in own.pop("extends_documentation_fragment", ()):
        for key, value in fragment(reference).items():
            if isinstance(value, dict):
                mine = own.setdefault(key, {})
                own[key] = mine | {name: inner for name, inner in value.items() if name not in mine}
            else:
                own[key] = [*own.get(key, ()), *value]
    return own
