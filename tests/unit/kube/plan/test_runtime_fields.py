# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Kubernetes' controllers set at run time is left to them by every unit, and a second run changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.reconcile import reconcile
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.settings import Settings
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.field_managers import PREVIOUS
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.planning import make_plan
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer, status
from ansible_collections.meshops.istio.tests.support.kube.manifests import (
    cluster_role,
    definition,
    deployment,
    obj,
    path_of,
)

Object = dict[str, Any]

MANAGER = "meshops.istio/test"
KCM = "kube-controller-manager"
REPLICAS: Object = {"f:spec": {"f:replicas": {}}}
WEB = path_of(deployment())


def autoscaler(target: str = "web", **scale_target: Any) -> Object:
    target_ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target, **scale_target}
    return obj("autoscaling/v2", "HorizontalPodAutoscaler", "web", "shop", spec={"scaleTargetRef": target_ref})


def run(cluster: Cluster, *objects: Object, **more: Any) -> list[str]:
    unit = Unit(MANAGER, objects, **{"previous_managers": PREVIOUS, **more})
    outcome = reconcile(cluster, unit, Settings(check=False, diff=False, wait=False, timeout=60, progress=silent))
    return [f"{one['action']} {one['kind']}" for one in outcome.changes]


def scaled(api: ApiServer, replicas: int, manager: str = KCM) -> None:
    """Set a Deployment's replicas by its subresource, as autoscalers do."""
    live = api.get(WEB)
    entries = live["metadata"]["managedFields"]
    for entry in entries:
        entry["fieldsV1"].get("f:spec", {}).pop("f:replicas", None)
    entries.append(
        {
            "manager": manager,
            "operation": "Update",
            "apiVersion": "apps/v1",
            "subresource": "scale",
            "fieldsV1": {**REPLICAS},
        }
    )
    live["spec"]["replicas"] = replicas
    api.put(WEB, live)


def fields_of(live: Object) -> Object:
    """What the unit owns of an object's metadata."""
    [ours] = [one for one in live["metadata"]["managedFields"] if one["manager"] == MANAGER]
    found: Object = ours["fieldsV1"].get("f:metadata", {})
    return found


def replicas(api: ApiServer) -> int:
    return int(api.get(WEB)["spec"]["replicas"])


# --- replicas ------------------------------------------------------------------------------------------------------


def test_replicas_under_an_autoscaler_of_the_unit_are_its_own(api: ApiServer, cluster: Cluster) -> None:
    wanted = [deployment(replicas=1, paused=False), autoscaler()]
    run(cluster, *wanted)
    assert replicas(api) == 1
    assert run(cluster, *wanted) == []
    scaled(api, 3)
    assert run(cluster, *wanted) == []
    assert run(cluster, deployment(replicas=2, paused=True), autoscaler()) == ["update Deployment"]
    assert replicas(api) == 3


@pytest.mark.parametrize("manager", [KCM, "keda-operator", "custom-autoscaler"])
def test_replicas_under_an_autoscaler_of_others_are_its_own(api: ApiServer, cluster: Cluster, manager: str) -> None:
    wanted = deployment(replicas=1, paused=False)
    run(cluster, wanted)
    if manager == KCM:
        api.put(path_of(autoscaler()), autoscaler(), "platform")
    scaled(api, 4, manager)
    assert run(cluster, wanted) == []
    assert run(cluster, deployment(replicas=1, paused=True)) == ["update Deployment"]
    assert replicas(api) == 4


def test_the_live_replicas_are_kept_in_the_run_that_brings_the_autoscaler(api: ApiServer, cluster: Cluster) -> None:
    run(cluster, deployment(replicas=4, paused=False))
    # As Kubernetes advises, the manifest no longer has replicas: to let go of them would scale to 1.
    assert run(cluster, deployment(paused=False), autoscaler()) == ["create HorizontalPodAutoscaler"]
    assert replicas(api) == 4
    assert run(cluster, deployment(replicas=1, paused=False), autoscaler()) == []
    assert run(cluster, deployment(paused=False), autoscaler()) == []


def test_the_live_replicas_are_kept_where_an_autoscaler_of_others_is_there(api: ApiServer, cluster: Cluster) -> None:
    run(cluster, deployment(replicas=4, paused=False))
    api.put(path_of(autoscaler()), autoscaler(), "platform")
    assert run(cluster, deployment(paused=False)) == []
    assert replicas(api) == 4


def test_replicas_are_the_units_again_when_its_autoscaler_goes(api: ApiServer, cluster: Cluster) -> None:
    def stale(_cluster: Cluster) -> Iterable[Object]:
        return [one for one in api.objects if one["kind"] in ("Deployment", "HorizontalPodAutoscaler")]

    wanted = deployment(replicas=2, paused=False)
    run(cluster, wanted, autoscaler())
    scaled(api, 5)
    api.requests.clear()
    assert run(cluster, wanted, stale=stale) == ["update Deployment", "delete HorizontalPodAutoscaler"]
    assert replicas(api) == 2
    # In this order, or the autoscaler would set them once more.
    assert [one.split()[0] for one in api.writes] == ["DELETE", "PATCH", "PATCH"]
    assert run(cluster, wanted, stale=stale) == []


