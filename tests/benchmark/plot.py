# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The results as a picture: how much of its goal each row takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pygal
from pygal.style import Style

from .results import Result

_MET, _MISSED = "#2a9d5c", "#d1495b"
_MOST = 200.0  # per cent; a longer bar would make the others short


def draw(results: Sequence[Result], path: Path) -> None:
    """Write an SVG with a bar for each row that has a goal other than none at all."""
    shown = [result for result in results if result.goal]
    chart = pygal.HorizontalBar(
        style=Style(colors=(_MET, _MISSED), font_family="sans-serif"),
        title="How much of its goal each row takes (100 % is the goal, less is better)",
        x_title="% of the goal",
        width=1100,
        height=120 + 34 * len(shown),
        range=(0, _MOST),
        js=(),
        print_values=True,
        truncate_label=-1,
        legend_at_bottom=True,
    )
    chart.x_labels = [_label(result) for result in reversed(shown)]
    for title, met in (("met", True), ("missed", False)):
        chart.add(title, [_bar(result) if result.met == met else None for result in reversed(shown)])
    path.parent.mkdir(parents=True, exist_ok=True)
    chart.render_to_file(str(path))


def _bar(result: Result) -> dict[str, object]:
    used = 100 * result.judged / result.goal
    return {"value": min(used, _MOST), "formatter": lambda _value: f"{used:.0f} %"}


def _label(result: Result) -> str:
    against = f" / {result.peer}" if result.peer else ""
    return f"{result.name}{against}"
