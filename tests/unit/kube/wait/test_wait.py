# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Waiting: when it ends, and what it lives through."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import (
    ApiError,
    InvalidInput,
    NotReady,
    Unreachable,
)
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind, key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.jmespath_condition import condition
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.status import status
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.wait import (
    wait_endpoint,
    wait_gone,
    wait_ready,
)
from ansible_collections.meshops.istio.tests.support.kube.fake_cluster import FakeCluster
from ansible_collections.meshops.istio.tests.support.kube.waiting import (
    DEPLOYMENT,
    LONG,
    WAITING_FOR_IMAGE,
    WEB,
    Clock,
    Late,
    Object,
    deployment,
    endpoint_slice,
    obj,
    pod,
)
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern, has_facts

# --- when it ends


def test_nothing_to_wait_for() -> None:
    cluster = FakeCluster()
    wait_ready(cluster, [], timeout=LONG, progress=silent)
    assert cluster.requests == []


def test_what_is_ready_is_not_waited_for() -> None:
    cluster = FakeCluster(deployment(ready=1))
    lines: list[str] = []
    wait_ready(cluster, [WEB], timeout=LONG, progress=lines.append)
    assert cluster.requests == [("list", DEPLOYMENT, "shop")]
    assert lines == []


def test_ends_when_the_last_object_is_ready() -> None:
    cluster = FakeCluster(deployment(ready=0), deployment("api", ready=1))
    cluster.on_watch.append(lambda: cluster.put(deployment(ready=1)))
    lines: list[str] = []
    wait_ready(cluster, [WEB, WEB._replace(name="api")], timeout=LONG, progress=lines.append)
    assert lines == [
        "waiting for Deployment shop/web: 0/1 replicas available",
        "Deployment shop/web: 1/1 replicas ready",
    ]


def test_objects_that_do_not_exist_yet_are_waited_for() -> None:
    cluster = FakeCluster()
    cluster.on_watch.append(lambda: cluster.put(deployment(ready=1)))
    wait_ready(cluster, [WEB], timeout=LONG, progress=silent)


def test_an_object_that_falls_back_is_waited_for_again() -> None:
    cluster = FakeCluster(deployment(ready=1), deployment("api", ready=0))

    def one_up_one_down() -> None:
        cluster.put(deployment(ready=0))
        cluster.put(deployment("api", ready=1))

    cluster.on_watch.append(one_up_one_down)
    lines: list[str] = []

    def progress(line: str) -> None:
        lines.append(line)
        if line == "Deployment shop/api: 1/1 replicas ready":
            cluster.put(deployment(ready=1))

    wait_ready(cluster, [WEB, WEB._replace(name="api")], timeout=LONG, progress=progress)
    assert lines[-3:] == [
        "waiting for Deployment shop/web: 0/1 replicas available",
        "Deployment shop/api: 1/1 replicas ready",
        "Deployment shop/web: 1/1 replicas ready",
    ]


def test_one_watch_for_each_kind(late: Late) -> None:
    service = obj("v1", "Service", "web", spec={"type": "LoadBalancer"})
    cluster = FakeCluster(
        deployment(ready=0), deployment("api", ready=0), deployment(namespace="mesh", ready=0), service
    )
    late(cluster, WEB, WEB._replace(name="api"), WEB._replace(namespace="mesh"), key_of(service))
    watches = [request for request in cluster.requests if request[0] == "watch"]
    assert sorted(watches) == [("watch", DEPLOYMENT, ""), ("watch", Kind("v1", "Service"), "shop")]


def test_namespaces_are_watched_apart_where_the_whole_cluster_may_not_be_read() -> None:
    cluster = FakeCluster(deployment(ready=1), deployment(namespace="mesh", ready=1))
    cluster.forbid(DEPLOYMENT)
    wait_ready(cluster, [WEB, WEB._replace(namespace="mesh")], timeout=LONG, progress=silent)


def test_progress_goes_on_while_nothing_changes(clock: Clock) -> None:
    cluster = FakeCluster(deployment(ready=0), deployment("api", ready=0))

    def progress(line: str) -> None:
        if line == "waiting for Deployment shop/web: 0/1 replicas available (+1 more)":
            cluster.put(deployment(ready=1))
            cluster.put(deployment("api", ready=1))

    wait_ready(cluster, [WEB, WEB._replace(name="api")], timeout=LONG, progress=progress)


