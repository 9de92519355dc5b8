# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person sees while the lab works: plain lines that read well in a terminal and in a CI log."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

_EVERY = 10.0  # seconds between two lines about the same long step


def say(text: str) -> None:
    """One line on standard error: standard output carries only what a command was asked for."""
    print(f"lab: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(what: str) -> Iterator[Callable[[str], None]]:
    """Announce a long step and its duration; the yielded function reports how far it is, at most every few seconds."""
    started = shown = time.monotonic()
    say(f"{what} ...")

    def far(detail: str) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown >= _EVERY:
            shown = now
            say(f"{what}: {detail}, {now - started:.0f} s so far")

    yield far
    say(f"{what}: done in {time.monotonic() - started:.1f} s")
