# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The states of kstatus, and access to the fields of an object.

A field of an unexpected type counts as absent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from ...objects.conditions import is_true, named, reason
from ...objects.objects import Object

State = Literal["current", "in_progress", "failed", "terminating"]
CURRENT: State = "current"
IN_PROGRESS: State = "in_progress"
FAILED: State = "failed"
TERMINATING: State = "terminating"


class Status(NamedTuple):
    """The status of an object; `message` is a short phrase without a full stop.

    `final`: a permanent failure, for which waiting is useless.
    """

    state: State
    message: str
    final: bool = False


Rule = Callable[[Object], Status]


def field(obj: Object, path: str) -> Any:
    """Return the value at a dotted path; None if not found."""
    value: Any = obj
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def whole(obj: Object, path: str) -> int | None:
    """Return the integer at a path; None if not found, or of another type."""
    value = field(obj, path)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def number(obj: Object, path: str, default: int = 0) -> int:
    """Return the integer at a path, else the default."""
    value = whole(obj, path)
    return default if value is None else value


def missing(obj: Object, found: Iterable[Object], kind: str, *, required: bool = False) -> Status | None:
    """Return the status of an object that waits for a condition; None if it is true or not used."""
    one = named(found, kind)
    if not one:
        return Status(IN_PROGRESS, f"not {kind.lower()} yet") if required else None
    if not is_true(one):
        return Status(IN_PROGRESS, reason(one))
    seen = whole(one, "observedGeneration")
    if seen is not None and seen < number(obj, "metadata.generation"):
        return Status(IN_PROGRESS, "its controller has not observed the latest generation yet")
    return None


def first(*found: Status | None) -> Status | None:
    """Return the first that is not None."""
    return next((one for one in found if one), None)


def few(count: int, wanted: int, what: str) -> Status | None:
    """Return in progress while fewer replicas than wanted are `what`."""
    return Status(IN_PROGRESS, f"{count}/{wanted} replicas {what}") if count < wanted else None


def surplus(count: int, wanted: int) -> Status | None:
    """Return in progress while there are more replicas than wanted."""
    return Status(IN_PROGRESS, f"{count - wanted} old replicas pending termination") if count > wanted else None


def always(_obj: Object) -> Status:
    """Return current: there is nothing to wait for."""
    return Status(CURRENT, "ready")
