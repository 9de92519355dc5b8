# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans: what is owed, what is left to others, what is refused, and what makes two plans the same."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.plan import Plan
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.planning import make_plan, prepare
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer, Request
from ansible_collections.meshops.istio.tests.support.kube.manifests import (
    cluster_role,
    config_map,
    deployment,
    namespace,
    obj,
    path_of,
    secret,
    validating_webhook,
    written_by,
)

Object = dict[str, Any]

MANAGER = "meshops.istio/test"


def unit(*objects: Object, **more: Any) -> Unit:
    return Unit(MANAGER, objects, **more)


def summary(plan: Plan) -> list[str]:
    return [f"{change.action} {change.key}" for change in plan.changes]


def applied(cluster: Cluster, *objects: Object) -> None:
    for one in objects:
        cluster.apply(prepare(one), manager=MANAGER)


# --- what is owed --------------------------------------------------------------------------------------------------


def test_what_is_absent_is_created_and_what_differs_is_updated(api: ApiServer, cluster: Cluster) -> None:
    applied(cluster, namespace(), config_map("same"), config_map("other"), config_map("less", a="1", b="2"))
    plan = make_plan(
        cluster,
        unit(namespace(), config_map("same"), config_map("other", a="2"), config_map("less"), config_map("new")),
    )
    assert summary(plan) == ["create ConfigMap shop/new", "update ConfigMap shop/other", "update ConfigMap shop/less"]
    assert [change.after and change.after["data"] for change in plan.changes] == [{"a": "1"}, {"a": "2"}, {"a": "1"}]
    assert [one for one in api.writes if "dryRun" in one] == []


def test_nothing_is_owed_twice_and_a_plan_writes_nothing(api: ApiServer, cluster: Cluster) -> None:
    objects = [namespace(), config_map(), secret(password="c3dvcmRmaXNo"), deployment(), validating_webhook()]
    applied(cluster, *objects)
    written = list(api.writes)
    assert make_plan(cluster, unit(*objects)).changes == []
    assert api.writes == written


def test_what_others_change_is_repaired(api: ApiServer, cluster: Cluster) -> None:
    applied(cluster, deployment())
    api.change(path_of(deployment()), spec={"replicas": 3}, status={"replicas": 3})
    [change] = make_plan(cluster, unit(deployment())).changes
    assert change.before
    assert change.after
    assert (change.before["spec"], change.after["spec"]) == ({"replicas": 3}, {"replicas": 1})


def test_what_others_own_beside_is_not_drift(api: ApiServer, cluster: Cluster) -> None:
    applied(cluster, deployment())
    api.change(path_of(deployment()), spec={"paused": True}, status={"replicas": 3})
    assert make_plan(cluster, unit(deployment())).changes == []


def test_what_a_dry_run_says_is_nothing_is_nothing(api: ApiServer, cluster: Cluster) -> None:
    # A default that no field tells of: only the server knows.
    applied(cluster, deployment(strategy=[{"a": 1}]))
    api.change(path_of(deployment()), spec={"strategy": [{"a": 1, "defaulted": True}]})
    live = api.get(path_of(deployment()))
    api.fault = lambda request: Answer(200, live) if "dryRun" in request.query else None
    assert make_plan(cluster, unit(deployment(strategy=[{"a": 1}]))).changes == []
    assert any("dryRun" in request.query for request in api.requests)


def test_what_a_controller_writes_meanwhile_is_no_change(api: ApiServer, cluster: Cluster) -> None:
    # Only a dry run can tell that nothing is owed, and just before it the controller writes.
    applied(cluster, deployment(strategy=[{"a": 1}]))
    api.change(path_of(deployment()), spec={"strategy": [{"a": 1, "defaulted": True}]})
    revisions = iter(("1", "2"))

    def meanwhile(request: Request) -> Answer | None:
        if "dryRun" not in request.query:
            return None
        revision = next(revisions, None)
        if revision:
            api.change(path_of(deployment()), "controller", metadata={"annotations": {"revision": revision}})
        return Answer(200, api.get(path_of(deployment())))

    api.fault = meanwhile
    assert make_plan(cluster, unit(deployment(strategy=[{"a": 1}]))).changes == []


