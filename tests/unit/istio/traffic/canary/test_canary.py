# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A canary's steps, its gate, the way back, and what a run does that finds another broken off."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.canary import gate
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.canary.gate import Finding
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.canary.steps import (
    BEFORE,
    Canary,
    GateFailed,
    Goal,
    Step,
    check_steps,
)
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.registry import VIRTUAL_SERVICE
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.reconcile import reconcile
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.settings import Settings
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput, Refused
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.builtin_kinds import Resource
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.tests.support.memory_cluster import MemoryCluster, make
from ansible_collections.meshops.istio.tests.support.messages import has_facts

GOOD, BAD, NOTHING = Finding(True, "good", 0.0), Finding(False, "too many errors", 0.5), Finding(False, "no data")


class Mesh(MemoryCluster):
    """A cluster with Istio's kinds, whose Prometheus answers `said`."""

    said: Any = None

    def __init__(self, *objects: dict[str, Any]) -> None:
        super().__init__(*objects)
        self._resources[VIRTUAL_SERVICE] = Resource("virtualservices", namespaced=True)

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


Ask = Callable[[], Finding]


def shift(
    cluster: Mesh, steps: list[int] | None, ask: Ask, *, name: str = "reviews", to: str = "v2", **how: Any
) -> Any:
    """Shift the route by these steps, or with None back; returns the outcome and the weight at the end."""
    canary = Canary(name, "shop", Goal(to), ask, silent, steps=steps)
    outcome = reconcile(cluster, canary.unit(), Settings(timeout=60, wait=False, **how))
    return outcome, canary.weight


def never() -> Finding:
    pytest.fail("the gate was asked")


def weights(cluster: Mesh) -> tuple[list[int], bool]:
    """The weights in the cluster, and whether a canary is under way."""
    live = cluster.get(VIRTUAL_SERVICE, "reviews", "shop")
    assert live is not None
    rules = live["spec"]["http"]
    return [one["weight"] for one in rules[0]["route"]], BEFORE in live["metadata"].get("annotations", {})


def test_weights_increase_while_the_gate_passes() -> None:
    cluster = mesh()
    seen: list[tuple[list[int], bool]] = []

    def ask() -> Finding:
        seen.append(weights(cluster))
        return GOOD

    assert shift(cluster, [10, 50, 100], ask)[1] == 100
    assert seen == [([90, 10], True), ([50, 50], True), ([0, 100], True)]
    assert weights(cluster) == ([0, 100], False)
    written = list(cluster.writes)
    assert shift(cluster, [10, 50, 100], ask)[1] == 100
    assert (cluster.writes, len(seen)) == (written, 3)


@pytest.mark.parametrize(("last", "code"), [(BAD, "gate_failed"), (NOTHING, "no_data")])
def test_a_failed_gate_or_one_without_data_restores_the_route(last: Finding, code: str) -> None:
    cluster, findings = mesh(), iter([GOOD, last])
    with pytest.raises(GateFailed, match="went back from 50 % to 0 %") as caught:
        shift(cluster, [10, 50, 100], lambda: next(findings))
    assert (caught.value.code, weights(cluster)) == (code, ([100, 0], False))


@pytest.fixture
def broken_off() -> Mesh:
    """A mesh where a run was killed at 50 %."""
    cluster, findings = mesh(), iter([GOOD])
    with pytest.raises(StopIteration):
        shift(cluster, [10, 50, 100], lambda: next(findings))
    assert weights(cluster) == ([50, 50], True)
    return cluster


def test_an_interrupted_canary_is_resumed(broken_off: Mesh) -> None:
    seen: list[list[int]] = []

    def ask() -> Finding:
        seen.append(weights(broken_off)[0])
        return GOOD

    shift(broken_off, [10, 50, 100], ask)
    assert (seen, weights(broken_off)) == ([[50, 50], [0, 100]], ([0, 100], False))


