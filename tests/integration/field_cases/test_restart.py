# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restarts while a roll-out is under way: it is awaited and explained, and no run begins it anew."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind, key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.wait import wait_ready
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

Object = dict[str, Any]

IMAGE = "docker.io/istio/examples-helloworld-v1:1.0"
POD, REPLICA_SET, REVISION = (
    Kind("v1", "Pod"),
    Kind("apps/v1", "ReplicaSet"),
    Kind("apps/v1", "ControllerRevision"),
)

NEVER = {"sidecar.istio.io/proxyCPU": "64"}
"""An annotation with which a pod, once it has its sidecar, finds no node."""


def workload(kind: str, namespace: str, *, annotations: Any = None, **spec: Any) -> Object:
    template = {
        "metadata": {"labels": {"app": "web", "version": "v1"}, "annotations": annotations or {}},
        "spec": {"containers": [{"name": "web", "image": IMAGE}], "terminationGracePeriodSeconds": 1},
    }
    wanted = {"selector": {"matchLabels": {"app": "web"}}, "template": template, **spec}
    metadata = {"name": "web", "namespace": namespace}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": wanted}


def revisions(cluster: Cluster, namespace: str) -> int:
    """How often the pod template has changed."""
    return len(cluster.list(REPLICA_SET, namespace)) + len(cluster.list(REVISION, namespace))


def in_the_mesh(run: Run, cluster: Cluster, namespace: str, made: Object) -> None:
    """Pods that run without a sidecar in a namespace that is labelled for injection afterwards."""
    cluster.apply(made, manager="somebody")
    wait_ready(cluster, [key_of(made)], timeout=120, progress=silent)
    run("injection", namespaces=[namespace])


HANGS: dict[str, tuple[str, Object]] = {
    "a Deployment": ("Deployment", {"replicas": 1}),
    "a StatefulSet": ("StatefulSet", {"replicas": 2, "serviceName": "web"}),
    "a DaemonSet": ("DaemonSet", {}),
    "a Deployment that has passed its deadline": ("Deployment", {"replicas": 1, "progressDeadlineSeconds": 2}),
}


@pytest.mark.usefixtures("in_mesh")
@pytest.mark.parametrize("what", HANGS)
@pytest.mark.step("restart 01", "a roll-out that cannot come to an end")
def test_a_roll_out_that_hangs(what: str, run: Run, idle: Run, namespace: str, cluster: Cluster, seen: Seen) -> None:
    kind, spec = HANGS[what]
    in_the_mesh(run, cluster, namespace, workload(kind, namespace, annotations=NEVER, **spec))
    first = run("restart", namespaces=[namespace], wait=False)
    assert [one["kind"] for one in first["restarted"]] == [kind]
    begun = revisions(cluster, namespace)
    second = idle("restart", namespaces=[namespace], wait=False)
    assert (second["restarted"], [one["kind"] for one in second["rolling_out"]]) == ([], [kind])
    failed = run("restart", fails=True, namespaces=[namespace], wait_timeout=20)
    assert f"{kind} {namespace}/web" in failed["msg"]
    assert "Insufficient cpu" in failed["msg"]
    again = idle("restart", namespaces=[namespace], wait=False)
    assert again["restarted"] == []
    assert max(begun, 2) == revisions(cluster, namespace)
    seen(f"{what}: {second['rolling_out'][0]['progress']}; with wait: {failed['msg']}")


@pytest.mark.usefixtures("in_mesh")
@pytest.mark.step("restart 02", "a roll-out that takes its time")
def test_a_roll_out_that_is_slow(run: Run, idle: Run, namespace: str, cluster: Cluster, seen: Seen) -> None:
    slow = {"replicas": 2, "minReadySeconds": 6, "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}
    in_the_mesh(run, cluster, namespace, workload("Deployment", namespace, **slow))
    run("restart", namespaces=[namespace], wait=False)
    told = run("injection_info", namespaces=[namespace])["workloads"]
    assert [(one["rolling_out"], one["missing"] > 0) for one in told] == [(True, True)]
    waited = idle("restart", namespaces=[namespace])
    assert [one["name"] for one in waited["rolling_out"]] == ["web"]
    assert run("injection_info", namespaces=[namespace])["workloads"] == []
    assert revisions(cluster, namespace) == 2
    seen(f"awaited without a write, from '{waited['rolling_out'][0]['progress']}'")


@pytest.mark.usefixtures("in_mesh")
@pytest.mark.step("restart 03", "a roll-out of somebody's that began before the namespace was labelled")
def test_a_roll_out_whose_pods_lack_their_sidecar_too(
    run: Run, idle: Run, namespace: str, cluster: Cluster, seen: Seen
) -> None:
    made = workload("Deployment", namespace, replicas=1)
    cluster.apply(made, manager="somebody")
    wait_ready(cluster, [key_of(made)], timeout=120, progress=silent)
    broken = workload("Deployment", namespace, replicas=1)
    broken["spec"]["template"]["spec"]["containers"][0]["image"] = "example.com/no/such:1"
    cluster.apply(broken, manager="somebody")
    until = time.monotonic() + 60
    while len(cluster.list(POD, namespace)) < 2:
        assert time.monotonic() < until, "the second pod does not come"
        time.sleep(0.2)
    run("injection", namespaces=[namespace])
    first = run("restart", namespaces=[namespace], wait=False)
    assert [one["name"] for one in first["restarted"]] == ["web"]
    second = idle("restart", namespaces=[namespace], wait=False)
    assert [one["name"] for one in second["rolling_out"]] == ["web"]
    seen("restarted once, since the new pods had no sidecar either")
