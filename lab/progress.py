# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person sees while the lab works: plain lines that read well in a terminal and in a CI log."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator

_EVERY = 10.0  # seconds between two lines about the same long step


def say(text: str) -> None:
    """One line on standard error: standard output carries only what a command was asked for."""
    print(f"lab: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(what: str) -> Iterator[Callable[[str], None]]:
    """Announce a long step, how far it is every few seconds, and how long it took.

    The yielded function takes how far it is, as often as one likes; the last word is shown.
    """
    started = time.monotonic()
    ended = threading.Event()
    detail = [""]

    def tell() -> None:
        while not ended.wait(_EVERY):
            far = f"{detail[0]}, " if detail[0] else ""
            say(f"{what}: {far}{time.monotonic() - started:.0f} s so far")

    def far(text: str) -> None:
        detail[0] = text

    say(f"{what} ...")
    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield far
    finally:
        ended.set()
        teller.join()
    say(f"{what}: done in {time.monotonic() - started:.1f} s")
