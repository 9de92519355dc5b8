# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Collect the warnings in the API server's answers, as kubectl prints them: deprecated kinds, unknown fields, Pod
Security, webhooks."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable

MOST = 50
"""The maximum of warnings; further ones are only counted."""

LONGEST = 500
"""The maximum length of a warning."""

_ONE = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")


class ApiWarnings:
    """Collects warnings without duplicates. Thread-safe."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}
        self._more: set[int] = set()
        self._lock = threading.Lock()

    def add(self, headers: Iterable[str]) -> None:
        """Add the warnings in the Warning headers of an answer."""
        for header in headers:
            for quoted in _ONE.findall(header):
                self._add(_printable(_ESCAPED.sub(r"\1", quoted)))

    def texts(self) -> list[str]:
        """Return the warnings in order; the last one has the number of those omitted."""
        with self._lock:
            more = [f"The API server sent {len(self._more)} more warnings."] if self._more else []
            return [*self._found, *more]

    def _add(self, text: str) -> None:
        with self._lock:
            if text and text not in self._found:
                if len(self._found) < MOST:
                    self._found[text] = None
                else:
                    self._more.add(hash(text))


def _printable(text: str) -> str:
    shown = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text.strip())
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
