# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verbs: what is asked of the API server, and what comes of its answers."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Access, Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.responses import api_error
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import ApiError, UnknownKind, Unreachable
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer, Request, faulty, status
from ansible_collections.meshops.istio.tests.support.kube.manifests import (
    cluster_role,
    config_map,
    definition,
    path_of,
    shape,
)
from ansible_collections.meshops.istio.tests.support.messages import has_facts

CONFIG_MAP = Kind("v1", "ConfigMap")
ROLE = Kind("rbac.authorization.k8s.io/v1", "ClusterRole")
SHAPE = Kind("example.com/v1", "Shape")
MANAGER = "meshops.istio/test"


def discovered(request: Request) -> Answer | None:
    """An API server that serves Shapes."""
    if request.path != "/apis":
        return None
    shapes = {"resource": "shapes", "responseKind": {"kind": "Shape"}, "scope": "Namespaced"}
    group = {"metadata": {"name": "example.com"}, "versions": [{"version": "v1", "resources": [shapes]}]}
    return Answer(200, {"kind": "APIGroupDiscoveryList", "items": [group]})


# --- reading -------------------------------------------------------------------------------------------------------


def test_the_version_is_asked_for_once(api: ApiServer, cluster: Cluster) -> None:
    assert cluster.version() == cluster.version() == (1, 35, "v1.35.4")
    assert str(cluster.version()) == "1.35.4"
    assert len(api.requests) == 1


def test_what_is_absent_is_none(api: ApiServer, cluster: Cluster) -> None:
    assert cluster.get(CONFIG_MAP, "web", "shop") is None
    assert cluster.list(CONFIG_MAP, "shop") == []
    assert cluster.get(SHAPE, "round", "shop") is None
    assert cluster.list(SHAPE) == []
    assert cluster.delete(CONFIG_MAP, "web", "shop") is False
    assert cluster.delete(SHAPE, "round", "shop") is False


def test_what_may_not_be_read_is_not_none(api: ApiServer, cluster: Cluster) -> None:
    api.fault = lambda request: status(403, "Forbidden", "you may not")
    for read in (lambda: cluster.get(CONFIG_MAP, "web", "shop"), lambda: cluster.list(CONFIG_MAP)):
        with pytest.raises(ApiError) as caught:
            read()
        assert caught.value.status == 403


def test_items_of_a_list_say_what_they_are(api: ApiServer, cluster: Cluster) -> None:
    for namespace in ("shop", "bank"):
        api.put(path_of(config_map(namespace=namespace)), config_map(namespace=namespace))
    items = cluster.list(CONFIG_MAP)
    assert {(item["apiVersion"], item["kind"], item["metadata"]["namespace"]) for item in items} == {
        ("v1", "ConfigMap", "shop"),
        ("v1", "ConfigMap", "bank"),
    }
    assert len(cluster.list(CONFIG_MAP, "shop")) == 1
    lists = cluster.list_many([(CONFIG_MAP, "", ""), (ROLE, "", ""), (CONFIG_MAP, "bank", "a=b")])
    assert [len(one) for one in lists] == [2, 0, 0]
    assert [one.query["labelSelector"] for one in api.requests if "labelSelector" in one.query] == ["a=b"]


def test_names_are_safe_in_paths(api: ApiServer, cluster: Cluster) -> None:
    assert cluster.get(ROLE, "system:a/b?c") is None
    assert api.requests[0].path == "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Aa%2Fb%3Fc"


