# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A change is over when istiod has read it and the proxies have acknowledged what istiod sent for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.inspection import distribution
from ansible_collections.meshops.istio.plugins.module_utils.istio.inspection.distribution import wait_for_proxies
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.change import Change
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.plan import Plan
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.tests.support.memory_cluster import MemoryCluster, make, pod
from ansible_collections.meshops.istio.tests.unit.istio.inspection.test_proxy_sync import (
    ISTIOD,
    Answering,
    Answers,
    connection,
)

LIMIT = make("EnvoyFilter", "limit", "shop", api="networking.istio.io/v1alpha3")
SYNCED, STALE = [connection("web-1.shop")], [connection("web-1.shop", listener_sent="b")]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distribution, "_DEBOUNCE", 0.0)
    monkeypatch.setattr(distribution, "_PAUSE", 0.0)


def version(number: int) -> dict[str, Any]:
    return {**LIMIT, "metadata": {**LIMIT["metadata"], "resourceVersion": str(number)}}


def deleted() -> Plan:
    plan = Plan(Unit("test", []), [], {})
    plan.changes = [Change("delete", key_of(LIMIT), version(7), None)]
    return plan


def written(number: int) -> Plan:
    plan = Plan(Unit("test", [LIMIT]), [LIMIT], {})
    plan.changes = [Change("update", key_of(LIMIT), version(7), LIMIT, desired=LIMIT)]
    plan.written[key_of(LIMIT).identity] = version(number)
    return plan


def answers(*said: Any) -> list[tuple[int, str]]:
    return [(200, json.dumps(one)) for one in said]


def wait(plan: Plan, *said: Any, timeout: float = 5.0) -> tuple[str, int]:
    """The warning, and how many of istiod's answers were not asked for."""
    left = answers(*said)
    cluster = Answering({("istio-system/istiod-1", 15014): left}, ISTIOD)
    return wait_for_proxies(cluster, plan, timeout=timeout, progress=silent), len(left) - 1


def test_a_removal_is_awaited_in_istiod_and_in_the_proxies() -> None:
    assert wait(deleted(), [version(7)], [], STALE, SYNCED) == ("", 0)


def test_a_change_is_awaited_by_its_version() -> None:
    assert wait(written(9), [version(7)], ["odd", {}, version(10)], SYNCED) == ("", 0)


def test_a_proxy_that_does_not_acknowledge_is_named() -> None:
    warning, _left = wait(deleted(), [], STALE, timeout=0.2)
    assert "1 proxies" in warning
    assert "Pod shop/web-1" in warning


def test_an_istiod_that_does_not_read_is_named() -> None:
    warning, _left = wait(deleted(), [version(7)], timeout=0.2)
    assert "Pod istio-system/istiod-1" in warning


def test_without_an_answer_there_is_nothing_to_wait_for() -> None:
    assert wait_for_proxies(Answering({}, ISTIOD), deleted(), timeout=5.0, progress=silent) == ""
    assert wait_for_proxies(MemoryCluster(), deleted(), timeout=5.0, progress=silent) == ""


def test_objects_that_istiod_does_not_list_are_not_awaited() -> None:
    plan = Plan(Unit("test", []), [], {})
    route = make("HTTPRoute", "web", "shop", api="gateway.networking.k8s.io/v1")
    plan.changes = [Change("delete", key_of(route), route, None)]
    assert wait(plan, [], STALE) == ("", 1)


def test_open_connections_leave_the_former_rate_limit_first() -> None:
    web = pod("web-1", proxy="1.29.1")
    web["metadata"]["labels"] = {"app": "web"}
    plan = deleted()
    former = {**version(7), "spec": {"workloadSelector": {"labels": {"app": "web"}}}}
    plan.changes = [Change("delete", key_of(LIMIT), former, None)]
    stats = "listener_manager.total_filter_chains_draining: {}\nlistener_manager.total_listeners_draining: 0\n"
    said: Answers = {
        ("istio-system/istiod-1", 15014): answers([], SYNCED),
        ("shop/web-1", 15000): [(200, stats.format(number)) for number in (1, 1, 0)],
    }
    assert wait_for_proxies(Answering(said, ISTIOD, web), plan, timeout=5.0, progress=silent) == ""
    assert len(said["shop/web-1", 15000]) == 1
    said = {("istio-system/istiod-1", 15014): answers([], SYNCED), ("shop/web-1", 15000): [(200, stats.format(1))]}
    warning = wait_for_proxies(Answering(said, ISTIOD, web), plan, timeout=0.2, progress=silent)
    assert "Pod shop/web-1" in warning