def test_what_is_expected_can_be_chosen() -> None:
    service = obj("v1", "Service", "web", spec={"type": "LoadBalancer", "clusterIP": "10.0.0.1"})
    addressed = service | {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    cluster = FakeCluster(service)
    cluster.on_watch.append(lambda: cluster.put(addressed))
    expect = partial(status, load_balancer=True)
    wait_ready(cluster, [key_of(service)], timeout=LONG, progress=silent, expect=expect)


# --- what it lives through


def test_a_dropped_connection_is_taken_up_without_another_list() -> None:
    cluster = FakeCluster(deployment(ready=0))
    cluster.on_watch += [cluster.drop_connections, lambda: cluster.put(deployment(ready=1))]
    wait_ready(cluster, [WEB], timeout=LONG, progress=silent)
    assert [verb for verb, _kind, _namespace in cluster.requests] == ["list", "watch", "watch"]


def test_a_version_that_is_too_old_is_listed_again() -> None:
    cluster = FakeCluster(deployment(ready=0))

    def ready_and_forgotten() -> None:
        cluster.put(deployment(ready=1))
        cluster.forget_history()

    cluster.on_watch.append(ready_and_forgotten)
    wait_ready(cluster, [WEB], timeout=LONG, progress=silent)


def test_a_deletion_that_no_watch_has_seen_is_noticed() -> None:
    cluster = FakeCluster(deployment(ready=0))

    def removed_and_forgotten() -> None:
        cluster.remove(WEB)
        cluster.forget_history()

    cluster.on_watch.append(removed_and_forgotten)
    wait_gone(cluster, [WEB], timeout=LONG, progress=silent)


@pytest.mark.parametrize("verb", ["list", "watch"])
@pytest.mark.parametrize(
    "failure",
    [
        Unreachable("The cluster at https://example.com no longer answers: connection refused."),
        ApiError("The API server answered 503.", status=503),
        ApiError("The API server answered 429.", status=429),
    ],
    ids=["unreachable", "unavailable", "too-many-requests"],
)
def test_an_api_server_that_is_away_for_a_while(verb: str, failure: Exception) -> None:
    cluster = FakeCluster(deployment(ready=0))
    cluster.fail_once(verb, failure)
    cluster.on_watch.append(lambda: cluster.put(deployment(ready=1)))
    wait_ready(cluster, [WEB], timeout=LONG, progress=silent)


def test_an_api_server_that_stays_away_is_the_failure(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster(deployment(ready=0))
    attempts: list[str] = []

    def refuse(*_args: Any, **_options: Any) -> None:
        attempts.append("list")
        if len(attempts) == 2:
            clock.run_out()
        raise Unreachable("The cluster at https://example.com does not answer: timed out.")

    monkeypatch.setattr(cluster, "list_with_version", refuse)
    with pytest.raises(Unreachable, match="does not answer"):
        wait_ready(cluster, [WEB], timeout=LONG, progress=silent)


def test_a_lack_of_permission_fails_at_once() -> None:
    cluster = FakeCluster()
    cluster.forbid(DEPLOYMENT, "shop")
    with pytest.raises(ApiError, match="Deployment is forbidden"):
        wait_ready(cluster, [WEB], timeout=LONG, progress=silent)


# --- endpoints

SERVICE = Key("v1", "Service", "shop", "web")


def test_an_endpoint_that_is_ready() -> None:
    cluster = FakeCluster()
    cluster.on_watch.append(lambda: cluster.put(endpoint_slice(ready=True)))
    wait_endpoint(cluster, SERVICE, timeout=LONG, progress=silent)


def test_an_endpoint_that_says_nothing_is_ready() -> None:
    wait_endpoint(FakeCluster(endpoint_slice(ready=None)), SERVICE, timeout=LONG, progress=silent)


@pytest.mark.parametrize(
    "found",
    [
        pytest.param([], id="none"),
        pytest.param([endpoint_slice(ready=False)], id="not-ready"),
        pytest.param([endpoint_slice(ready=True, addresses=())], id="no-address"),
    ],
)
def test_no_endpoint(found: list[Object], clock: Clock) -> None:
    service = obj("v1", "Service", "web", spec={"selector": {"app": "web"}})
    cluster = FakeCluster(service, pod(containers=[WAITING_FOR_IMAGE]), *found)
    cluster.on_watch.append(clock.run_out)
    with pytest.raises(NotReady) as caught:
        wait_endpoint(cluster, SERVICE, timeout=LONG, progress=silent)
    assert has_facts(
        caught.value,
        "timed out waiting & Service shop/web & 60 s & no ready endpoint & "
        'pod web-5d-x1, container app: ImagePullBackOff: Back-off pulling image "nope"',
    )


# --- conditions


@pytest.mark.parametrize(
    ("expression", "change"),
    [
        pytest.param(
            "status.loadBalancer.ingress[0].ip", {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}, id="value"
        ),
        pytest.param("status.phase == 'Running'", {"phase": "Running"}, id="comparison"),
        pytest.param("status.count", {"count": 1}, id="number"),
        pytest.param("length(status.names) > `1`", {"names": ["a", "b"]}, id="function"),
    ],
)
def test_until(expression: str, change: Object) -> None:
    thing = obj("example.com/v1", "Thing", "it", status={"phase": "New", "count": 0})
    cluster = FakeCluster(thing)
    cluster.on_watch.append(lambda: cluster.put(thing | {"status": change}))
    wait_ready(cluster, [key_of(thing)], timeout=LONG, progress=silent, expect=condition(expression))


def test_until_the_time_is_over(clock: Clock) -> None:
    thing = obj("example.com/v1", "Thing", "it", status={"count": 0})
    cluster = FakeCluster(thing)
    cluster.on_watch.append(clock.run_out)
    with pytest.raises(
        NotReady, match=facts_pattern("timed out waiting & Thing shop/it & not ready after 60 s & status.count is 0")
    ):
        wait_ready(cluster, [key_of(thing)], timeout=LONG, progress=silent, expect=condition("status.count"))


@pytest.mark.parametrize("expression", ["status.", "status.count == 1", "", "nope(status)", "@@"])
def test_an_expression_that_is_none(expression: str) -> None:
    thing = obj("example.com/v1", "Thing", "it")
    with pytest.raises(InvalidInput, match=facts_pattern("invalid & JMESPath")):
        wait_ready(FakeCluster(thing), [key_of(thing)], timeout=LONG, progress=silent, expect=condition(expression))


@pytest.mark.parametrize("wait", [wait_ready, wait_gone])
def test_no_time_at_all_is_an_error(wait: Callable[..., None]) -> None:
    with pytest.raises(NotReady, match="Deployment shop/web"):
        wait(FakeCluster(deployment(ready=0)), [WEB], timeout=0.0, progress=silent)