# --- writing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dry_run", [False, True])
def test_writes_name_their_manager_and_may_be_rehearsed(api: ApiServer, cluster: Cluster, dry_run: bool) -> None:
    api.put(path_of(config_map("there")), config_map("there"))
    before = api.objects
    options: dict[str, Any] = {"manager": MANAGER, "dry_run": dry_run}
    cluster.apply(config_map("applied"), **options)
    cluster.create(config_map("created"), **options)
    cluster.merge_patch(CONFIG_MAP, "there", "shop", {"data": {"a": "2"}}, **options)
    cluster.delete(CONFIG_MAP, "there", "shop", dry_run=dry_run)
    rehearsal = {"dryRun": "All"} if dry_run else {}
    assert [request.query for request in api.requests] == [
        {"fieldManager": MANAGER, "force": "true", **rehearsal},
        {"fieldManager": MANAGER, **rehearsal},
        {"fieldManager": MANAGER, **rehearsal},
        rehearsal,
    ]
    assert (api.objects == before) is dry_run


def test_a_deletion_is_guarded(api: ApiServer, cluster: Cluster) -> None:
    api.put(path_of(config_map()), config_map())
    metadata = api.get(path_of(config_map()))["metadata"]
    for uid, version in (("another", None), (None, "1")):
        with pytest.raises(ApiError) as caught:
            cluster.delete(CONFIG_MAP, "web", "shop", uid=uid, resource_version=version)
        assert caught.value.status == 409
    assert cluster.delete(CONFIG_MAP, "web", "shop", uid=metadata["uid"], resource_version=metadata["resourceVersion"])
    assert api.requests[-1].body["propagationPolicy"] == "Background"


def test_permissions_are_asked_for_one_by_one(api: ApiServer, cluster: Cluster) -> None:
    api.forbidden = lambda attributes: attributes["verb"] == "delete" or attributes.get("subresource") == "scale"
    checks = [
        Access("get", "", "pods", "shop"),
        Access("delete", "", "pods", "shop"),
        Access("patch", "apps", "deployments", subresource="scale", name="web"),
    ]
    assert cluster.denied(checks) == checks[1:]
    assert [str(check) for check in checks[1:]] == ["delete pods in namespace shop", "patch deployments.apps/scale"]
    assert api.writes == []


# --- kinds ---------------------------------------------------------------------------------------------------------


def test_kinds_of_kubernetes_need_no_discovery(api: ApiServer, cluster: Cluster) -> None:
    assert cluster.namespaced(CONFIG_MAP)
    assert not cluster.namespaced(ROLE)
    cluster.apply(cluster_role(), manager=MANAGER)
    assert len(api.requests) == 1


def test_other_kinds_are_discovered_once(api: ApiServer, cluster: Cluster) -> None:
    api.fault = discovered
    cluster.apply(shape(), manager=MANAGER)
    assert cluster.serves(SHAPE)
    assert not cluster.serves(Kind("example.com/v2", "Shape"))
    assert [request.path for request in api.requests] == ["/api", "/apis", path_of(shape())]


def test_older_servers_are_asked_for_each_version(api: ApiServer, cluster: Cluster) -> None:
    answers = {
        "/api": {"kind": "APIVersions", "versions": []},
        "/apis": {"kind": "APIGroupList", "groups": [{"versions": [{"groupVersion": "example.com/v1"}]}]},
        "/apis/example.com/v1": {
            "kind": "APIResourceList",
            "groupVersion": "example.com/v1",
            "resources": [{"name": "shapes", "kind": "Shape", "namespaced": True}],
        },
    }
    api.fault = lambda request: Answer(200, answers[request.path]) if request.path in answers else None
    assert cluster.serves(SHAPE)


def test_a_plans_own_kinds_need_no_discovery(api: ApiServer, cluster: Cluster) -> None:
    cluster.learn([definition()])
    cluster.apply(shape(), manager=MANAGER)
    assert [request.path for request in api.requests] == [path_of(shape())]


def test_an_unknown_kind_says_which_versions_there_are(api: ApiServer, cluster: Cluster) -> None:
    api.fault = discovered
    with pytest.raises(UnknownKind) as caught:
        cluster.namespaced(Kind("example.com/v1alpha1", "Shape"))
    assert has_facts(caught.value.message, "kind Shape & example.com/v1alpha1 & not found & example.com/v1.")


