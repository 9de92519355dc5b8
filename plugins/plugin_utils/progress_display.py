# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Display the progress of a running module: it writes lines to a file, which a thread here follows."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable
from types import TracebackType

from ansible_collections.meshops.istio.plugins.module_utils.kube import threads
from ansible_collections.meshops.istio.plugins.module_utils.progress_file import changes_in
from ansible_collections.meshops.istio.plugins.module_utils.terminal_text import on_one_line
from ansible_collections.meshops.istio.plugins.plugin_utils.report.lines import change_line

TICK = 1.0
"""Seconds between two reads of the file. Each displays the newest line, so that short tasks display none."""

REMINDER = 15.0
"""Seconds after which an unchanged line is displayed again."""


class Pace:
    """Selects the lines to display at a time (of `time.monotonic`)."""

    def __init__(self, started: float) -> None:
        self._started = started
        self._line = ""
        self._shown = started

    def forget(self) -> None:
        """Do not display the line again."""
        self._line = ""

    def next(self, news: list[str], now: float) -> str | None:
        """Return the line to display, given the new ones; None for no line."""
        newest = news[-1] if news else self._line
        if newest == self._line and (not newest or now - self._shown < REMINDER):
            return None
        still = "still " if newest == self._line else ""
        self._line, self._shown = newest, now
        return f"{still}{newest} ({now - self._started:.0f}s)"


class ProgressDisplay:
    """A context that displays the lines of a file, and yields its path."""

    def __init__(self, show: Callable[[str], None], host: str) -> None:
        self._show = show
        self._host = host
        self._over = threading.Event()

    def __enter__(self) -> str:
        handle, self._path = tempfile.mkstemp(prefix="meshops-progress-")
        os.close(handle)
        self._thread = threads.start(self._follow)
        return self._path

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        os.unlink(self._path)

    def _follow(self) -> None:
        pace = Pace(time.monotonic())
        with open(self._path, encoding="utf-8", errors="replace") as file:
            rest, over = "", False
            while not over:
                over = self._over.wait(TICK)
                *news, rest = (rest + file.read()).split("\n")
                texts: list[str] = []
                for one in news:
                    changes = changes_in(one)
                    if changes is None:
                        texts.append(one)
                    elif changes:
                        self._say(f"{changes['title']}: {change_line(changes['changes'], planned=changes['planned'])}")
                        # What was reported before may be over.
                        texts.clear()
                        pace.forget()
                line = None if over else pace.next(texts, time.monotonic())
                if line:
                    self._say(line)

    def _say(self, line: str) -> None:
        # It may contain a message of the cluster.
        self._show(on_one_line(f"  [{self._host}] {line}"))
