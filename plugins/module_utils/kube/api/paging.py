# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists in pages, so that no answer of a big cluster is too large for the API server, a proxy or the time limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ApiError
from ..objects.shapes import list_of, map_of

if TYPE_CHECKING:
    from .cluster import Cluster

PAGE = 500
"""Objects of a page, as kubectl asks for."""

_EXPIRED = 410


def read_pages(cluster: Cluster, path: str, query: Mapping[str, str]) -> tuple[list[Any], str]:
    """The items of all pages, and the resourceVersion that they are of, from which a watch goes on.

    Where the rest has expired meanwhile, the list is read anew, in one piece.
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
