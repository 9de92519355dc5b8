# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deletions that go on: planned, awaited, and told where nothing is awaited."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.reconcile import Outcome, reconcile
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.settings import Settings
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import NotReady
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.planning import make_plan
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.kube.fake_cluster import FakeCluster
from ansible_collections.meshops.istio.tests.support.kube.manifests import config_map, namespace, obj, path_of
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern, has_facts

Object = dict[str, Any]

MANAGER = "meshops.istio/test"


@pytest.fixture
def ending(api: ApiServer) -> Object:
    """An object that somebody has asked to delete, and that a finalizer holds."""
    obj = config_map("old")
    obj["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["example.com/hold"]}
    api.put(path_of(obj), obj, MANAGER)
    return api.get(path_of(obj))


def run(cluster: Cluster, owned: Object, *objects: Object, **more: Any) -> Outcome:
    options = {"check": False, "diff": False, "wait": True, "timeout": 30.0, "progress": silent, **more}
    return reconcile(cluster, Unit(MANAGER, objects, stale=lambda _cluster: [owned]), Settings(**options))


def test_what_is_being_deleted_is_no_change(cluster: Cluster, ending: Object) -> None:
    plan = make_plan(cluster, Unit(MANAGER, (), stale=lambda _cluster: [ending]))
    assert (plan.changes, plan.ending, plan.leaving) == ([], [key_of(ending)], [])


def test_what_is_wanted_is_not_among_the_deletions_that_go_on(cluster: Cluster, ending: Object) -> None:
    plan = make_plan(cluster, Unit(MANAGER, [config_map("old")], stale=lambda _cluster: [ending]))
    assert (plan.ending, plan.leaving) == ([], [key_of(ending)])


def test_conflicting_objects_must_be_gone_first(cluster: Cluster, ending: Object) -> None:
    plan = make_plan(cluster, Unit(MANAGER, [config_map("new")], conflicting_objects=lambda _cluster: [ending]))
    assert ([change.action for change in plan.changes], plan.leaving) == (["create"], [key_of(ending)])


def test_conflicting_objects_that_are_marked_stay_with_their_definition(cluster: Cluster, ending: Object) -> None:
    marked = {"annotations": {"meshops.istio/prune": "disabled"}}
    shape = obj("example.com/v1", "Shape", "a", "shop", metadata=marked)
    of_shapes, of_others = (
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{kind.lower()}s.example.com"},
            "spec": {"group": "example.com", "names": {"kind": kind}},
        }
        for kind in ("Shape", "Other")
    )
    found = [of_others, of_shapes, shape, config_map("gone"), ending]
    plan = make_plan(cluster, Unit(MANAGER, (), conflicting_objects=lambda _cluster: found))
    assert {change.key for change in plan.changes} == {key_of(of_others), key_of(config_map("gone"))}
    assert {one.key: "prune" in one.reason for one in plan.kept} == {key_of(shape): True, key_of(of_shapes): False}
    assert plan.ending == [key_of(ending)]


@pytest.mark.parametrize("objects", [[], [config_map("new")]], ids=["nothing-to-change", "something-to-change"])
def test_a_deletion_that_hangs_fails_every_run(cluster: Cluster, ending: Object, objects: list[Object]) -> None:
    for _run in range(2):
        with pytest.raises(
            NotReady, match=facts_pattern("timed out waiting & ConfigMap shop/old & after 1 s & finalizer example")
        ):
            run(cluster, ending, *objects, timeout=1.0)


def test_a_deletion_that_ends_ends_the_wait(ending: Object) -> None:
    cluster = FakeCluster(ending)
    cluster.on_watch.append(lambda: cluster.remove(key_of(ending)))
    outcome = run(cluster, ending)
    assert (outcome.changed, outcome.warnings) == (False, [])


@pytest.mark.parametrize("how", [{"check": True}, {"wait": False}], ids=["check-mode", "without-waiting"])
def test_a_deletion_that_is_not_awaited_is_a_warning(
    api: ApiServer, cluster: Cluster, ending: Object, how: dict[str, bool]
) -> None:
    outcome = run(cluster, ending, **how)
    assert (outcome.changed, api.writes) == (False, [])
    [warning] = outcome.warnings
    assert has_facts(warning, "ConfigMap shop/old & deleted & finalizer example.com/hold")


def test_check_mode_tells_what_has_to_go_first(api: ApiServer, cluster: Cluster) -> None:
    going = namespace()
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    api.put(path_of(going), going)
    outcome = run(cluster, config_map("other"), namespace(), config_map("web"), check=True)
    assert any("Namespace shop is still being deleted" in sentence for sentence in outcome.warnings)
