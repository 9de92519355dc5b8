# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make bench` makes of its figures, and which rows it measures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.meshops.istio.tests.benchmark import plot, results, run
from ansible_collections.meshops.istio.tests.benchmark.failure import BenchmarkError
from ansible_collections.meshops.istio.tests.benchmark.results import Result, compared, in_turn

ROWS = [
    compared("install", [1.0, 2.0, 9.0], [2.0, 4.0, 10.0], peer="istioctl install", goal=0.85),
    Result("writes", 0, 0, unit=""),
    Result("memory", 120.0, 100, unit="MB"),
]


def test_a_ratio_is_the_median_of_pairs() -> None:
    assert ROWS[0].as_dict() == {
        "name": "install",
        "ours": 2.0,
        "peer": "istioctl install",
        "peer_value": 4.0,
        "ratio": 0.5,
        "goal": 0.85,
        "met": True,
    }


def test_without_a_peer_the_goal_is_for_the_figure_itself() -> None:
    assert [row.met for row in ROWS] == [True, True, False]


def test_measurements_go_in_turn_and_every_other_round_backwards() -> None:
    order: list[str] = []

    def measuring(name: str) -> float:
        order.append(name)
        return float(len(order))

    assert in_turn(2, lambda: measuring("ours"), lambda: measuring("theirs")) == [[1.0, 4.0], [2.0, 3.0]]
    assert order == ["ours", "theirs", "theirs", "ours"]


def test_the_table_tells_which_goals_are_met() -> None:
    _head, *lines = results.table(ROWS).splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "install 2 s 4 s 0.50 <= 0.85 met istioctl install",
        "writes 0 <= 0 met",
        "memory 120 MB <= 100 MB MISSED",
    ]


def test_the_results_are_data_and_a_picture(tmp_path: Path) -> None:
    results.write(ROWS, tmp_path / "bench" / "results.json")
    plot.draw(ROWS, tmp_path / "bench" / "results.svg")
    assert [row["name"] for row in json.loads((tmp_path / "bench" / "results.json").read_text())] == [
        "install",
        "writes",
        "memory",
    ]
    picture = (tmp_path / "bench" / "results.svg").read_text()
    assert all(word in picture for word in ("<svg", "install / istioctl install", "memory", "missed"))


def test_rows_are_chosen_by_name() -> None:
    assert list(run.chosen({"ROWS": "again, memory"})) == ["memory", "again"]
    assert set(run.chosen({})) - set(run.chosen({"SHORT": "1"})) == {"helm", "injection", "playbook", "site"}
    assert list(run.chosen({"ROWS": "helm", "SHORT": "1"})) == ["helm"]
    with pytest.raises(BenchmarkError, match="ROWS=fast: the rows are install, "):
        run.chosen({"ROWS": "fast"})
