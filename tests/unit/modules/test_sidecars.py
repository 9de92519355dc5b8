# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules about sidecars: labels, restarts, and what they say of both."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Access
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply import execute
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import ApiError
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.kinds import NAMESPACE
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind
from ansible_collections.meshops.istio.tests.support.memory_cluster import (
    MemoryCluster,
    deployment,
    injector,
    make,
    namespace,
    pod,
)
from ansible_collections.meshops.istio.tests.support.modules import Run


def cluster() -> MemoryCluster:
    """A namespace in the mesh with a workload that lacks its sidecar, and a bare pod that does."""
    web = pod("web-5d-x", owner=("ReplicaSet", "web-5d"))
    bank = pod("bank-7c-x", owner=("ReplicaSet", "bank-7c"), proxy="1.28.0")
    labelled = namespace("shop", istio_injection="enabled")
    workloads = [deployment("web"), deployment("bank")]
    return MemoryCluster(labelled, namespace("bare"), injector(), *workloads, web, bank, pod("shell"))


def labels_of(memory: MemoryCluster, name: str) -> dict[str, Any]:
    found = memory.get(NAMESPACE, name)
    assert found is not None
    return dict(found["metadata"].get("labels") or {})


def test_namespaces_are_labelled_once(on: Run) -> None:
    memory = cluster()
    planned = on(memory, "injection", namespaces=["bare"], check=True, diff=True)
    assert (planned["changed"], memory.writes) == (True, [])
    assert "istio-injection: enabled" in planned["diff"][0]["prepared"]
    done = on(memory, "injection", namespaces=["bare"])
    assert (done["plan_digest"], labels_of(memory, "bare")) == (planned["plan_digest"], {"istio-injection": "enabled"})
    written = list(memory.writes)
    assert (on(memory, "injection", namespaces=["bare"])["changed"], memory.writes) == (False, written)


def test_a_revision_takes_the_other_labels_place_and_absent_takes_all(on: Run) -> None:
    memory = cluster()
    wanted = {"namespaces": ["shop"], "mode": "revision", "revision": "canary"}
    refused = on(memory, "injection", **wanted)
    assert (refused["code"], memory.writes) == ("contradicting_labels", [])
    on(memory, "injection", force=True, **wanted)
    assert labels_of(memory, "shop") == {"istio.io/rev": "canary"}
    on(memory, "injection", namespaces=["shop"], state="absent")
    assert labels_of(memory, "shop") == {}


def test_a_namespace_that_does_not_exist_is_refused_or_made(on: Run) -> None:
    memory = cluster()
    refused = on(memory, "injection", namespaces=["bare", "none"])
    assert (refused["code"], refused["details"], memory.writes) == ("namespace_missing", {"namespaces": ["none"]}, [])
    made = on(memory, "injection", namespaces=["none"], create_namespaces=True)
    assert [change["action"] for change in made["changes"]] == ["create"]


def test_a_revision_without_its_name_is_refused(on: Run) -> None:
    assert on(cluster(), "injection", namespaces=["shop"], mode="revision")["code"] == "invalid_input"


def test_info_lists_workloads_without_a_sidecar(on: Run) -> None:
    told = on(cluster(), "injection_info", namespaces=["shop"])
    assert [(one["name"], one["pods"], one["without_sidecar"]) for one in told["namespaces"]] == [("shop", 3, 2)]
    assert {(one["kind"], one["name"], one["restartable"]) for one in told["workloads"]} >= {
        ("Deployment", "web", True),
        ("Pod", "shell", False),
    }


