# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Exceptions. Every message tells a user what failed, where, why, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class MeshError(Exception):
    """A failure with a stable `code` (in snake_case) and `details` (plain data without secrets).

    `changed`: objects were written before it, by parts that did not fail.
    """

    code = "failed"
    changed = False

    def __init__(self, message: str, *, code: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.details = details


class InvalidInput(MeshError):
    """An option, variable or file of the user is invalid."""

    code = "invalid_input"


class UnknownKind(InvalidInput):
    """The API server does not serve a kind at this version; `details` has the versions `served`."""

    code = "unknown_kind"


class Refused(MeshError):
    """A check failed; nothing was written."""

    code = "refused"


class Unreachable(MeshError):
    """The API server cannot be reached, or no longer.

    `uncertain`: the request may have succeeded, and its answer was lost.
    """

    code = "unreachable"
    uncertain = False


class Unauthorized(MeshError):
    """The API server rejected the credentials."""

    code = "unauthorized"


class NotReady(MeshError):
    """An object did not become ready in time, or has failed."""

    code = "not_ready"


class ApiError(MeshError):
    """The API server answered with an error: `status` is the HTTP status, `reason` that of Kubernetes' Status.

    `uncertain`: this request, or an earlier attempt, may have succeeded, and its answer was lost.
    """

    code = "api_error"
    uncertain = False

    def __init__(
        self,
        message: str,
        *,
        status: int,
        reason: str = "",
        body: Mapping[str, Any] | None = None,
        code: str | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message, code=code, status=status, reason=reason, **details)
        self.status = status
        self.reason = reason
        self.body = dict(body or {})

    @property
    def field_conflicts(self) -> list[Mapping[str, Any]]:
        """The conflicts with other field managers of an apply without force."""
        causes = (self.body.get("details") or {}).get("causes") or () if self.status == 409 else ()
        return [cause for cause in causes if cause.get("reason") == "FieldManagerConflict"]

    @property
    def outdated(self) -> bool:
        """True for a conflict because the object has changed since the resourceVersion of the request."""
        return self.status == 409 and self.reason != "AlreadyExists" and not self.field_conflicts
