# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the conditions in an object's status.

A condition or a list of another type than Kubernetes' counts as absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .objects import Object
from .shapes import map_of, maps_of


def conditions(obj: Mapping[str, Any]) -> list[Object]:
    """Return the conditions in an object's status."""
    return maps_of(map_of(obj.get("status")).get("conditions"))


def condition(obj: Mapping[str, Any], kind: str) -> Object:
    """Return the condition of a type; empty if not found."""
    return named(conditions(obj), kind)


def named(found: Iterable[Object], kind: str) -> Object:
    """Return the condition of a type in a list; empty if not found."""
    return next((one for one in found if one.get("type") == kind), {})


def is_true(found: Mapping[str, Any]) -> bool:
    """Return whether a condition is true."""
    return found.get("status") == "True"


def is_ready(obj: Mapping[str, Any]) -> bool:
    """Return whether the condition Ready of an object, such as a pod or a node, is true."""
    return is_true(condition(obj, "Ready"))


def reason(found: Mapping[str, Any]) -> str:
    """Return a condition's reason and message as one phrase."""
    words = [str(found.get(part) or "").strip().rstrip(".") for part in ("reason", "message")]
    return ": ".join(word for word in words if word) or f"{found.get('type')} is {found.get('status')}"
