# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows of results, and how pairs are measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from .progress import say

Measurement = Callable[[], float]


@dataclass(frozen=True)
class Result:
    """One row. With a peer, `goal` bounds the ratio, else it bounds `ours` itself; `unit` is that of both values."""

    name: str
    ours: float
    goal: float
    peer: str = ""
    peer_value: float | None = None
    ratio: float | None = None
    unit: str = "s"

    @property
    def met(self) -> bool:
        return self.judged <= self.goal

    @property
    def judged(self) -> float:
        """What the goal is for."""
        return self.ours if self.ratio is None else self.ratio

    def as_dict(self) -> dict[str, Any]:
        """The row as plain data."""
        return {
            "name": self.name,
            "ours": _rounded(self.ours),
            "peer": self.peer,
            "peer_value": _rounded(self.peer_value),
            "ratio": _rounded(self.ratio),
            "goal": self.goal,
            "met": self.met,
        }


def in_turn(times: int, *measurements: Measurement) -> list[list[float]]:
    """Measure all in turn, `times` times; the figures of each. Every other round goes backwards, so that none always
    follows the same."""
    order = list(range(len(measurements)))
    figures: list[list[float]] = [[] for _one in measurements]
    for number in range(times):
        for index in reversed(order) if number % 2 else order:
            figures[index].append(measurements[index]())
        seconds = ", ".join(f"{measured[-1]:.2f} s" for measured in figures)
        say(f"  round {number + 1} of {times}: {seconds}")
    return figures


def compared(
    name: str, ours: Sequence[float], theirs: Sequence[float], *, peer: str, goal: float, unit: str = "s"
) -> Result:
    """A row of pairs: the median of their ratios, and of each side."""
    ratio = median(mine / other for mine, other in zip(ours, theirs, strict=True))
    return Result(name, median(ours), goal, peer, median(theirs), ratio, unit)


def table(results: Sequence[Result]) -> str:
    """The rows for a terminal."""
    head = ("", "ours", "peer's", "ratio", "goal", "", "peer")
    lines = [head, *(_cells(result) for result in results)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    text = [
        [
            cell.ljust(width) if column in (0, 5, 6) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in lines
    ]
    return "\n".join("  ".join(line).rstrip() for line in text)


def _cells(result: Result) -> tuple[str, ...]:
    goal = f"{result.goal:g}" if result.ratio is not None else f"{result.goal:g} {result.unit}"
    return (
        result.name,
        f"{_shown(result.ours)} {result.unit}",
        "" if result.peer_value is None else f"{_shown(result.peer_value)} {result.unit}",
        "" if result.ratio is None else f"{result.ratio:.2f}",
        f"<= {goal}",
        "met" if result.met else "MISSED",
        result.peer,
    )


def _shown(value: float) -> str:
    return f"{value:.0f}" if value == int(value) or value >= 100 else f"{value:.2f}"


def write(results: Sequence[Result], path: Path) -> None:
    """The rows as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([result.as_dict() for result in results], indent=2) + "\n", encoding="utf-8")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
