# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the API server says of an apply that does not fit a kind's schema: every error, without the values."""

from __future__ import annotations

import re

_BEGINNING = re.compile(
    r"failed to (?:create typed patch object|convert new object) \([^\n]*?\)(?: to proper version)?: "
)
_VALUE = re.compile(r",? got &.*")  # in Go's notation, which has no line ends


def schema_errors(message: str) -> str:
    """The errors in an answer to an apply, each with its field's path; empty where it is another answer."""
    beginning = _BEGINNING.match(message)
    if not beginning:
        return ""
    lines = [_VALUE.sub("", line).strip() for line in message[beginning.end() :].splitlines()]
    return "; ".join(line for line in lines if line not in ("", "errors:"))
