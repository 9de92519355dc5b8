# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Extract the schema errors from the API server's answer to an apply, without the values."""

from __future__ import annotations

import re

_BEGINNING = re.compile(
    r"failed to (?:create typed patch object|convert new object) \([^\n]*?\)(?: to proper version)?: "
)
_VALUE = re.compile(r",? got &.*")  # in Go's notation, which has no line ends


def schema_errors(message: str) -> str:
    """Return the schema errors, each with its field's path; empty if there are none."""
    beginning = _BEGINNING.match(message)
    if not beginning:
        return ""
    lines = [_VALUE.sub("", line).strip() for line in message[beginning.end() :].splitlines()]
    return "; ".join(line for line in lines if line not in ("", "errors:"))
