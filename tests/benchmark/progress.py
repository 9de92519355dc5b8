# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells how the benchmark gets on."""

from __future__ import annotations

import sys


def say(line: str) -> None:
    """Print a line to the standard error output, as the standard one is for the table."""
    print(f"bench: {line}", file=sys.stderr, flush=True)
