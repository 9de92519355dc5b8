# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the stand-in answers when it says no, in the form that Azure says it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Refusal(Exception):
    """An answer that is an error: the HTTP status, Azure's own code, and its sentence."""

    status: int
    code: str
    message: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """As the Azure Resource Manager words errors."""
        return {"error": {"code": self.code, "message": self.message}}


def not_found(kind: str, name: str, group: str) -> Refusal:
    """There is no such resource."""
    return Refusal(
        404, "ResourceNotFound", f"The Resource '{kind}/{name}' under resource group '{group}' was not found."
    )


def no_group(group: str) -> Refusal:
    """There is no such resource group."""
    return Refusal(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def malformed(message: str) -> Refusal:
    """The body is not what the API takes."""
    return Refusal(400, "BadRequest", message)
