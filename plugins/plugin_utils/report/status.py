# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compute the status of a cluster from the results of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

CLEAN, DRIFT, ERROR = "clean", "drift", "error"
Result = Mapping[str, Any]
"""The `mesh_result` of a host; with `error` (`task`, `message`) if the run failed there."""


def failed_checks(result: Result) -> list[Mapping[str, Any]]:
    """Return the failed checks of verify."""
    return [one for one in result.get("checks") or () if not one["ok"]]


def status_of(result: Result) -> str:
    """Return error for a failed run, drift for failed checks or planned changes, else clean."""
    if "error" in result:
        return ERROR
    return DRIFT if failed_checks(result) or (result.get("planned") and result.get("changes")) else CLEAN


def overall(results: Iterable[Result]) -> str:
    """Return the worst status of all results; error if there are none."""
    found = {status_of(one) for one in results}
    return next((one for one in (ERROR, DRIFT, CLEAN) if one in found), ERROR)
