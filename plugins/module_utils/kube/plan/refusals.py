# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Say in one sentence why the API server does not accept an object."""

from __future__ import annotations

from ..errors import ApiError, Refused
from ..objects.objects import Key

WEBHOOK = "webhook"
"""The code of refusals for which the API server's webhooks are to blame."""


def refusal(key: Key, error: ApiError) -> Exception:
    """The sentence for an object that the API server does not accept; other errors stay what they are."""
    message = str(error.body.get("message") or error.message).rstrip(".")
    if "failed calling webhook" in message:
        return Refused(
            f"A webhook stands in the way of {key}, and does not answer: {message.removeprefix(_INTERNAL)}; "
            "mend what is behind it, or delete its configuration.",
            code=WEBHOOK,
            object=key._asdict(),
        )
    if "pod updates may not change fields" in message:
        return Refused(
            f"{key} exists, and of a pod no more than its images can be changed: delete it, so that it is created anew.",
            object=key._asdict(),
            status=error.status,
        )
    if "duplicate entries for key" in message:
        message += "; keep one of those that are given twice, because server-side apply accepts each only once"
    if error.status in (400, 403, 404, 409, 413, 422):
        return Refused(f"The API server refuses {key}: {message}.", object=key._asdict(), status=error.status)
    return error


_INTERNAL = "Internal error occurred: "