def test_stale_objects_are_deleted_last(api: ApiServer, cluster: Cluster) -> None:
    applied(cluster, config_map("old"), config_map("kept"))

    def stale(_cluster: Cluster) -> Iterable[Object]:
        return [one for one in api.objects if one["kind"] == "ConfigMap"]

    plan = make_plan(cluster, unit(config_map("kept"), config_map("new"), stale=stale))
    assert summary(plan) == ["create ConfigMap shop/new", "delete ConfigMap shop/old"]
    # What the listing has read is not read again.
    assert [request.path for request in api.requests if request.method == "GET"] == [path_of(config_map("new"))]


def test_many_objects_of_a_kind_are_read_with_one_request(api: ApiServer, cluster: Cluster) -> None:
    many = [config_map(f"web-{number}") for number in range(20)]
    applied(cluster, *many)
    api.requests.clear()
    assert make_plan(cluster, unit(*many)).changes == []
    assert len(api.requests) == 1


def test_an_object_that_is_being_deleted_is_created_again(api: ApiServer, cluster: Cluster) -> None:
    going = config_map()
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    api.put(path_of(going), going)
    plan = make_plan(cluster, unit(config_map(), stale=lambda _cluster: api.objects))
    assert summary(plan) == ["create ConfigMap shop/web"]
    assert [str(key) for key in plan.leaving] == ["ConfigMap shop/web"]
    assert make_plan(cluster, unit(stale=lambda _cluster: api.objects)).changes == []


# --- as it is applied ----------------------------------------------------------------------------------------------


def test_an_object_is_prepared_as_the_server_stores_it() -> None:
    given = obj(
        "v1",
        "Secret",
        "web",
        "shop",
        metadata={"creationTimestamp": None, "uid": "1", "resourceVersion": "2", "annotations": {"a": None, "b": "c"}},
        data={"user": "YWRtaW4="},
        stringData={"password": "swordfish"},
        status={"seen": True},
    )
    untouched = deepcopy(given)
    assert prepare(given) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "web", "namespace": "shop", "annotations": {"b": "c"}},
        "data": {"user": "YWRtaW4=", "password": base64.b64encode(b"swordfish").decode()},
    }
    assert given == untouched


def test_an_object_that_needs_no_namespace_loses_it(api: ApiServer, cluster: Cluster) -> None:
    role = cluster_role()
    applied(cluster, role)
    role["metadata"]["namespace"] = "shop"
    assert make_plan(cluster, unit(role)).changes == []


def test_the_last_word_is_given_the_live_object(api: ApiServer, cluster: Cluster) -> None:
    applied(cluster, deployment(replicas=7))
    seen: list[tuple[str, bool]] = []

    def adjust(desired: Object, live: Object | None) -> Object:
        seen.append((desired["metadata"]["name"], live is not None))
        desired["spec"]["replicas"] = live["spec"]["replicas"] if live else 2
        return desired

    plan = make_plan(cluster, unit(deployment(), deployment("new"), adjust=adjust))
    assert summary(plan) == ["create Deployment shop/new"]
    assert plan.changes[0].desired == deployment("new", replicas=2)
    assert seen == [("web", True), ("new", False)]


@pytest.mark.parametrize(
    "ignored", ["spec.replicas", "Deployment:spec.replicas", "Deployment/web:spec.replicas", "spec[replicas]"]
)
def test_an_ignored_field_is_left_to_who_owns_it(api: ApiServer, cluster: Cluster, ignored: str) -> None:
    applied(cluster, deployment(replicas=1, paused=False))
    api.change(path_of(deployment()), "keda", spec={"replicas": 7})
    assert make_plan(cluster, unit(deployment(replicas=1, paused=False), ignore_fields=[ignored])).changes == []
    [change] = make_plan(cluster, unit(deployment(replicas=1, paused=True), ignore_fields=[ignored])).changes
    assert change.after
    assert change.after["spec"] == {"replicas": 7, "paused": True}


