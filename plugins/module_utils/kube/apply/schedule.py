# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run steps in parallel, in the order of their dependencies."""

from __future__ import annotations

import heapq
import queue
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

from .. import threads


@dataclass(eq=False)
class Step:
    """A step that runs after all steps in `needs`; of those that are ready, a low `order` goes first.

    `passive` steps only wait: they do not count as workers, and are not awaited after another step has failed.
    """

    name: Hashable
    run: Callable[[], object]
    order: int = 0
    needs: set[Hashable] = field(default_factory=set)
    passive: bool = False


def run_steps(steps: Sequence[Step], *, workers: int, done: Callable[[Step], None] = lambda _step: None) -> None:
    """Run all steps; after the first failure start no more, and raise it when the running ones have ended.

    `needs` that are not in `steps` are ignored. `done` is called in this thread. Raises ValueError for circular
    dependencies.
    """
    run = _Run(steps)
    while True:
        run.begin(workers)
        if not run.goes_on:
            break
        step = run.next_ended()
        if step is not None:
            done(step)
    if run.failure is not None:
        raise run.failure
    if run.unmet:
        raise ValueError(f"these steps wait for each other: {', '.join(map(str, run.unmet))}")


class _Run:
    def __init__(self, steps: Sequence[Step]) -> None:
        self.failure: BaseException | None = None
        self.unmet: dict[Hashable, int] = {}
        self._needed_by: dict[Hashable, list[Step]] = {step.name: [] for step in steps}
        self._ready: list[tuple[bool, int, int, Step]] = []
        self._counter = 0
        self._working = 0
        self._watching = 0
        self._ended: queue.SimpleQueue[tuple[Step, BaseException | None]] = queue.SimpleQueue()
        for step in steps:
            needs = [name for name in step.needs if name in self._needed_by]
            for name in needs:
                self._needed_by[name].append(step)
            if needs:
                self.unmet[step.name] = len(needs)
            else:
                self._queue(step)

    @property
    def goes_on(self) -> bool:
        """True if there is a step to wait for."""
        return self._working > 0 or (self._watching > 0 and self.failure is None)

    def begin(self, workers: int) -> None:
        """Start steps that are ready, up to the number of workers."""
        while self._ready and self.failure is None and (self._working < workers or self._ready[0][-1].passive):
            step = heapq.heappop(self._ready)[-1]
            self._working += not step.passive
            self._watching += step.passive
            # Not a pool, whose threads would be joined at exit, while steps may wait for long.
            threads.start(self._do, step, name=f"step {step.name}")

    def next_ended(self) -> Step | None:
        """Wait until a step has ended, and return it; None if it has failed."""
        step, error = self._ended.get()
        self._working -= not step.passive
        self._watching -= step.passive
        if error is not None:
            self.failure = self.failure or error
            return None
        for other in self._needed_by[step.name]:
            self.unmet[other.name] -= 1
            if not self.unmet[other.name]:
                del self.unmet[other.name]
                self._queue(other)
        return step

    def _queue(self, step: Step) -> None:
        self._counter += 1
        # Passive steps first, because they need no worker. The counter keeps the order of equal ones.
        heapq.heappush(self._ready, (not step.passive, step.order, self._counter, step))

    def _do(self, step: Step) -> None:
        try:
            step.run()
        except BaseException as error:  # noqa: BLE001 - raised in the waiting thread
            self._ended.put((step, error))
        else:
            self._ended.put((step, None))
