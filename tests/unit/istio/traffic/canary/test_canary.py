# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A canary's steps, its gate, the way back, and what a run does that finds another broken off."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.canary import gate
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.canary.gate import Finding
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.canary.steps import (
    BEFORE,
    Canary,
    GateFailed,
    Goal,
    check_steps,
)
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.registry import VIRTUAL_SERVICE
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput, Refused
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.memory_cluster import MemoryCluster, make

GOOD, BAD, NOTHING = Finding(True, "good", 0.0), Finding(False, "too many errors", 0.5), Finding(False, "no data")


class Mesh(MemoryCluster):
    """A cluster with Istio's kinds, whose Prometheus answers `said`."""

    said: Any = None

    def serves(self, kind: Kind) -> bool:
        return True

    def raw(self, *_arguments: Any, **_options: Any) -> Any:
        return self.said


def mesh(weight: int = 0) -> Mesh:
    route = [
        {"destination": {"host": "reviews", "subset": "v1"}, "weight": 100 - weight},
        {"destination": {"host": "reviews", "subset": "v2"}, "weight": weight},
    ]
    spec = {"hosts": ["reviews"], "http": [{"route": route}]}
    return Mesh(make("VirtualService", "reviews", "shop", api=VIRTUAL_SERVICE.api_version, spec=spec))


def canary(cluster: Mesh, *, check_mode: bool = False) -> Canary:
    return Canary(cluster, "reviews", "shop", Goal("v2"), check_mode, lambda _line: None)


def weights(cluster: Mesh) -> tuple[list[int], bool]:
    """The weights in the cluster, and whether a canary is under way."""
    live = cluster.get(VIRTUAL_SERVICE, "reviews", "shop")
    assert live is not None
    rules = live["spec"]["http"]
    return [one["weight"] for one in rules[0]["route"]], BEFORE in live["metadata"].get("annotations", {})


def test_weights_rise_as_long_as_the_gate_is_content() -> None:
    cluster = mesh()
    seen: list[tuple[list[int], bool]] = []

    def ask() -> Finding:
        seen.append(weights(cluster))
        return GOOD

    assert canary(cluster).shift([10, 50, 100], 0, ask) == 100
    assert seen == [([90, 10], True), ([50, 50], True), ([0, 100], True)]
    assert weights(cluster) == ([0, 100], False)
    written = list(cluster.writes)
    assert canary(cluster).shift([10, 50, 100], 0, ask) == 100
    assert (cluster.writes, len(seen)) == (written, 3)


@pytest.mark.parametrize(("last", "code"), [(BAD, "gate_failed"), (NOTHING, "no_data")])
def test_a_gate_that_says_no_or_nothing_brings_the_route_back(last: Finding, code: str) -> None:
    cluster, findings = mesh(), iter([GOOD, last])
    with pytest.raises(GateFailed, match="went back from 50 % to 0 %") as caught:
        canary(cluster).shift([10, 50, 100], 0, lambda: next(findings))
    assert (caught.value.code, weights(cluster)) == (code, ([100, 0], False))


@pytest.fixture
def broken_off() -> Mesh:
    """A mesh where a run was killed at 50 %."""
    cluster, findings = mesh(), iter([GOOD])
    with pytest.raises(StopIteration):
        canary(cluster).shift([10, 50, 100], 0, lambda: next(findings))
    assert weights(cluster) == ([50, 50], True)
    return cluster


def test_after_a_kill_a_run_goes_on(broken_off: Mesh) -> None:
    seen: list[list[int]] = []

    def ask() -> Finding:
        seen.append(weights(broken_off)[0])
        return GOOD

    canary(broken_off).shift([10, 50, 100], 0, ask)
    assert (seen, weights(broken_off)) == ([[50, 50], [0, 100]], ([0, 100], False))


def test_after_a_kill_a_run_goes_back_to_what_was_before(broken_off: Mesh) -> None:
    with pytest.raises(GateFailed):
        canary(broken_off).shift([10, 50, 100], 0, lambda: BAD)
    assert weights(broken_off) == ([100, 0], False)


def test_after_a_kill_it_can_be_told_to_go_back(broken_off: Mesh) -> None:
    assert canary(broken_off).roll_back() == 0
    written = list(broken_off.writes)
    assert (canary(broken_off).roll_back(), broken_off.writes) == (0, written)
    assert weights(broken_off) == ([100, 0], False)


def test_check_mode_asks_and_writes_nothing() -> None:
    cluster = mesh()
    planned = canary(cluster, check_mode=True)
    assert planned.shift([10, 100], 0, lambda: pytest.fail("the gate was asked")) == 100
    assert (len(planned.changes), cluster.writes) == (1, [])


def test_a_route_without_the_canary_is_refused() -> None:
    with pytest.raises(Refused, match="No rule of the route has 'v3'"):
        Canary(mesh(), "reviews", "shop", Goal("v3"), False, print).shift([100], 0, lambda: GOOD)
    with pytest.raises(Refused, match="There is no VirtualService ratings"):
        Canary(mesh(), "ratings", "shop", Goal("v2"), False, print).shift([100], 0, lambda: GOOD)


@pytest.mark.parametrize("steps", [[], [50, 10], [0, 100], [50, 101], [10, 10]])
def test_steps_that_do_not_rise_are_refused(steps: list[int]) -> None:
    with pytest.raises(InvalidInput):
        check_steps(steps, 0)


def vector(*values: str) -> dict[str, Any]:
    series = [{"metric": {}, "value": [1, value]} for value in values]
    return {"status": "success", "data": {"resultType": "vector", "result": series}}


@pytest.mark.parametrize(
    ("said", "ok", "value"),
    [
        (vector("0.005"), True, 0.005),
        (vector("0.2"), False, 0.2),
        (vector(), False, None),
        (vector("NaN"), False, None),
        (vector("0", "0"), False, None),
        ({"status": "success", "data": {"resultType": "scalar", "result": [1, "0"]}}, True, 0.0),
        ({"status": "error"}, False, None),
        ("no JSON", False, None),
        ({"status": "success", "data": {"resultType": "vector", "result": [7]}}, False, None),
        ({"status": "success", "data": {"resultType": "vector", "result": [{"value": {"x": "0"}}]}}, False, None),
        ({"status": "success", "data": ["0"]}, False, None),
    ],
)
def test_what_prometheus_says_is_a_verdict(said: Any, ok: bool, value: float | None) -> None:
    cluster = mesh()
    cluster.said = json.loads(json.dumps(said))
    options = {"service": "istio-system/prometheus:9090", "query": "errors", "max": 0.01}
    found = gate.ask(cluster, options, None)
    assert (found.ok, found.value) == (ok, value)


def test_a_prometheus_that_does_not_answer_is_no_data() -> None:
    found = gate.ask(mesh(), {"url": "http://127.0.0.1:1", "query": "errors", "max": 1}, None)
    assert (found.ok, found.value) == (False, None)


@pytest.mark.parametrize(
    ("prometheus", "answers"),
    [
        (None, None),
        ({"query": "x", "max": 1}, None),
        ({"query": "x", "url": "http://x"}, None),
        ({"query": "x", "service": "prometheus", "max": 1}, None),
        (None, {"url": "http://x", "count": 0}),
        (None, {"url": "file:///etc/passwd", "count": 1}),
    ],
)
def test_a_gate_that_cannot_say_anything_is_refused(prometheus: Any, answers: Any) -> None:
    with pytest.raises(InvalidInput):
        gate.check(prometheus, answers)
