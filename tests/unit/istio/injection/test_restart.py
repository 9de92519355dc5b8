# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Workloads are restarted a few at a time, awaited, and only those that need it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.injection import restart as restarts
from ansible_collections.meshops.istio.plugins.module_utils.istio.injection.restart import due
from ansible_collections.meshops.istio.plugins.module_utils.istio.injection.sidecars import State, Workload
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Access
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.reconcile import Outcome, reconcile
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.settings import Settings
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import NotReady, Refused
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.memory_cluster import MemoryCluster, deployment
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern

READY = {
    "replicas": 1,
    "updatedReplicas": 1,
    "readyReplicas": 1,
    "availableReplicas": 1,
    "conditions": [
        {"type": "Available", "status": "True"},
        {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
    ],
}


def workload(name: str, **fields: Any) -> Workload:
    return Workload("Deployment", "shop", name, **{"missing": 1, **fields})


def test_outdated_proxies_count_only_when_asked() -> None:
    missing, old, fixed = workload("a"), workload("b", missing=0, outdated=1), workload("c", reason="paused")
    assert due([missing, old, fixed], outdated=False) == ([missing], [], [fixed])
    assert due([missing, old, fixed], outdated=True) == ([missing, old], [], [fixed])


@pytest.mark.parametrize(
    ("faults", "newest", "outdated", "restarts"),
    [
        pytest.param({"old": {"missing"}}, "new", False, False, id="new-pods-have-it"),
        pytest.param({"old": {"missing"}}, "", False, False, id="no-new-pod-yet"),
        pytest.param({"old": {"missing"}}, None, False, True, id="no-roll-out"),
        pytest.param({"old": {"missing"}, "new": {"missing"}}, "new", False, True, id="new-pods-lack-it-too"),
        pytest.param({"old": {"missing"}, "new": {"outdated"}}, "new", False, False, id="outdated-does-not-count"),
        pytest.param({"old": {"missing"}, "new": {"outdated"}}, "new", True, True, id="outdated-counts"),
    ],
)
def test_a_rollout_in_progress_is_not_restarted(
    faults: dict[str, set[str]], newest: str | None, outdated: bool, restarts: bool
) -> None:
    one = workload("a", faults=faults, newest=newest)
    assert due([one], outdated=outdated) == (([one], [], []) if restarts else ([], [one], []))


def restart(
    monkeypatch: pytest.MonkeyPatch, cluster: MemoryCluster, *workloads: Workload, at_once: int = 2, **settings: Any
) -> Outcome:
    """Restart what needs it of these workloads."""
    monkeypatch.setattr(restarts, "read_state", lambda *_arguments: State(workloads=list(workloads)))
    work = restarts.Restart(["shop"], False, at_once, False, settings.get("wait", True))
    return reconcile(cluster, work.unit(), Settings(**{"timeout": 5.0, **settings}))


def test_a_rollout_in_progress_is_awaited_after_the_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = MemoryCluster(deployment("a", status={"replicas": 1}), deployment("b", status=READY))
    hangs = workload("a", newest="new", faults={"old": {"missing"}})
    with pytest.raises(NotReady, match=facts_pattern("timed out waiting & Deployment shop/a & not ready")):
        restart(monkeypatch, cluster, hangs, workload("b"), timeout=0.5)
    assert [key.name for _verb, key, _manager in cluster.writes] == ["b"]


def test_each_gets_the_annotation_that_kubectl_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = MemoryCluster(deployment("a", status=READY), deployment("b", status=READY))
    lines: list[str] = []
    outcome = restart(monkeypatch, cluster, workload("a"), workload("b"), at_once=1, progress=lines.append)
    assert [(verb, key.name, manager) for verb, key, manager in cluster.writes] == [
        ("patch", "a", "meshops.istio/restart"),
        ("patch", "b", "meshops.istio/restart"),
    ]
    found = cluster.get(Kind("apps/v1", "Deployment"), "a", "shop")
    assert found is not None
    assert "kubectl.kubernetes.io/restartedAt" in found["spec"]["template"]["metadata"]["annotations"]
    assert lines[0] == "restarting Deployment shop/a (1 of 2)"
    assert [change["name"] for change in outcome.changes] == ["a", "b"]


def test_what_does_not_become_ready_stops_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = MemoryCluster(deployment("a", status={"replicas": 1}), deployment("b", status=READY))
    with pytest.raises(NotReady, match="Deployment shop/a"):
        restart(monkeypatch, cluster, workload("a"), workload("b"), at_once=1, timeout=0.5)
    assert [key.name for _verb, key, _manager in cluster.writes] == ["a"]


def test_without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = MemoryCluster(deployment("a", status={"replicas": 1}))
    restart(monkeypatch, cluster, workload("a"), wait=False)
    assert len(cluster.writes) == 1


def test_the_digest_names_the_workloads_and_not_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = MemoryCluster(deployment("a", status=READY), deployment("b", status=READY))
    approved = restart(monkeypatch, cluster, workload("a"), check=True).digest
    with pytest.raises(Refused) as caught:
        restart(monkeypatch, cluster, workload("a"), workload("b"), expected_digest=approved)
    assert (caught.value.code, cluster.writes) == ("plan_changed", [])
    time.sleep(1.1)  # the annotation is as precise as a second
    assert restart(monkeypatch, cluster, workload("a"), expected_digest=approved).changed


def test_what_the_user_may_not_restart_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = MemoryCluster(deployment("a", status=READY))
    cluster.denied_accesses = {
        Access("patch", "apps", "deployments", "shop"),
        Access("watch", "apps", "deployments", "shop"),
    }
    with pytest.raises(Refused) as caught:
        restart(monkeypatch, cluster, workload("a"))
    assert caught.value.code == "forbidden"
    assert len(caught.value.details["missing"]) == 2
    assert cluster.writes == []