def test_many_threads_discover_once(api: ApiServer, cluster: Cluster) -> None:
    api.fault = discovered
    cluster.parallel(lambda number: cluster.get(SHAPE, f"round-{number}", "shop"), range(20))
    assert [request.path for request in api.requests].count("/apis") == 1


# --- watching ------------------------------------------------------------------------------------------------------


def events(*found: dict[str, Any], rest: bytes = b"") -> Answer:
    return Answer(200, b"".join(json.dumps(event).encode() + b"\n" for event in found) + rest)


def test_a_watch_tells_events_until_it_ends(api: ApiServer, cluster: Cluster) -> None:
    added = {"type": "ADDED", "object": config_map()}
    gone = {"type": "DELETED", "object": config_map()}
    # Half an event is none: the connection has dropped.
    api.fault = faulty(events(added, gone, rest=b'{"type": "ADD'))
    found = list(cluster.watch(CONFIG_MAP, "shop", resource_version="7", timeout=5, field_selector="metadata.name=web"))
    told = {**config_map(), "metadata": {**config_map()["metadata"], "resourceVersion": ""}}
    assert found == [("ADDED", told), ("DELETED", told)]
    query = api.requests[0].query
    assert (query["watch"], query["resourceVersion"], query["timeoutSeconds"]) == ("true", "7", "5")
    assert query["fieldSelector"] == "metadata.name=web"


@pytest.mark.parametrize(
    "answer",
    [
        events({"type": "ERROR", "object": {"code": 410, "reason": "Expired", "message": "too old resource version"}}),
        status(410, "Expired", "too old resource version"),
    ],
)
def test_a_watch_with_an_expired_resource_version_is_reported(api: ApiServer, cluster: Cluster, answer: Answer) -> None:
    api.fault = faulty(answer)
    with pytest.raises(ApiError) as caught:
        list(cluster.watch(CONFIG_MAP, resource_version="1", timeout=5))
    assert caught.value.status == 410


def test_a_watch_that_cannot_be_begun_says_so(api: ApiServer, cluster: Cluster) -> None:
    api.fault = faulty(Answer(closes=True))
    with pytest.raises(Unreachable):
        list(cluster.watch(CONFIG_MAP, resource_version="1", timeout=5))


def test_a_watch_ends_when_its_time_is_up(api: ApiServer, cluster: Cluster) -> None:
    api.fault = lambda request: Answer(hangs=True)
    with pytest.raises(Unreachable):
        list(cluster.watch(CONFIG_MAP, resource_version="1", timeout=0.2))


# --- in parallel ---------------------------------------------------------------------------------------------------


def test_results_stand_in_the_order_of_the_items(cluster: Cluster) -> None:
    assert cluster.parallel(lambda number: number * 2, range(100)) == list(range(0, 200, 2))
    assert cluster.parallel(lambda number: number, []) == []


def test_the_first_failure_is_raised_and_what_has_not_begun_is_left(cluster: Cluster) -> None:
    begun: list[int] = []
    lock = threading.Lock()

    def work(number: int) -> None:
        with lock:
            begun.append(number)
        time.sleep(0.01)
        raise ValueError(number)

    with pytest.raises(ValueError, match=r"^0$"):
        cluster.parallel(work, range(5000))
    assert len(begun) < 5000


@pytest.mark.parametrize("status", [409, 422])
@pytest.mark.parametrize(
    "body",
    [
        {"details": "x"},
        {"details": {"causes": "x"}},
        {"details": {"causes": [None, "x", {"message": 7}]}},
        {"message": {"a": "b"}, "reason": ["x"]},
    ],
)
def test_a_refusal_whose_body_is_misshapen_is_one_still(status: int, body: Any) -> None:
    error = api_error("PATCH", "/api/v1/pods", status, json.dumps(body).encode())
    assert (error.status, error.field_conflicts) == (status, [])
    assert f"answered {status}" in error.message
