# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The time that builds are said to take."""

from __future__ import annotations

import pytest

from lab.estimate import Estimate, shown


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_before_anything_is_known_it_is_that_of_other_machines() -> None:
    assert Estimate({"a": 900, "b": 300}, processors=2, clock=Clock()).left == pytest.approx(600)


@pytest.mark.parametrize("pace", [0.5, 1, 3])
def test_it_learns_how_fast_this_machine_is(pace: float) -> None:
    clock = Clock()
    estimate = Estimate({"a": 900, "b": 300}, processors=2, clock=clock)
    clock.now = 600 * 0.5 * pace
    estimate.report("a", 0.5)
    estimate.report("b", 0.5)
    assert estimate.left == pytest.approx(300 * pace, rel=0.3)


def test_what_is_done_counts_no_more() -> None:
    clock = Clock()
    estimate = Estimate({"a": 100, "b": 100}, processors=1, clock=clock)
    clock.now = 100
    estimate.finish("a")
    assert estimate.left == pytest.approx(100)
    clock.now = 200
    estimate.finish("b")
    assert estimate.left == 0


def test_a_share_does_not_go_back() -> None:
    estimate = Estimate({"a": 100}, processors=1, clock=Clock())
    assert estimate.report("a", 0.5) != estimate.report("a", 0.9)
    assert estimate.report("a", 0.1) == estimate.report("a", 0.9)


def test_a_person_reads_minutes() -> None:
    assert [shown(seconds) for seconds in (0, 59, 61, 600)] == ["1 s", "59 s", "1 min", "10 min"]
