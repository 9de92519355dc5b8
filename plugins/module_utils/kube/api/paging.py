# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""List in pages (limit and continue), so that no answer is too large for the API server, a proxy or the timeout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ApiError
from ..objects.shapes import list_of, map_of

if TYPE_CHECKING:
    from .cluster import Cluster

PAGE = 500
"""Objects per page, kubectl's default."""

_EXPIRED = 410


def read_pages(cluster: Cluster, path: str, query: Mapping[str, str]) -> tuple[list[Any], str]:
    """Return the items of all pages, and their resourceVersion to watch from.

    If the continue token has expired, list again without pages.
    """
    items: list[Any] = []
    version, rest = "", ""
    while True:
        try:
            answer = cluster.raw("GET", path, query={**query, "limit": str(PAGE), "continue": rest})
        except ApiError as error:
            if error.status != _EXPIRED or not rest:
                raise
            answer, items = cluster.raw("GET", path, query=query), []
        metadata = map_of(answer.get("metadata"))
        items += list_of(answer.get("items"))
        version, rest = (_text(metadata.get(name)) for name in ("resourceVersion", "continue"))
        if not rest:
            return items, version


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
