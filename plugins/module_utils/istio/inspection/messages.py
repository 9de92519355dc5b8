# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sort and filter messages of checks, {code, level, origin, message}, by level and ignored codes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from ...kube.errors import InvalidInput

LEVELS = ("error", "warning", "info")
"""Levels of messages, the most severe first."""

Message = dict[str, Any]

_TOLERANCE = re.compile(r"(?P<code>[A-Za-z]\w*)(?:=(?P<origin>.+))?")


def severity(message: Message) -> int:
    """Return the position of a message's level in LEVELS."""
    return LEVELS.index(message["level"]) if message["level"] in LEVELS else len(LEVELS)


def sorted_messages(messages: Iterable[Message], tolerate: Sequence[str]) -> list[Message]:
    """Return the messages, the most severe first, each with `tolerated`.

    `tolerate`: codes to ignore, such as `IST0103`, or for some objects only, such as `IST0103=Pod shop/*`, with `*` for
    any text. Raises InvalidInput for anything else.
    """
    patterns = [_pattern(text) for text in tolerate]
    marked = [{**message, "tolerated": _matches(message, patterns)} for message in messages]
    return sorted(marked, key=severity)


def fatal(messages: Iterable[Message], threshold: str) -> list[Message]:
    """Return the messages of the level `threshold` or more severe that are not ignored; none for `never`."""
    if threshold == "never":
        return []
    return [one for one in messages if not one["tolerated"] and severity(one) <= LEVELS.index(threshold)]


def _pattern(text: str) -> tuple[str, str]:
    found = _TOLERANCE.fullmatch(text.strip())
    if found is None:
        raise InvalidInput(
            f"The entry '{text}' of tolerate is invalid: it must be a code. Use, for example, IST0103, or"
            " IST0103=Pod shop/* for some objects only.",
            tolerate=text,
        )
    return found["code"].lower(), found["origin"] or "*"


def _matches(message: Message, patterns: Iterable[tuple[str, str]]) -> bool:
    code, origin = str(message["code"]).lower(), str(message["origin"])
    return any(code == ours and fnmatchcase(origin, of) for ours, of in patterns)
