# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that waits for its threads ends when it is told to, whatever they do."""

from __future__ import annotations

import queue
import signal
from collections.abc import Set as AbstractSet

from ansible_collections.meshops.istio.plugins.module_utils.kube import threads

ENDING = {signal.SIGINT, signal.SIGTERM}


def blocked() -> AbstractSet[int]:
    """The signals that the calling thread does not get."""
    return signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_thread_gets_none_of_the_signals_that_end_a_run() -> None:
    seen: queue.SimpleQueue[AbstractSet[int]] = queue.SimpleQueue()
    threads.start(lambda: seen.put(blocked()))
    assert seen.get(timeout=10) >= ENDING


def test_nor_does_one_of_many() -> None:
    assert all(seen >= ENDING for seen in threads.each(lambda _number: blocked(), range(3), size=2))


def test_the_main_thread_gets_them() -> None:
    assert not blocked() & ENDING
