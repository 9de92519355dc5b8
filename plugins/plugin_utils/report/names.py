# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Name objects in sentences and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NAMED = 3
"""The maximum number of objects that a sentence names."""


def where(obj: Mapping[str, Any]) -> str:
    """Return namespace/name of an object."""
    return f"{obj['namespace']}/{obj['name']}" if obj.get("namespace") else str(obj["name"])


def some(names: Sequence[str]) -> str:
    """Join the first names, and count the others: `a, b, c and 2 more`."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
