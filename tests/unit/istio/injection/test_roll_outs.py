# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roll-outs under way: whether they bring the sidecars that old pods lack, for each kind of workload."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.injection.sidecars import Workload, read_state
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.memory_cluster import MemoryCluster, injector, make, namespace, pod

Object = dict[str, Any]

UNDER_WAY: dict[str, Object] = {
    "Deployment": {"replicas": 2, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1},
    "StatefulSet": {"replicas": 1, "readyReplicas": 0, "currentRevision": "web-old", "updateRevision": "web-new"},
    "DaemonSet": {"desiredNumberScheduled": 1, "currentNumberScheduled": 1, "updatedNumberScheduled": 0},
}
DONE: dict[str, Object] = {
    "Deployment": {
        **dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1),
        "conditions": [{"type": "Available", "status": "True"}],
    },
    "StatefulSet": {
        **dict.fromkeys(("replicas", "readyReplicas", "currentReplicas", "updatedReplicas"), 1),
        "currentRevision": "web-new",
        "updateRevision": "web-new",
    },
    "DaemonSet": {
        "desiredNumberScheduled": 1,
        "currentNumberScheduled": 1,
        "updatedNumberScheduled": 1,
        "numberAvailable": 1,
        "numberReady": 1,
    },
}


def workload(kind: str, status: Object, *, observed: int = 2) -> Object:
    spec = {"selector": {"matchLabels": {"app": "web"}}}
    state = {**status, "observedGeneration": observed}
    return make(kind, "web", "shop", api="apps/v1", metadata={"generation": 2}, spec=spec, status=state)


def revisions(kind: str) -> list[Object]:
    """What the controller of a workload has made: an old revision and a new one."""
    made = []
    for number, name in ((9, "old"), (10, "new")):
        metadata: Object = {"ownerReferences": [{"controller": True, "kind": kind, "name": "web"}]}
        if kind == "Deployment":
            labels = {"app": "web", "pod-template-hash": name}
            metadata["annotations"] = {"deployment.kubernetes.io/revision": str(number)}
            one = make("ReplicaSet", f"web-{name}", "shop", api="apps/v1", labels=labels, metadata=metadata)
        else:
            labels = {"app": "web", "controller-revision-hash": f"web-{name}" if kind == "StatefulSet" else name}
            one = make("ControllerRevision", f"web-{name}", "shop", api="apps/v1", labels=labels, metadata=metadata)
            one["revision"] = number
        made.append(one)
    return made


def pod_of(kind: str, revision: str, proxy: str | None) -> Object:
    if kind == "Deployment":
        return pod(f"web-{revision}-a", owner=("ReplicaSet", f"web-{revision}"), proxy=proxy)
    label = f"web-{revision}" if kind == "StatefulSet" else revision
    return pod(f"web-{revision}", owner=(kind, "web"), proxy=proxy, labels={"controller-revision-hash": label})


def found(*objects: Object, forbidden: Kind | None = None) -> Workload:
    cluster = MemoryCluster(injector(), namespace("shop", istio_injection="enabled"), *objects)
    if forbidden:
        cluster.forbid(forbidden, "shop")
    [one] = read_state(cluster).workloads
    return one


@pytest.mark.parametrize("kind", UNDER_WAY)
@pytest.mark.parametrize(
    ("new", "rolls_out"),
    [
        pytest.param("1.29.1", True, id="new-pods-have-it"),
        pytest.param(None, False, id="new-pods-lack-it"),
        pytest.param("", True, id="no-new-pod"),
    ],
)
def test_the_newest_pods_tell(kind: str, new: str | None, rolls_out: bool) -> None:
    pods = [pod_of(kind, "old", None)] + ([pod_of(kind, "new", new)] if new != "" else [])
    one = found(workload(kind, UNDER_WAY[kind]), *revisions(kind), *pods)
    assert one.rolls_out(outdated=False) is rolls_out
    assert one.as_dict()["rolling_out"] is rolls_out
    assert one.progress


@pytest.mark.parametrize("kind", DONE)
def test_a_roll_out_that_is_done_brings_nothing(kind: str) -> None:
    one = found(workload(kind, DONE[kind]), *revisions(kind), pod_of(kind, "new", None))
    assert (one.rolls_out(outdated=False), one.progress) == (False, "")


@pytest.mark.parametrize("kind", DONE)
def test_a_restart_that_its_controller_has_not_seen_is_under_way(kind: str) -> None:
    assert found(workload(kind, DONE[kind], observed=1), *revisions(kind), pod_of(kind, "new", None)).rolls_out(
        outdated=True
    )


def test_revisions_that_may_not_be_read_are_no_roll_out() -> None:
    objects = [workload("Deployment", UNDER_WAY["Deployment"]), *revisions("Deployment")]
    one = found(*objects, pod_of("Deployment", "old", None), forbidden=Kind("apps/v1", "ReplicaSet"))
    assert not one.rolls_out(outdated=False)


def test_new_pods_of_another_version_do_not_help_against_outdated_ones() -> None:
    config = make(
        "ConfigMap",
        "istio-sidecar-injector",
        "istio-system",
        data={"config": "policy: enabled\n", "values": '{"global": {"hub": "docker.io/istio", "tag": "1.29.1"}}'},
    )
    pods = [pod_of("Deployment", "old", "1.28.0"), pod_of("Deployment", "new", "1.28.4")]
    one = found(workload("Deployment", UNDER_WAY["Deployment"]), *revisions("Deployment"), config, *pods)
    assert (one.outdated, one.rolls_out(outdated=True), one.rolls_out(outdated=False)) == (2, False, True)


def restarted(made: Object, *, by: str = "meshops.istio/restart", at: str = "2999-01-01T00:00:00Z") -> Object:
    made["metadata"]["managedFields"] = [{"manager": by, "operation": "Update", "fieldsV1": {}}]
    made["spec"]["template"] = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": at}}}
    return made


@pytest.mark.parametrize("kind", UNDER_WAY)
@pytest.mark.parametrize(
    ("by", "status", "waits"),
    [
        pytest.param("meshops.istio/restart", UNDER_WAY, True, id="ours"),
        pytest.param("kubectl-rollout", UNDER_WAY, False, id="of-somebody-else"),
        pytest.param("meshops.istio/restart", DONE, False, id="come-up"),
    ],
)
def test_what_was_restarted_and_has_not_come_up_is_known(
    kind: str, by: str, status: dict[str, Object], waits: bool
) -> None:
    made = restarted(workload(kind, status[kind]), by=by)
    cluster = MemoryCluster(
        injector(), namespace("shop", istio_injection="enabled"), made, pod_of(kind, "new", "1.29.1")
    )
    state = read_state(cluster)
    assert (state.workloads, [one.kind for one in state.restarted]) == ([], [kind] if waits else [])


NOT_READY: dict[str, Object] = {
    "Deployment": {
        **DONE["Deployment"],
        "readyReplicas": 0,
        "conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}],
    },
    "StatefulSet": {**DONE["StatefulSet"], "readyReplicas": 0},
    "DaemonSet": {**DONE["DaemonSet"], "numberReady": 0},
}


@pytest.mark.parametrize("kind", NOT_READY)
def test_what_fails_long_after_its_restart_is_none_of_it(kind: str) -> None:
    made = restarted(workload(kind, NOT_READY[kind]), at="2020-01-01T00:00:00Z")
    cluster = MemoryCluster(injector(), namespace("shop", istio_injection="enabled"), made)
    assert read_state(cluster).restarted == []