def test_an_autoscaler_of_another_workload_says_nothing(api: ApiServer, cluster: Cluster) -> None:
    wanted = deployment(replicas=1, paused=False)
    run(cluster, wanted)
    api.put(path_of(autoscaler()), autoscaler("other"), "platform")
    scaled(api, 4)
    assert run(cluster, wanted) == ["update Deployment"]
    assert replicas(api) == 1


def test_what_is_scaled_by_kubectl_is_drift(api: ApiServer, cluster: Cluster) -> None:
    wanted = deployment(replicas=1, paused=False)
    run(cluster, wanted)
    scaled(api, 4, "kubectl")
    assert run(cluster, wanted) == ["update Deployment"]
    assert replicas(api) == 1


def test_who_may_not_list_autoscalers_leaves_replicas_to_their_controller(api: ApiServer, cluster: Cluster) -> None:
    wanted = deployment(replicas=1, paused=False)
    run(cluster, wanted)
    scaled(api, 4)
    api.fault = lambda request: status(403) if "autoscalers" in request.path else None
    assert run(cluster, wanted) == []


def test_nothing_more_is_read_where_nobody_scales(api: ApiServer, cluster: Cluster) -> None:
    run(cluster, deployment(replicas=1, paused=False))
    api.requests.clear()
    assert run(cluster, deployment(replicas=1, paused=False)) == []
    assert [request.path for request in api.requests] == [WEB]


# --- the rest ------------------------------------------------------------------------------------------------------


def aggregated() -> Object:
    selectors = {"clusterRoleSelectors": [{"matchLabels": {"aggregate": "true"}}]}
    return obj(
        "rbac.authorization.k8s.io/v1", "ClusterRole", "all", aggregationRule=selectors, rules=[{"verbs": ["none"]}]
    )


def test_the_rules_of_an_aggregated_role_are_its_controllers(api: ApiServer, cluster: Cluster) -> None:
    run(cluster, aggregated())
    cluster.apply({**cluster_role("all"), "rules": [{"verbs": ["get"]}]}, manager="clusterrole-aggregation-controller")
    api.requests.clear()
    assert run(cluster, aggregated()) == []
    assert api.writes == []
    assert api.get(path_of(aggregated()))["rules"] == [{"verbs": ["get"]}]


def injected(kind: str, **bundle: str) -> Object:
    config: Object = {"clientConfig": {"service": {"name": "web"}, **bundle}}
    if kind == "APIService":
        return obj("apiregistration.k8s.io/v1", kind, "v1.example.com", spec={"group": "example.com", **bundle})
    found = definition()
    found["spec"]["conversion"] = {"strategy": "Webhook", "webhook": config}
    return found


@pytest.mark.parametrize("kind", ["APIService", "CustomResourceDefinition"])
def test_a_ca_bundle_stays_its_injectors(api: ApiServer, cluster: Cluster, kind: str) -> None:
    # cert-manager's documentation has this placeholder.
    wanted = injected(kind, caBundle="Cg==")
    run(cluster, wanted)
    body = injected(kind, caBundle="real")
    api.change(path_of(wanted), "cert-manager-cainjector", spec=body["spec"])
    assert run(cluster, wanted) == []
    assert api.get(path_of(wanted))["spec"] == body["spec"]


def test_what_a_controller_has_set_is_not_taken_back(api: ApiServer, cluster: Cluster) -> None:
    # As in a manifest that was exported from a cluster.
    wanted = deployment(replicas=1)
    wanted["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "1"}
    run(cluster, wanted)
    api.change(WEB, KCM, metadata={"annotations": {"deployment.kubernetes.io/revision": "2"}})
    assert run(cluster, wanted) == []
    assert "f:annotations" not in fields_of(api.get(WEB))
    wanted["metadata"]["annotations"]["note"] = "1"
    run(cluster, wanted)
    api.change(WEB, KCM, metadata={"annotations": {"deployment.kubernetes.io/revision": "2"}})
    assert run(cluster, wanted) == []
    api.change(WEB, "kubectl-annotate", metadata={"annotations": {"note": "2"}})
    assert run(cluster, wanted) == ["update Deployment"]
    annotations = api.get(WEB)["metadata"]["annotations"]
    assert annotations == {"deployment.kubernetes.io/revision": "2", "note": "1"}


def test_a_plan_of_what_is_left_is_empty(api: ApiServer, cluster: Cluster) -> None:
    wanted = [deployment(replicas=1, paused=False), autoscaler()]
    run(cluster, *wanted)
    scaled(api, 3)
    assert make_plan(cluster, Unit(MANAGER, wanted)).changes == []