def test_an_interrupted_canary_restores_the_original_route(broken_off: Mesh) -> None:
    with pytest.raises(GateFailed):
        shift(broken_off, [10, 50, 100], lambda: BAD)
    assert weights(broken_off) == ([100, 0], False)


def test_an_interrupted_canary_can_be_rolled_back(broken_off: Mesh) -> None:
    assert shift(broken_off, None, never)[1] == 0
    written = list(broken_off.writes)
    assert (shift(broken_off, None, never)[1], broken_off.writes) == (0, written)
    assert weights(broken_off) == ([100, 0], False)


def test_check_mode_shows_the_steps_and_writes_nothing() -> None:
    cluster = mesh()
    outcome, weight = shift(cluster, [10, 100], never, check=True, diff=True)
    assert (weight, [change["action"] for change in outcome.changes], cluster.writes) == (100, ["update"] * 3, [])
    first, second, last = (one["prepared"] for one in outcome.diff)
    assert "+      weight: 10" in first
    assert has_facts(first.splitlines()[0], "VirtualService shop/reviews & step 1 of 2, 10 % & gate")
    assert has_facts(second.splitlines()[0], "step 2 of 2, 100 %")
    assert "finished at 100 %" in last.splitlines()[0]


def test_the_steps_have_what_the_gate_measured() -> None:
    findings = iter([Finding(True, "the query's value is 0.1", 0.1), Finding(True, "the query's value is 0.2", 0.2)])
    canary = Canary("reviews", "shop", Goal("v2"), lambda: next(findings), silent, steps=[10, 100])
    settings = Settings(timeout=60, wait=False)
    reconcile(mesh(), canary.unit(), replace(settings, check=True))
    assert canary.taken == [Step(10), Step(100)]
    cluster = mesh()
    reconcile(cluster, canary.unit(), settings)
    assert canary.taken == [Step(10, 0.1, "the query's value is 0.1"), Step(100, 0.2, "the query's value is 0.2")]
    reconcile(cluster, canary.unit(), settings)
    assert canary.taken == []


def test_a_route_that_another_changes_between_two_steps_is_left_as_it_is() -> None:
    cluster = mesh()

    def meddle() -> Finding:
        live = cluster.get(VIRTUAL_SERVICE, "reviews", "shop")
        assert live is not None
        live["spec"]["http"].append({"route": [{"destination": {"host": "elsewhere"}}]})
        cluster.put(live)
        return GOOD

    with pytest.raises(Refused, match="VirtualService shop/reviews has changed") as caught:
        shift(cluster, [10, 50, 100], meddle)
    assert caught.value.code == "plan_changed"
    assert (weights(cluster), len(cluster.writes)) == (([90, 10], True), 1)


def test_another_plan_than_the_approved_one_is_refused() -> None:
    cluster = mesh()
    approved = shift(cluster, [10, 100], never, check=True)[0].digest
    with pytest.raises(Refused) as caught:
        shift(cluster, [50, 100], never, expected_digest=approved)
    assert (caught.value.code, cluster.writes) == ("plan_changed", [])
    assert shift(cluster, [10, 100], lambda: GOOD, expected_digest=approved)[1] == 100


def test_a_route_without_the_canary_is_refused() -> None:
    with pytest.raises(Refused, match="No rule of the route has 'v3'"):
        shift(mesh(), [100], never, to="v3")
    with pytest.raises(Refused, match="VirtualService shop/ratings was not found"):
        shift(mesh(), [100], never, name="ratings")


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
def test_the_value_of_a_query_decides(said: Any, ok: bool, value: float | None) -> None:
    cluster = mesh()
    cluster.said = json.loads(json.dumps(said))
    options = {"service": "istio-system/prometheus:9090", "query": "errors", "max": 0.01}
    found = gate.ask(cluster, options, None)
    assert (found.ok, found.value) == (ok, value)


def test_an_unreachable_prometheus_is_no_data() -> None:
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
def test_an_incomplete_gate_is_refused(prometheus: Any, answers: Any) -> None:
    with pytest.raises(InvalidInput):
        gate.check(prometheus, answers)