@pytest.fixture(autouse=True)
def _no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster in memory has one run at a time."""
    monkeypatch.setattr(execute, "locked", lambda *_arguments, **_options: contextlib.nullcontext())


def test_just_what_needs_it_is_restarted(on: Run) -> None:
    memory = cluster()
    planned = on(memory, "restart", namespaces=["shop"], check=True, diff=True)
    assert (planned["changed"], memory.writes) == (True, [])
    assert planned["diff"] == [{"prepared": "~ Deployment shop/web (restart): sidecars 1 missing\n"}]
    done = on(memory, "restart", namespaces=["shop"], wait=False)
    assert done["restarted"] == [{"kind": "Deployment", "namespace": "shop", "name": "web"}]
    assert [(one["kind"], one["name"]) for one in done["reported"]] == [("Pod", "shell")]
    assert [(verb, key.name, manager) for verb, key, manager in memory.writes] == [
        ("patch", "web", "meshops.istio/restart")
    ]


def rolling() -> MemoryCluster:
    """A Deployment of which the roll-out has brought one pod with a sidecar, and has one without to replace."""
    memory = cluster()
    labels, owners = {"app": "slow"}, [{"controller": True, "kind": "Deployment", "name": "slow"}]
    for number in (1, 2):
        metadata = {"ownerReferences": owners, "annotations": {"deployment.kubernetes.io/revision": str(number)}}
        own = {**labels, "pod-template-hash": f"h{number}"}
        memory.put(make("ReplicaSet", f"slow-h{number}", "shop", api="apps/v1", labels=own, metadata=metadata))
        proxy = "1.29.1" if number == 2 else None
        memory.put(pod(f"slow-h{number}-a", owner=("ReplicaSet", f"slow-h{number}"), proxy=proxy))
    status = {"replicas": 2, "updatedReplicas": 1, "observedGeneration": 3}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}}
    memory.put(deployment("slow", metadata={"generation": 3}, spec=spec, status=status))
    return memory


def test_a_rollout_in_progress_is_reported_and_not_restarted(on: Run) -> None:
    memory = rolling()
    for how in ({"check": True}, {"wait": False}):
        done = on(memory, "restart", namespaces=["shop"], **how)
        assert "slow" not in [one["name"] for one in done["restarted"]]
        assert done["rolling_out"] == [
            {"kind": "Deployment", "namespace": "shop", "name": "slow", "progress": "1/2 replicas updated"}
        ]
    assert "slow" not in [key.name for _verb, key, _manager in memory.writes]


def test_a_stalled_rollout_is_explained(on: Run) -> None:
    memory = rolling()
    memory.remove(Key("apps/v1", "Deployment", "shop", "web"))
    memory.remove(Key("v1", "Pod", "shop", "web-5d-x"))
    failed = on(memory, "restart", namespaces=["shop"], wait_timeout=1)
    assert failed["code"] == "not_ready"
    assert "Deployment shop/slow" in failed["msg"]
    assert memory.writes == []


class Injecting(MemoryCluster):
    """Gives each pod that is created a sidecar, and its readiness, and can delete."""

    context = "test"
    server = "https://cluster.test:6443"

    def create(self, obj: Any, *, manager: str, dry_run: bool = False) -> Any:
        containers = [*obj["spec"]["containers"], {"name": "istio-proxy", "image": "docker.io/istio/proxyv2:1.29.1"}]
        ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        after = {**obj, "spec": {**obj["spec"], "containers": containers}, "status": ready}
        if dry_run:
            return after
        # As a server does it: who created an object is who has set its fields, whatever it says itself.
        metadata = {**obj["metadata"], "managedFields": [{"manager": manager, "operation": "Update"}]}
        return super().create({**after, "metadata": metadata}, manager=manager) | {
            "metadata": {**metadata, "resourceVersion": "1"}
        }

    def set_managed_fields(self, key: Key, resource_version: str, entries: Any, *, manager: str) -> dict[str, Any]:
        live = self.get(key.of, key.name, key.namespace)
        assert live is not None
        if live["metadata"]["resourceVersion"] != resource_version:
            raise ApiError("The API server answered 409: it has changed.", status=409, reason="Conflict")
        after = {**live, "metadata": {**live["metadata"], "managedFields": list(entries)}}
        self.put(after)
        return after

    def delete(self, kind: Kind, name: str, namespace: str = "", **_guards: Any) -> bool:
        self.writes.append(("delete", Key(*kind, namespace, name), ""))
        self.remove(Key(*kind, namespace, name))
        return True


def bare(**fields: Any) -> dict[str, Any]:
    """A pod as an API server shows it."""
    mount = {"name": "kube-api-access-abcde", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
    containers = [{"name": "app", "image": "shop:1", "volumeMounts": [mount]}]
    token = {"name": mount["name"], "projected": {}}
    spec = {"containers": containers, "volumes": [token], "nodeName": "node-1"}
    ours = {"manager": "kubectl-run", "operation": "Update", "fieldsV1": {}}
    metadata = {"uid": "1", "managedFields": [ours, {**ours, "manager": "kubelet", "subresource": "status"}]}
    return make("Pod", "shell", "shop", labels={"run": "shell"}, metadata=metadata, spec=spec, status={}, **fields)


def test_pods_without_a_controller_are_recreated_on_request(
    on: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    memory = Injecting(namespace("shop", istio_injection="enabled"), injector(), bare())
    reported = on(memory, "restart", namespaces=["shop"])["reported"]
    assert [(one["name"], "or set recreate_pods" in one["reason"]) for one in reported] == [("shell", True)]
    planned = on(memory, "restart", namespaces=["shop"], recreate_pods=True, check=True, diff=True)
    assert (planned["changed"], memory.writes) == (True, [])
    assert planned["diff"] == [{"prepared": "~ Pod shop/shell (recreate): sidecars 1 missing\n"}]
    done = on(memory, "restart", namespaces=["shop"], recreate_pods=True)
    assert (done["changes"], done["reported"]) == (planned["changes"], [])
    assert [(verb, key.name) for verb, key, _manager in memory.writes] == [("delete", "shell"), ("create", "shell")]
    pod = memory.get(Kind("v1", "Pod"), "shell", "shop")
    assert pod is not None
    assert (pod["spec"]["volumes"], pod["spec"]["containers"][0]["volumeMounts"]) == ([], [])
    assert "nodeName" not in pod["spec"]
    assert [one["manager"] for one in pod["metadata"]["managedFields"]] == ["kubectl-run"]
    [kept] = tmp_path.rglob("*.yaml")
    assert "name: shell" in kept.read_text()
    assert not on(memory, "restart", namespaces=["shop"], recreate_pods=True)["changed"]


def test_a_pod_without_a_controller_that_would_get_no_sidecar_stays(on: Run) -> None:
    class Idle(Injecting):
        def create(self, obj: Any, *, manager: str, dry_run: bool = False) -> Any:
            return obj

    memory = Idle(namespace("shop", istio_injection="enabled"), injector(), bare())
    refused = on(memory, "restart", namespaces=["shop"], recreate_pods=True)
    assert (refused["code"], memory.writes) == ("not_injected", [])


def test_a_missing_permission_to_delete_pods_is_refused_early(on: Run) -> None:
    memory = Injecting(namespace("shop"), injector(), bare())
    memory.denied_accesses = {Access("delete", "", "pods", "shop")}
    refused = on(memory, "restart", namespaces=["shop"], recreate_pods=True, check=True)
    assert (refused["code"], "delete pods in namespace shop" in refused["msg"]) == ("forbidden", True)


def test_info_names_workloads_without_the_labels_that_kiali_wants(on: Run) -> None:
    names = {"app": "ok", "version": "v1"}
    owner = ("ReplicaSet", "ok-5d")
    good = pod("ok-5d-x", owner=owner, labels=names, proxy="1.29.1")
    outside = pod("plain", "bare")
    memory = MemoryCluster(*cluster().list(NAMESPACE), injector(), good, pod("shell", labels={"app": "x"}), outside)
    told = on(memory, "injection_info")["unlabelled"]
    assert told == [{"kind": "Pod", "namespace": "shop", "name": "shell", "labels": ["version"]}]


def test_nothing_is_restarted_at_zero_at_a_time(on: Run) -> None:
    assert on(cluster(), "restart", max_unavailable=0)["code"] == "invalid_input"
