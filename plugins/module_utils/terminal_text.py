# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Escape control characters in texts of clusters and users, for display in a terminal."""

from __future__ import annotations

import re
import unicodedata

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode's categories of invisible characters: controls, direction marks, surrogates."""


def on_one_line(text: object) -> str:
    """Return a text on one line, with control characters escaped (such as `\\x1b`)."""
    return without_controls(re.sub(r"[\t\n\r]+", " ", str(text)))


def without_controls(text: str) -> str:
    """Return a text of one or more lines, with control characters escaped."""
    if text.isprintable():
        return text
    return "".join(_written(char) if char not in "\n\t" and _unseen(char) else char for char in text)


def _unseen(char: str) -> bool:
    return unicodedata.category(char) in _UNSEEN


def _written(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
