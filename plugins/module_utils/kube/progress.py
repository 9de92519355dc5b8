# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Report the progress of long operations."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str], None]
"""Called often with one short line, always from the waiting thread; the display throttles the lines."""


def silent(_line: str) -> None:
    """Report nothing."""
