# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a fleet takes, from what a few clusters took: a straight line through the figures, and two limits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .measure import Cost


@dataclass(frozen=True)
class Instance:
    """A machine that runs jobs: processors, and bytes of memory."""

    cpus: int
    memory: int


@dataclass(frozen=True)
class Model:
    """A job over n clusters costs `memory_base` + n * `memory_each` bytes, and `cpu_base` + n * `cpu_each` seconds.

    wait: seconds by the clock for one cluster that has a controller to itself, most of which is waiting for pods.
    """

    cpu_base: float
    cpu_each: float
    memory_base: float
    memory_each: float
    wait: float

    @classmethod
    def of(cls, costs: Mapping[int, Cost]) -> Model:
        """Fitted to costs by the number of clusters, of which there are at least two, one cluster among them."""
        cpu = _line([(count, cost.cpu) for count, cost in costs.items()])
        memory = _line([(count, float(cost.memory)) for count, cost in costs.items()])
        return cls(*cpu, *memory, wait=costs[1].seconds)

    def forks(self, instance: Instance) -> int:
        """How many clusters at once have room in a machine's memory, and keep its processors busy and no more."""
        room = (instance.memory - self.memory_base) / self.memory_each
        busy = instance.cpus * self.wait / self.cpu_each
        return max(1, math.floor(min(room, busy)))

    def seconds(self, clusters: int, instances: int, instance: Instance) -> float:
        """By the clock, for a job in as many slices as there are instances: what waits, or what computes, decides."""
        slice_ = math.ceil(clusters / instances)
        waiting = math.ceil(slice_ / self.forks(instance)) * self.wait
        computing = (self.cpu_base + slice_ * self.cpu_each) / instance.cpus
        return max(waiting, computing)


def _line(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Base and slope of least squares; a base below nothing is nothing."""
    middle = sum(x for x, _ in points) / len(points)
    height = sum(y for _, y in points) / len(points)
    slope = sum((x - middle) * (y - height) for x, y in points) / sum((x - middle) ** 2 for x, _ in points)
    return max(0.0, height - slope * middle), slope
