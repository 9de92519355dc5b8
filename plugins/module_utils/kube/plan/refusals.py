# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turn the API server's rejection of an object into an error for the user."""

from __future__ import annotations

from ..errors import ApiError, Refused
from ..objects.objects import Key

WEBHOOK = "webhook"
"""The code of refusals due to a webhook that does not answer."""


def refusal(key: Key, error: ApiError) -> Exception:
    """Return the error for an object that the API server rejects; return other errors unchanged."""
    message = str(error.body.get("message") or error.message).rstrip(".")
    if "failed calling webhook" in message:
        return Refused(
            f"Cannot apply {key}: a webhook does not answer: {message.removeprefix(_INTERNAL)}. Repair its Service, or"
            " delete its webhook configuration.",
            code=WEBHOOK,
            object=key._asdict(),
        )
    if "pod updates may not change fields" in message:
        return Refused(
            f"Cannot update {key}: only the images of a Pod can be changed. Delete it, and run this again to recreate it.",
            object=key._asdict(),
            status=error.status,
        )
    if "duplicate entries for key" in message:
        message += ". Remove the duplicates, which server-side apply does not accept"
    if error.status in (400, 403, 404, 409, 413, 422):
        return Refused(f"The API server rejected {key}: {message}.", object=key._asdict(), status=error.status)
    return error


_INTERNAL = "Internal error occurred: "
