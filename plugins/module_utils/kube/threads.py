# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Threads that leave a process's signals to its main thread.

The system hands a signal to any thread. Python's handlers run in the main one only, which a signal that another thread
has got does not wake: an interrupted run would go on until whatever it waits for has come.
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


class _Ended(NamedTuple):
    """What has come of a call; a number of -1 is that of a thread that has nothing left to call."""

    number: int
    result: Any = None
    error: BaseException | None = None


def each(function: Callable[[Item], Result], items: Iterable[Item], *, size: int) -> list[Result]:
    """Call `function` with each item, at most `size` calls at once; returns the results in order.

    After the first failure no call is begun any more, and it is raised when those begun have ended. An interrupt waits
    for none of them: a pool's threads would be joined, there and when the interpreter exits.
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
            except BaseException as error:  # noqa: BLE001 - raised where it is waited for, not lost with the thread
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
