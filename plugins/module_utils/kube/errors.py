# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong, as types. Every message is one sentence for a user: what, where, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class MeshError(Exception):
    """A failure with a stable `code` (a snake_case word) and `details` (plain data, no secrets)."""

    code = "failed"

    def __init__(self, message: str, *, code: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.details = details


class InvalidInput(MeshError):
    """What the user gave cannot be used as it is."""

    code = "invalid_input"


class UnknownKind(InvalidInput):
    """The API server does not serve this kind at this version; `details` name the versions `served` of the kind."""

    code = "unknown_kind"


class Refused(MeshError):
    """A check said no; nothing was written."""

    code = "refused"


class Unreachable(MeshError):
    """No API server answers at the address, or it stopped answering.

    `uncertain`: the request may have been carried out, with its answer lost.
    """

    code = "unreachable"
    uncertain = False


class Unauthorized(MeshError):
    """The API server does not accept the credentials."""

    code = "unauthorized"


class NotReady(MeshError):
    """The time is up and something is not ready, or it has failed for good."""

    code = "not_ready"


class ApiError(MeshError):
    """The API server answered with an error: `status` is the HTTP status, `reason` Kubernetes' own word for it.

    `uncertain`: this request, or an earlier attempt at it, may have been carried out, with its answer lost.
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
        """The causes by which other managers own fields that an apply without force would change."""
        causes = (self.body.get("details") or {}).get("causes") or () if self.status == 409 else ()
        return [cause for cause in causes if cause.get("reason") == "FieldManagerConflict"]

    @property
    def outdated(self) -> bool:
        """Whether the object has changed since the version that the request names: read it again, and ask again."""
        return self.status == 409 and self.reason != "AlreadyExists" and not self.field_conflicts
