# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deadlines, as times of the monotonic clock."""

from __future__ import annotations

import time


def seconds_left(deadline: float) -> float:
    """Return the seconds until a deadline; 0 after it."""
    return max(0.0, deadline - time.monotonic())
