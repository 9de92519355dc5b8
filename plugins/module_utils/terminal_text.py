# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text that clusters and users gave, as a terminal shows it and does not obey it."""

from __future__ import annotations

import re
import unicodedata

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode's categories of what has no form of its own: controls, marks of direction, halves of characters."""


def on_one_line(text: object) -> str:
    """A text for a terminal: one line, in which controls are written out (an escape as `\\x1b`)."""
    return without_controls(re.sub(r"[\t\n\r]+", " ", str(text)))


def without_controls(text: str) -> str:
    """A text, of one line or several, in which controls are written out."""
    if text.isprintable():
        return text
    return "".join(_written(char) if char not in "\n\t" and _unseen(char) else char for char in text)


def _unseen(char: str) -> bool:
    return unicodedata.category(char) in _UNSEEN


def _written(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
