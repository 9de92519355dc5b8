# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages of istioctl's checks and of ours, {code, level, origin, message}: their order, and which of them count."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from ...kube.errors import InvalidInput

LEVELS = ("error", "warning", "info")
"""Levels of messages, the worst first."""

Message = dict[str, Any]

_TOLERANCE = re.compile(r"(?P<code>[A-Za-z]\w*)(?:=(?P<origin>.+))?")


def severity(message: Message) -> int:
    """The place of a message's level, the worst first."""
    return LEVELS.index(message["level"]) if message["level"] in LEVELS else len(LEVELS)


def judged(messages: Iterable[Message], tolerate: Sequence[str]) -> list[Message]:
    """The messages, the worst first, each with `tolerated`.

    `tolerate` holds codes, as `IST0103`, or a code and what it is tolerated of, as `IST0103=Pod shop/*`, with `*` for
    any text. Raises InvalidInput for anything else.
    """
    patterns = [_pattern(text) for text in tolerate]
    marked = [{**message, "tolerated": _matches(message, patterns)} for message in messages]
    return sorted(marked, key=severity)


def fatal(messages: Iterable[Message], threshold: str) -> list[Message]:
    """Those that are not tolerated, of the level `threshold` or worse; none for `never`."""
    if threshold == "never":
        return []
    return [one for one in messages if not one["tolerated"] and severity(one) <= LEVELS.index(threshold)]


def _pattern(text: str) -> tuple[str, str]:
    found = _TOLERANCE.fullmatch(text.strip())
    if found is None:
        raise InvalidInput(
            f"'{text}' in tolerate is no code: write IST0103, or IST0103=Pod shop/* for some objects only.",
            tolerate=text,
        )
    return found["code"].lower(), found["origin"] or "*"


def _matches(message: Message, patterns: Iterable[tuple[str, str]]) -> bool:
    code, origin = str(message["code"]).lower(), str(message["origin"])
    return any(code == ours and fnmatchcase(origin, of) for ours, of in patterns)