def test_an_ignored_field_that_nobody_owns_keeps_its_value(api: ApiServer, cluster: Cluster) -> None:
    applied(cluster, deployment(replicas=7))
    ignores = unit(deployment(replicas=1), ignore_fields=["spec.replicas"])
    assert make_plan(cluster, ignores).changes == []


def test_an_ignored_field_is_given_to_a_new_object(cluster: Cluster, api: ApiServer) -> None:
    [change] = make_plan(cluster, unit(deployment(replicas=2), ignore_fields=["spec.replicas"])).changes
    assert change.desired == deployment(replicas=2)
    assert api.writes == []


def test_fields_are_ignored_only_where_it_is_said(api: ApiServer, cluster: Cluster) -> None:
    wanted = [deployment(name, replicas=1, paused=True) for name in ("one", "two")]
    applied(cluster, *wanted)
    for one in wanted:
        api.change(path_of(one), spec={"replicas": 7})
    ignored = ["Deployment/one:spec.replicas", "StatefulSet:spec.replicas"]
    plan = make_plan(cluster, unit(*wanted, ignore_fields=ignored))
    assert summary(plan) == ["update Deployment shop/two"]


# --- the same plan -------------------------------------------------------------------------------------------------


def digest(cluster: Cluster, *objects: Object, **more: Any) -> str:
    return make_plan(cluster, unit(*objects, **more)).digest


def test_a_digest_ignores_fields_of_other_managers(api: ApiServer, cluster: Cluster) -> None:
    applied(cluster, deployment(replicas=1), config_map("old"))

    def stale(_cluster: Cluster) -> list[Object]:
        return [one for one in api.objects if one["metadata"]["name"] == "old"]

    wanted = deployment(replicas=1, paused=True), config_map("new")
    before = digest(cluster, *wanted, stale=stale)
    api.change(path_of(deployment()), "controller", metadata={"annotations": {"revision": "2"}}, status={"replicas": 1})
    api.change(path_of(config_map("old")), "controller", metadata={"annotations": {"seen": "1"}})
    assert digest(cluster, *wanted, stale=stale) == before
    assert digest(cluster, *reversed(wanted), stale=stale) == before


def test_a_digest_ignores_values_that_the_server_chooses(api: ApiServer, cluster: Cluster) -> None:
    applied(cluster, deployment(type="ClusterIP"))
    ports = iter(range(30000, 30100))

    def draw(request: Request) -> Answer | None:
        if "dryRun" not in request.query:
            return None
        code, answer = api.answer(request)
        return Answer(code, {**answer, "spec": {**answer["spec"], "nodePort": next(ports)}})

    api.fault = draw
    wanted = deployment(type="NodePort")
    assert digest(cluster, wanted) == digest(cluster, wanted)


def test_another_plan_has_another_digest(api: ApiServer, cluster: Cluster) -> None:
    applied(cluster, config_map(a="1", b="1"))
    digests = [
        digest(cluster, config_map(a="1", b="1")),
        digest(cluster, config_map(a="2", b="1")),
        digest(cluster, config_map(a="2")),
        digest(cluster, config_map(a="2"), config_map("new")),
        digest(cluster, config_map(a="2"), config_map("new", a="2")),
        digest(cluster, config_map(a="2"), stale=lambda _cluster: [written_by(MANAGER, config_map("old"))]),
    ]
    # What somebody else has changed of ours since makes it another change.
    api.change(path_of(config_map()), data={"b": "3"})
    digests.append(digest(cluster, config_map(a="2", b="1")))
    assert len(set(digests)) == len(digests)
