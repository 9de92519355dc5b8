# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decode answers of the API server, and turn its errors into messages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..errors import ApiError
from ..objects.shapes import NUMBER, TEXT, List, Map, fitting, map_of
from .schema_errors import schema_errors


def decoded(data: bytes) -> Any:
    """Return the JSON of an answer, else its text."""
    try:
        return json.loads(data)
    except ValueError:
        return data.decode(errors="replace")


_STATUS = Map(
    {
        **dict.fromkeys(("message", "reason"), TEXT),
        "code": NUMBER,
        "details": Map({"causes": List(Map(dict.fromkeys(("reason", "message", "field"), TEXT)))}),
    }
)
_FORBIDDEN = re.compile(
    r'User "(.*?)" cannot (\w+) resource "([^"]+)"(?: in API group "([^"]*)")?(?: in the namespace "([^"]+)")?'
)


def api_error(method: str, path: str, status: int, data: bytes) -> ApiError:
    """Return the error of an answer."""
    body = decoded(data)
    body = fitting(body, _STATUS) if isinstance(body, dict) else {"message": str(body).strip()[:500]}
    text = str(body.get("message") or f"HTTP status {status}")
    unfit = schema_errors(text) if status == 500 else ""
    if unfit:
        # An apply that does not match the schema is the client's error.
        status, body = 422, {**body, "reason": "Invalid"}
    message = " ".join((unfit or text).split()).rstrip(".")
    body = {**body, "message": message}
    forbidden = _FORBIDDEN.search(message) if status == 403 else None
    if forbidden:
        user, verb, resource, group, namespace = forbidden.groups()
        plural, slash, subresource = resource.partition("/")
        access = f"{verb} {plural}{f'.{group}' if group else ''}{slash}{subresource}"
        access += f" in namespace {namespace}" if namespace else ""
        return ApiError(
            f"Forbidden: user '{user}' has no permission to {access}. Grant it, or use an account that has it.",
            status=status,
            reason="Forbidden",
            body=body,
            code="forbidden",
            missing=[access],
        )
    return ApiError(
        f"The API server answered {status} to {method} {path}: {message}.",
        status=status,
        reason=str(body.get("reason") or ""),
        body=body,
    )


def watched(path: str, event: Mapping[str, Any]) -> tuple[str, Any]:
    """Return the type and the object of a watch event. Raises the error of an ERROR event."""
    happened, obj = str(event.get("type")), event.get("object")
    if happened == "ERROR":
        code = map_of(obj).get("code")
        raise api_error("GET", path, code if isinstance(code, int) else 500, json.dumps(obj).encode())
    return happened, {"metadata": map_of(map_of(obj).get("metadata"))} if happened == "BOOKMARK" else obj
