# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waves: by an order, by size, by a label."""

from __future__ import annotations

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.upgrade.waves import waves
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.tests.support.memory_cluster import namespace

NAMES = {name: namespace(name) for name in "abcde"}


def test_each_namespace_is_a_wave() -> None:
    assert waves(NAMES) == [["a"], ["b"], ["c"], ["d"], ["e"]]


def test_the_order_comes_first_and_the_others_by_size() -> None:
    assert waves(NAMES, ["d", ["b", "e"]], size="2") == [["d"], ["b", "e"], ["a", "c"]]


@pytest.mark.parametrize(
    ("size", "lengths"), [("50%", [2, 2, 1]), ("100%", [5]), ("1%", [1, 1, 1, 1, 1]), ("3", [3, 2])]
)
def test_a_size_is_a_number_or_a_percentage(size: str, lengths: list[int]) -> None:
    assert [len(wave) for wave in waves(NAMES, size=size)] == lengths


def test_the_values_of_a_label_are_waves() -> None:
    marked = {"x": namespace("x", stage="2"), "y": namespace("y", stage="1"), "z": namespace("z", stage="2")}
    assert waves({**marked, "a": NAMES["a"]}, label="stage") == [["y"], ["x", "z"], ["a"]]


@pytest.mark.parametrize(
    ("order", "size", "named"),
    [(["nowhere"], "1", "nowhere"), (["a", ["a"]], "1", "a"), ([], "0", "0"), ([], "%", "%")],
)
def test_what_is_no_wave_is_refused(order: list[object], size: str, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        waves(NAMES, order, size=size)
