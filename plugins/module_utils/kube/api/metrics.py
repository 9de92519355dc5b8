# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run does to the API server, and for how long: by its phases."""

from __future__ import annotations

import threading
import time
from typing import Any

PREPARE, PLAN, CHECK, WRITE, WAIT = "prepare", "plan", "check", "write", "wait"
"""Phases of a run: what comes before its plan, the plan, what may refuse it, its writes, and until all is ready."""


class Meter:
    """Counts seconds and requests of the phase that was begun last. Safe for use by threads at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._phase = _phase(PREPARE)
        self._phases = {PREPARE: self._phase}
        self._begun = time.monotonic()

    def begin(self, phase: str) -> None:
        """What follows belongs to this phase, which may have been there before."""
        with self._lock:
            self._stop()
            self._phase = self._phases.setdefault(phase, _phase(phase))

    def count(self, method: str) -> None:
        """One more request, by its HTTP method."""
        with self._lock:
            requests = self._phase["requests"]
            requests[method] = requests.get(method, 0) + 1

    def phases(self) -> list[dict[str, Any]]:
        """The phases in the order of their beginnings: `phase`, `seconds` and `requests`, a number by HTTP method."""
        with self._lock:
            self._stop()
            return [{**phase, "seconds": round(phase["seconds"], 3)} for phase in self._phases.values()]

    def _stop(self) -> None:
        now = time.monotonic()
        self._phase["seconds"] += now - self._begun
        self._begun = now


def _phase(name: str) -> dict[str, Any]:
    return {"phase": name, "seconds": 0.0, "requests": {}}
