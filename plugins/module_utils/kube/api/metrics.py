# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Count the requests and the time of a run by phases."""

from __future__ import annotations

import threading
import time
from typing import Any

PREPARE, PLAN, CHECK, WRITE, WAIT = "prepare", "plan", "check", "write", "wait"
"""Phases of a run: before the plan, the plan, its checks, the writes, and waiting."""


class Meter:
    """Counts seconds and requests of the current phase. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._phase = _phase(PREPARE)
        self._phases = {PREPARE: self._phase}
        self._begun = time.monotonic()

    def begin(self, phase: str) -> None:
        """Start or continue a phase."""
        with self._lock:
            self._stop()
            self._phase = self._phases.setdefault(phase, _phase(phase))

    def count(self, method: str) -> None:
        """Count a request, by HTTP method."""
        with self._lock:
            requests = self._phase["requests"]
            requests[method] = requests.get(method, 0) + 1

    def phases(self) -> list[dict[str, Any]]:
        """Return the phases in order: `phase`, `seconds` and `requests`, a number by HTTP method."""
        with self._lock:
            self._stop()
            return [{**phase, "seconds": round(phase["seconds"], 3)} for phase in self._phases.values()]

    def _stop(self) -> None:
        now = time.monotonic()
        self._phase["seconds"] += now - self._begun
        self._begun = now


def _phase(name: str) -> dict[str, Any]:
    return {"phase": name, "seconds": 0.0, "requests": {}}
