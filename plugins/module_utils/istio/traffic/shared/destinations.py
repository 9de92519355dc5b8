# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the destinations of a VirtualService."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ....kube.objects.objects import Object
from .fields import Options, each


def destinations(route: Object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every destination of a VirtualService, mirrors included, each with its path in the options."""
    for protocol in ("http", "tls", "tcp"):
        for where, item in each(route["spec"], protocol):
            yield from ((place, target["destination"]) for place, target in targets(item, where))
            if item.get("mirror"):
                yield f"{where}.mirror", item["mirror"]


def targets(rule: Options, where: str) -> Iterator[tuple[str, Options]]:
    """Yield the weighted destinations of a VirtualService's rule, each with its path in the options."""
    for place, target in each(rule, "route", where):
        yield place.replace(".route[", ".to["), target
