# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fields that controllers set at run time stay theirs: a second run changes nothing, and takes nothing back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

Object = dict[str, Any]

DEPLOYMENT, ROLE = Kind("apps/v1", "Deployment"), Kind("rbac.authorization.k8s.io/v1", "ClusterRole")
PATIENCE = 60.0


def deployment(**spec: Any) -> Object:
    container = {"name": "c", "image": "docker.io/istio/examples-helloworld-v1:1.0"}
    template = {
        "metadata": {"labels": {"app": "web"}},
        # Nowhere to run: replicas are set all the same.
        "spec": {"containers": [container], "nodeSelector": {"never": "true"}},
    }
    full = {"selector": {"matchLabels": {"app": "web"}}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": full}


def autoscaler(least: int) -> Object:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    metric = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    spec = {
        "minReplicas": least,
        "maxReplicas": 9,
        "scaleTargetRef": target,
        "metrics": [{"type": "Resource", "resource": metric}],
    }
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": spec,
    }


@pytest.fixture
def live(cluster: Cluster, namespace: str) -> Callable[[], Object]:
    """The Deployment as it is."""

    def read() -> Object:
        found = cluster.get(DEPLOYMENT, "web", namespace)
        assert found is not None
        return found

    return read


def eventually(true: Callable[[], object]) -> None:
    ends = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < ends, "it did not come true"
        time.sleep(0.3)


@pytest.mark.parametrize("given", [{"replicas": 1}, {}], ids=["replicas", "no replicas"])
@pytest.mark.step("runtime 11", "replicas under an autoscaler of the application, which then goes")
def test_an_autoscaler_of_the_unit(
    given: Object, namespace: str, run: Run, idle: Run, live: Callable[[], Object], seen: Seen
) -> None:
    app = {"name": "web", "namespace": namespace, "wait": False}
    run("application", **app, definition=[deployment(**given), autoscaler(3)])
    eventually(lambda: live()["spec"]["replicas"] == 3)
    idle("application", **app, definition=[deployment(**given), autoscaler(3)])
    changed = deployment(**given, minReadySeconds=1)
    run("application", **app, definition=[changed, autoscaler(3)])
    assert live()["spec"]["replicas"] == 3
    generation = live()["metadata"]["generation"]
    run("application", **app, definition=[deployment(replicas=2, minReadySeconds=1)])
    time.sleep(2)
    # One change, which the autoscaler does not take back.
    assert (live()["spec"]["replicas"], live()["metadata"]["generation"]) == (2, generation + 1)
    idle("application", **app, definition=[deployment(replicas=2, minReadySeconds=1)])
    seen("1 -> 3 by the autoscaler, no write after; 2 when it goes")


@pytest.mark.step("runtime 12", "the run that brings the autoscaler, and takes replicas out of the manifest")
def test_the_run_that_brings_the_autoscaler(
    namespace: str, run: Run, idle: Run, live: Callable[[], Object], seen: Seen
) -> None:
    app = {"name": "web", "namespace": namespace, "wait": False}
    run("application", **app, definition=[deployment(replicas=4)])
    generation = live()["metadata"]["generation"]
    run("application", **app, definition=[deployment(), autoscaler(2)])
    assert (live()["spec"]["replicas"], live()["metadata"]["generation"]) == (4, generation)
    idle("application", **app, definition=[deployment(), autoscaler(2)])
    seen("4 replicas throughout")


@pytest.mark.parametrize("manager", ["keda-operator", "kube-controller-manager"])
@pytest.mark.step("runtime 13", "replicas that an autoscaler beside the manifests sets")
def test_an_autoscaler_of_others(
    manager: str, cluster: Cluster, namespace: str, run: Run, idle: Run, live: Callable[[], Object], seen: Seen
) -> None:
    app = {"name": "web", "namespace": namespace, "wait": False, "definition": [deployment(replicas=1)]}
    run("application", **app)
    if manager == "kube-controller-manager":
        scaler = autoscaler(3)
        cluster.create({**scaler, "metadata": {"name": "theirs", "namespace": namespace}}, manager="platform")
    else:
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web/scale"
        cluster.raw(
            "PATCH",
            path,
            {"spec": {"replicas": 3}},
            query={"fieldManager": manager},
            content_type="application/merge-patch+json",
        )
    eventually(lambda: live()["spec"]["replicas"] == 3)
    idle("application", **app)
    assert live()["spec"]["replicas"] == 3
    seen(f"3 replicas of {manager} stay")


@pytest.mark.step("runtime 14", "rules of an aggregated ClusterRole, which the manifest gives as empty")
def test_an_aggregated_role(cluster: Cluster, namespace: str, run: Run, idle: Run, seen: Seen) -> None:
    part: Object = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": f"{namespace}-part", "labels": {"example.com/part-of": namespace}},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
    }
    selectors = {"clusterRoleSelectors": [{"matchLabels": {"example.com/part-of": namespace}}]}
    whole = {**part, "metadata": {"name": f"{namespace}-whole"}, "aggregationRule": selectors, "rules": []}

    def rules() -> Any:
        return (cluster.get(ROLE, f"{namespace}-whole") or {}).get("rules")

    app = {"name": "web", "namespace": namespace, "wait": False}
    try:
        run("application", **app, definition=[part, whole])
        eventually(lambda: rules() == part["rules"])
        idle("application", **app, definition=[part, whole])
        assert rules() == part["rules"]
    finally:
        run("application", **app, state="absent")
    seen("the rules stay, and a second run writes nothing")


@pytest.mark.step("runtime 15", "a manifest that was exported from a cluster, with what controllers had written")
def test_an_exported_manifest(namespace: str, run: Run, idle: Run, live: Callable[[], Object], seen: Seen) -> None:
    app = {"name": "web", "namespace": namespace, "wait": False}
    exported = deployment(replicas=0)
    exported["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "7"}
    run("application", **app, definition=[exported])
    eventually(lambda: live().get("status", {}).get("observedGeneration"))
    run("application", **app, definition=[exported])
    idle("application", **app, definition=[exported])
    seen(live()["metadata"]["annotations"])
