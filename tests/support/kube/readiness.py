# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Objects and conditions for tests of what is ready."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def make(api_version: str, kind: str, *, spec: Any = None, generation: int | None = 1, **status_fields: Any) -> Object:
    """An object whose status is `status_fields`; without any it has no status."""
    obj: Object = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "it", "namespace": "here"}}
    if generation is not None:
        obj["metadata"]["generation"] = generation
    if spec is not None:
        obj["spec"] = spec
    if status_fields:
        obj["status"] = status_fields
    return obj


def true(kind: str, reason: str = "", message: str = "", **more: Any) -> Object:
    return {"type": kind, "status": "True", "reason": reason, "message": message, **more}


def false(kind: str, reason: str = "", message: str = "", **more: Any) -> Object:
    return {**true(kind, reason, message, **more), "status": "False"}
