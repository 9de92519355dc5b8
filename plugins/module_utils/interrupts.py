# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""End a run on SIGINT and SIGTERM, also where Python loses the exception that a signal raises."""

from __future__ import annotations

import signal
from typing import Any, NoReturn

_AGAIN = 2.0
"""Seconds after which a run that has not ended is interrupted again."""


def end_on_signals() -> None:
    """Raise KeyboardInterrupt on SIGINT and SIGTERM, and again every few seconds until `ended` is called.

    Python ignores an exception that is raised in a finalizer.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, _interrupt)


def ended() -> None:
    """Stop raising the interrupt."""
    signal.setitimer(signal.ITIMER_REAL, 0)


def _interrupt(_number: int, _frame: Any) -> NoReturn:
    signal.setitimer(signal.ITIMER_REAL, _AGAIN)
    raise KeyboardInterrupt
