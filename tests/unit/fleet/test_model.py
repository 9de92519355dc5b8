# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the figures of a few clusters come to for a fleet."""

from __future__ import annotations

import pytest
from ansible_collections.meshops.istio.tests.fleet.measure import Cost
from ansible_collections.meshops.istio.tests.fleet.model import Instance, Model
from ansible_collections.meshops.istio.tests.fleet.run import chosen, told

MIB = 1 << 20
COSTS = {
    count: Cost(seconds=20.5, cpu=4 + 10 * count, memory=(100 + 50 * count) * MIB, processes=4) for count in (1, 2, 4)
}


def test_the_line_is_the_one_that_the_figures_lie_on() -> None:
    model = Model.of(COSTS)
    found = [model.cpu_base, model.cpu_each, model.memory_base, model.memory_each]
    assert found == pytest.approx([4, 10, 100 * MIB, 50 * MIB])


@pytest.mark.parametrize(
    ("instance", "forks"),
    [
        (Instance(cpus=4, memory=16 << 30), 8),  # the processors: 4 * 20.5 s of the 10 s that a cluster computes
        (Instance(cpus=64, memory=610 * MIB), 10),  # the memory: 510 MiB for 50 each
        (Instance(cpus=1, memory=MIB), 1),
    ],
)
def test_as_many_at_once_as_have_room_and_work(instance: Instance, forks: int) -> None:
    assert Model.of(COSTS).forks(instance) == forks


def test_more_instances_take_less_time() -> None:
    model, instance = Model.of(COSTS), Instance(cpus=4, memory=16 << 30)
    one, ten = (model.seconds(1000, count, instance) for count in (1, 10))
    assert one == pytest.approx(125 * 20.5)
    assert ten == pytest.approx(13 * 20.5)  # 100 clusters, 8 at once


def test_the_table_has_a_line_for_each_run() -> None:
    assert [line.split()[:2] for line in told({"first": COSTS})[3:]] == [["first", "8"]]


@pytest.mark.parametrize("given", ["2,4", "1", "many"])
def test_numbers_that_no_line_can_be_drawn_through_are_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        chosen({"CLUSTERS": given})
