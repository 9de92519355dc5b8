# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run threads that do not receive the signals of the process.

The system delivers a signal to any thread. Python's handlers run in the main thread only, which a signal to another
thread does not wake, so that an interrupted run would continue to wait.
"""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_LEFT = (signal.SIGINT, signal.SIGTERM)


def block_signals() -> None:
    """Block the signals that end a run in the calling thread."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _LEFT)


def start(target: Callable[..., object], *arguments: Any, name: str | None = None) -> threading.Thread:
    """Run `target` in a daemon thread."""

    def run() -> None:
        block_signals()
        target(*arguments)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


class _Ended(NamedTuple):
    """The result of a call; the number -1 means that a thread has no more calls."""

    number: int
    result: Any = None
    error: BaseException | None = None


def each(function: Callable[[Item], Result], items: Iterable[Item], *, size: int) -> list[Result]:
    """Call `function` for each item, at most `size` at once; return the results in order.

    After the first failure no more calls are started, and it is raised when the running ones have ended. An interrupt
    does not wait for them, unlike a thread pool.
    """
    given = list(items)
    waiting = iter(range(len(given)))
    taking, stopped = threading.Lock(), threading.Event()
    ended: queue.SimpleQueue[_Ended] = queue.SimpleQueue()

    def work() -> None:
        while True:
            with taking:
                number = -1 if stopped.is_set() else next(waiting, -1)
            if number < 0:
                ended.put(_Ended(number))
                return
            try:
                ended.put(_Ended(number, function(given[number])))
            except BaseException as error:  # noqa: BLE001 - raised in the waiting thread
                stopped.set()
                ended.put(_Ended(number, error=error))

    working = min(size, len(given))
    results: list[Any] = [None] * len(given)
    failures: dict[int, BaseException] = {}
    try:
        for _thread in range(working):
            start(work)
        while working:
            one = ended.get()
            if one.number < 0:
                working -= 1
            elif one.error is not None:
                failures[one.number] = one.error
            else:
                results[one.number] = one.result
    finally:
        stopped.set()
    if failures:
        raise failures[min(failures)]
    return results
