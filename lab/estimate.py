# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Estimate how long several builds take, from what they take as a rule and from how far they are."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping

_TRUST = 0.1
"""The share of the work after which what was measured weighs as much as what is known of other machines."""


class Estimate:
    """The time that builds take which run side by side.

    seconds: what each takes of one processor, by name. clock: seconds.
    """

    def __init__(
        self, seconds: Mapping[str, float], *, processors: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._processors = processors or len(os.sched_getaffinity(0))
        self._clock = clock
        self._begun = clock()
        self._shares = dict.fromkeys(seconds, 0.0)

    @property
    def left(self) -> float:
        """The seconds until all builds are done."""
        whole = sum(self._seconds.values())
        done = sum(self._seconds[name] * share for name, share in self._shares.items())
        known = _TRUST * whole
        pace = (self._clock() - self._begun + known / self._processors) / (done + known)
        return (whole - done) * pace

    def report(self, name: str, share: float) -> str:
        """Note the share of a build that is done; return what to say of the time that is left."""
        self._shares[name] = max(share, self._shares[name])
        return f"about {shown(self.left)} left in all"

    def finish(self, name: str) -> None:
        """Note that a build is done."""
        self._shares[name] = 1.0


def shown(seconds: float) -> str:
    """A time for a person: minutes, or seconds where it is less than one."""
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{max(seconds, 1):.0f} s"
