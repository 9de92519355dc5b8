# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""End a run on SIGINT and SIGTERM, also where Python loses the exception that a signal raises."""

from __future__ import annotations

import signal
from typing import Any, NoReturn

_AGAIN = 2.0
"""Seconds after which a run that has not ended is interrupted once more."""


def end_on_signals() -> None:
    """Have SIGINT and SIGTERM raise KeyboardInterrupt, and raise it again every few seconds until `ended`.

    An exception that is raised while an object is finalized is printed and forgotten.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, _interrupt)


def ended() -> None:
    """The interrupt has arrived: raise it no more."""
    signal.setitimer(signal.ITIMER_REAL, 0)


def _interrupt(_number: int, _frame: Any) -> NoReturn:
    signal.setitimer(signal.ITIMER_REAL, _AGAIN)
    raise KeyboardInterrupt
