# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs steps that need one another, as many at once as their needs allow."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field


@dataclass
class Step:
    """One thing to do, once every step named in `needs` is done; of those that are ready, a low `order` goes first.

    `passive` steps only wait for something, and do not count against the number of workers.
    """

    name: Hashable
    run: Callable[[], None]
    order: int = 0
    needs: set[Hashable] = field(default_factory=set)
    passive: bool = False


def run_steps(steps: Sequence[Step], *, workers: int, done: Callable[[Step], object] = id) -> None:
    """Run all steps; after the first failure none is begun any more, and it is raised when those begun have ended.

    Needs that name no step of `steps` are met. Raises ValueError where steps wait for each other in a circle.
    """
    names = {step.name for step in steps}
    waiting = sorted(steps, key=lambda step: step.order)
    finished: set[Hashable] = set()
    running: dict[Future[None], Step] = {}
    failure: BaseException | None = None
    with ThreadPoolExecutor(max_workers=workers + sum(step.passive for step in steps)) as pool:
        while waiting or running:
            if failure is None:
                ready = [step for step in waiting if (step.needs & names) <= finished]
                waiting = [step for step in waiting if step not in ready]
                running.update({pool.submit(step.run): step for step in ready})
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                step = running.pop(future)
                error = future.exception()
                failure = failure or error
                if error is None:
                    finished.add(step.name)
                    done(step)
    if failure is not None:
        raise failure
    if waiting:
        raise ValueError(f"these steps wait for each other: {', '.join(str(step.name) for step in waiting)}")
