# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Escape untrusted text for Markdown."""

from __future__ import annotations

import re

from ansible_collections.meshops.istio.plugins.module_utils.terminal_text import on_one_line

_INERT = re.compile(r"[A-Za-z0-9 ,.;:()/'\"=+%-]*")
_LINKED = re.compile(r"://|www\.|\bGH-\d", re.IGNORECASE)
"""Plain text that GitHub and GitLab turn into links."""


def in_markdown(text: object) -> str:
    """Return a text without links, images, mentions or HTML: as code if it may contain these."""
    shown = on_one_line(text)
    return shown if _INERT.fullmatch(shown) and not _LINKED.search(shown) else as_code(shown)


def as_code(text: object) -> str:
    """Return a text as inline code."""
    shown = on_one_line(text)
    longest = max(map(len, re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {shown} {fence}" if longest else f"{fence}{shown}{fence}"
