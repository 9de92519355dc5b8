# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fields that another manager set on purpose are not overwritten in silence; what people change by hand is repaired."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.reconcile import Outcome, reconcile
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.settings import Settings
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import Refused
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.field_managers import PREVIOUS
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.plan import Plan
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.kube.manifests import config_map, deployment, obj, path_of
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern

Object = dict[str, Any]

MANAGER = "meshops.istio/test"
PATH = path_of(config_map())
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}


def run(cluster: Cluster, *objects: Object, meanwhile: Callable[[Plan], None] | None = None, **more: Any) -> Outcome:
    """Reconcile; `meanwhile` is called between the plan and the first write."""
    unit = Unit(MANAGER, objects, **{"previous_managers": PREVIOUS, **more})
    return reconcile(
        cluster, unit, Settings(check=False, diff=False, wait=False, timeout=60, progress=silent, before=meanwhile)
    )


def test_a_field_that_another_manager_has_set_is_a_conflict(api: ApiServer, cluster: Cluster) -> None:
    run(cluster, config_map(level="info", mode="fast"))
    api.change(PATH, "billing-operator", data={"level": "debug"}, metadata={"annotations": {"example.com/team": "red"}})
    api.requests.clear()
    with pytest.raises(Refused) as caught:
        run(cluster, config_map(level="info", mode="slow"))
    assert caught.value.code == "field_conflict"
    for part in ("ConfigMap shop/web", "billing-operator", "data.level", "ignore_fields", "force"):
        assert part in caught.value.message
    assert "data.mode" not in caught.value.message
    assert [(one["manager"], one["fields"]) for one in caught.value.details["conflicts"]] == [
        ("billing-operator", ["data.level"])
    ]
    assert api.writes == []

    outcome = run(cluster, config_map(level="info", mode="slow"), ignore_fields=["data.level"])
    assert (outcome.changed, outcome.warnings) == (True, [])
    assert api.get(PATH)["data"] == {"level": "debug", "mode": "slow"}
    outcome = run(cluster, config_map(level="info", mode="slow"), force=True)
    assert api.get(PATH)["data"] == {"level": "info", "mode": "slow"}
    [warning] = outcome.warnings
    for part in ("ConfigMap shop/web", "billing-operator", "data.level", "by force"):
        assert part in warning
    assert run(cluster, config_map(level="info", mode="slow")).changes == []


def test_several_conflicts_are_said_at_once(api: ApiServer, cluster: Cluster) -> None:
    names = ("one", "two", "three")
    for name in names:
        api.put(path_of(config_map(name)), config_map(name, a="1", b="2"), "deployer")
    with pytest.raises(Refused, match="2 more objects") as caught:
        run(cluster, *(config_map(name, a="2", b="2") for name in names))
    assert [one["name"] for one in caught.value.details["conflicts"]] == list(names)


@pytest.mark.parametrize(
    "manager", ["kubectl-edit", "kubectl-patch", "kubectl-label", "k9s", "node-fetch", "meshops.istio/other"]
)
def test_what_people_change_by_hand_is_drift(api: ApiServer, cluster: Cluster, manager: str) -> None:
    wanted = config_map(level="info", mode="fast")
    run(cluster, wanted)
    api.change(PATH, manager, data={"level": "debug", "theirs": "1"})
    assert run(cluster, wanted).changed
    # What they add is theirs.
    assert api.get(PATH)["data"] == {"level": "info", "mode": "fast", "theirs": "1"}
    assert run(cluster, wanted).changes == []


def test_two_who_want_the_same_do_not_conflict(api: ApiServer, cluster: Cluster) -> None:
    api.put(PATH, config_map(level="info"), "deployer")
    run(cluster, config_map(level="info", mode="fast"))
    assert api.get(PATH)["data"] == {"level": "info", "mode": "fast"}
    outcome = run(cluster, config_map(level="info", mode="fast"))
    assert (outcome.changes, outcome.warnings) == ([], [])


def test_a_conflict_is_told_before_others_problems_of_a_plan(api: ApiServer, cluster: Cluster) -> None:
    run(cluster, deployment(replicas=1, paused=False))
    api.change(path_of(deployment()), "release-bot", spec={"paused": True})
    with pytest.raises(Refused, match=r"spec\.paused"):
        run(cluster, deployment(replicas=1, paused=False))


def test_what_is_set_between_plan_and_write_is_a_conflict_too(api: ApiServer, cluster: Cluster) -> None:
    run(cluster, config_map(level="info", mode="fast"))

    def meanwhile(_plan: Plan) -> None:
        api.change(PATH, "billing-operator", data={"mode": "broken"})

    with pytest.raises(
        Refused, match=facts_pattern("conflict & ConfigMap shop/web & billing-operator & data.mode")
    ) as caught:
        run(cluster, config_map(level="info", mode="slow"), meanwhile=meanwhile)
    assert caught.value.code == "field_conflict"
    assert api.get(PATH)["data"]["mode"] == "broken"


def test_an_autoscaler_that_scales_between_plan_and_write_is_left_alone(api: ApiServer, cluster: Cluster) -> None:
    scaler = obj("autoscaling/v2", "HorizontalPodAutoscaler", "web", "shop", spec={"scaleTargetRef": TARGET})
    run(cluster, deployment(replicas=1, paused=False), scaler)

    def meanwhile(_plan: Plan) -> None:
        api.change(path_of(deployment()), "kube-controller-manager", spec={"replicas": 3})

    run(cluster, deployment(replicas=1, paused=True), scaler, meanwhile=meanwhile)
    assert api.get(path_of(deployment()))["spec"] == {"replicas": 3, "paused": True}
    assert run(cluster, deployment(replicas=1, paused=True), scaler).changes == []
