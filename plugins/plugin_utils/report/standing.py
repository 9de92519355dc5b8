# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a cluster stands by what a run found out about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

CLEAN, DRIFT, ERROR = "clean", "drift", "error"
Result = Mapping[str, Any]
"""What a run left of a host in `mesh_result`; with `error` (`task`, `message`) where the run did not come to its end."""


def failed_checks(result: Result) -> list[Mapping[str, Any]]:
    """What verify found that does not hold."""
    return [one for one in result.get("checks") or () if not one["ok"]]


def standing(result: Result) -> str:
    """Error where nothing can be said; drift where something does not hold, or a plan has changes; else clean."""
    if "error" in result:
        return ERROR
    return DRIFT if failed_checks(result) or (result.get("planned") and result.get("changes")) else CLEAN


def overall(results: Iterable[Result]) -> str:
    """The worst of all, and an error where there is nothing."""
    found = {standing(one) for one in results}
    return next((one for one in (ERROR, DRIFT, CLEAN) if one in found), ERROR)
