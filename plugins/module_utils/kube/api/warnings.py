# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The warnings that an API server sends with its answers, as kubectl shows them: deprecated kinds, unknown fields, Pod
Security, and what webhooks have to say."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable

MOST = 50
"""How many warnings are kept; those after them are only counted."""

LONGEST = 500
"""Characters of a warning that are kept."""

_ONE = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")


class ApiWarnings:
    """Collects warnings, each once. Safe for use by threads at once."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}
        self._more: set[int] = set()
        self._lock = threading.Lock()

    def add(self, headers: Iterable[str]) -> None:
        """Keep the warnings in the Warning headers of an answer."""
        for header in headers:
            for quoted in _ONE.findall(header):
                self._keep(_printable(_ESCAPED.sub(r"\1", quoted)))

    def texts(self) -> list[str]:
        """The warnings in the order of their arrival; the last one counts those that were too many."""
        with self._lock:
            more = [f"The API server sent {len(self._more)} more warnings."] if self._more else []
            return [*self._found, *more]

    def _keep(self, text: str) -> None:
        with self._lock:
            if text and text not in self._found:
                if len(self._found) < MOST:
                    self._found[text] = None
                else:
                    self._more.add(hash(text))


def _printable(text: str) -> str:
    shown = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text.strip())
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
