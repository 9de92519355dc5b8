# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Threads that leave a process's signals to its main thread.

The system hands a signal to any thread. Python's handlers run in the main one only, which a signal that another thread
has got does not wake: an interrupted run would go on until whatever it waits for has come.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_LEFT = (signal.SIGINT, signal.SIGTERM)


def leave_signals() -> None:
    """Have the calling thread get no more of the signals that end a run."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _LEFT)


def start(target: Callable[..., object], *arguments: Any, name: str | None = None) -> threading.Thread:
    """Run `target` in a thread that does not keep the process from ending."""

    def run() -> None:
        leave_signals()
        target(*arguments)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


def pool(size: int) -> ThreadPoolExecutor:
    """At most `size` threads for many calls."""
    return ThreadPoolExecutor(max_workers=size, initializer=leave_signals)
