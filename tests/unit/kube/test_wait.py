# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting: when it ends, what it lives through, and what its errors say.

Longer than most files, because all that a wait can meet is told over one set of made objects.
"""

from __future__ import annotations

import time
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
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects import Key, Kind, key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.ready import status
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait import (
    wait_endpoint,
    wait_gone,
    wait_ready,
    wait_until,
)
from ansible_collections.meshops.istio.tests.unit.kube.fake_cluster import FakeCluster

Object = dict[str, Any]

LONG = 60.0
"""Seconds that no test gets to see."""

OBSERVE = "ansible_collections.meshops.istio.plugins.module_utils.kube.observe"

DEPLOYMENT = Kind("apps/v1", "Deployment")
WEB = Key("apps/v1", "Deployment", "shop", "web")


def obj(api_version: str, kind: str, name: str, namespace: str = "shop", **fields: Any) -> Object:
    labels = fields.pop("labels", {})
    metadata = {"name": name, "labels": labels, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def deployment(name: str = "web", namespace: str = "shop", *, ready: int) -> Object:
    available = {"type": "Available", "status": "True" if ready else "False"}
    progressing = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
    return obj(
        "apps/v1",
        "Deployment",
        name,
        namespace,
        spec={"replicas": 1, "selector": {"matchLabels": {"app": name}}},
        status={
            "replicas": 1,
            "updatedReplicas": 1,
            "availableReplicas": ready,
            "readyReplicas": ready,
            "conditions": [available, progressing],
        },
    )


def pod(name: str = "web-5d-x1", *, containers: Any = (), conditions: Any = (), **fields: Any) -> Object:
    return obj(
        "v1",
        "Pod",
        name,
        labels={"app": "web"},
        status={"phase": "Pending", "containerStatuses": list(containers), "conditions": list(conditions)},
        **fields,
    )


def warning(about: str, reason: str, message: str, seen: str = "2026-01-01T00:00:00Z") -> Object:
    kind, name = about.split()
    return obj(
        "v1",
        "Event",
        f"{name}.{reason}",
        type="Warning",
        reason=reason,
        message=message,
        lastTimestamp=seen,
        involvedObject={"kind": kind, "name": name},
    )


def endpoint_slice(*, ready: bool | None, addresses: Any = ("10.0.0.1",)) -> Object:
    conditions = {} if ready is None else {"ready": ready}
    return obj(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        "web-abc",
        labels={"kubernetes.io/service-name": "web"},
        endpoints=[{"addresses": list(addresses), "conditions": conditions}],
    )


class Clock:
    """Tells the time, and can be put on so that all the time there was is over."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead

    def run_out(self) -> None:
        self._ahead += LONG


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{OBSERVE}.PAUSE", 0.01)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(f"{OBSERVE}.time", clock)
    monkeypatch.setattr(f"{OBSERVE}.HEARTBEAT", 0.02)
    return clock


Late = Callable[..., NotReady]


@pytest.fixture
def late(clock: Clock) -> Late:
    """Waits in vain: the time is over once everything has been seen and is watched."""

    def late(cluster: FakeCluster, *keys: Key, wait: Callable[..., None] = wait_ready) -> NotReady:
        awaited = keys or (WEB,)
        others = len({key.of for key in awaited}) - 1
        cluster.on_watch += [*[lambda: None] * others, clock.run_out]
        with pytest.raises(NotReady) as caught:
            wait(cluster, awaited, timeout=LONG, progress=silent)
        return caught.value

    return late


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
        "waiting for Deployment shop/web: 0 of 1 replicas available",
        "Deployment shop/web: 1 of 1 replicas ready",
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
        if line == "Deployment shop/api: 1 of 1 replicas ready":
            cluster.put(deployment(ready=1))

    wait_ready(cluster, [WEB, WEB._replace(name="api")], timeout=LONG, progress=progress)
    assert lines[-3:] == [
        "waiting for Deployment shop/web: 0 of 1 replicas available",
        "Deployment shop/api: 1 of 1 replicas ready",
        "Deployment shop/web: 1 of 1 replicas ready",
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
        if line == "waiting for Deployment shop/web: 0 of 1 replicas available (+1 more)":
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


# --- what its errors say


def test_the_error_names_object_and_state(late: Late) -> None:
    error = late(FakeCluster(deployment(ready=0)))
    assert str(error) == "Deployment shop/web is not ready after 60 s: 0 of 1 replicas available."
    assert error.code == "not_ready"
    assert error.details == {
        "timeout": LONG,
        "objects": [
            {
                "api_version": "apps/v1",
                "kind": "Deployment",
                "namespace": "shop",
                "name": "web",
                "state": "in_progress",
                "message": "0 of 1 replicas available",
                "pods": [],
                "events": [],
            }
        ],
    }


def test_the_error_names_a_missing_object(late: Late) -> None:
    assert "Deployment shop/web is not ready after 60 s: it does not exist." in str(late(FakeCluster()))


def test_the_error_names_some_of_many_objects(late: Late) -> None:
    names = ["one", "two", "three", "four", "five"]
    cluster = FakeCluster(deployment("zero", ready=1), *(deployment(name, ready=0) for name in names))
    error = late(cluster, *(WEB._replace(name=name) for name in ["zero", *names]))
    assert str(error) == (
        "5 of 6 objects are not ready after 60 s: Deployment shop/one: 0 of 1 replicas available; "
        "Deployment shop/two: 0 of 1 replicas available; Deployment shop/three: 0 of 1 replicas available; +2 more."
    )
    assert [one["name"] for one in error.details["objects"]] == names


WAITING_FOR_IMAGE = {
    "name": "app",
    "ready": False,
    "state": {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "nope"'}},
}
CRASHING = {
    "name": "app",
    "ready": False,
    "restartCount": 4,
    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container"}},
    "lastState": {"terminated": {"reason": "Error", "exitCode": 2, "message": "no such flag: -x\n"}},
}
STARTING = {"name": "app", "ready": False, "state": {"waiting": {"reason": "ContainerCreating"}}}
UNREADY = {"name": "app", "ready": False, "state": {"running": {}}}
ENDED = {"name": "app", "ready": False, "state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}
UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/1 nodes are available: 1 Insufficient memory.",
}


@pytest.mark.parametrize(
    ("found", "why"),
    [
        pytest.param(
            [pod(containers=[WAITING_FOR_IMAGE])],
            'pod web-5d-x1, container app: ImagePullBackOff: Back-off pulling image "nope"',
            id="image",
        ),
        pytest.param(
            [
                pod(containers=[WAITING_FOR_IMAGE]),
                warning("Pod web-5d-x1", "Failed", "Failed to pull image: not found", "2026-01-01T00:00:00Z"),
                warning("Pod web-5d-x1", "BackOff", "Back-off pulling", "2026-01-01T00:01:00Z"),
            ],
            'pod web-5d-x1, container app: ImagePullBackOff: Back-off pulling image "nope"; '
            "Pod web-5d-x1: Failed: Failed to pull image: not found",
            id="image-with-events",
        ),
        pytest.param(
            [pod(containers=[CRASHING])],
            "pod web-5d-x1, container app: CrashLoopBackOff: last ended with Error, exit code 2: no such flag: -x",
            id="crash",
        ),
        pytest.param(
            [pod(containers=[ENDED])],
            "pod web-5d-x1, container app: OOMKilled: last ended with OOMKilled, exit code 137",
            id="ended",
        ),
        pytest.param(
            [
                pod(conditions=[UNSCHEDULABLE]),
                warning("Pod web-5d-x1", "FailedScheduling", UNSCHEDULABLE["message"]),
            ],
            "pod web-5d-x1: Unschedulable: 0/1 nodes are available: 1 Insufficient memory",
            id="unschedulable-said-once",
        ),
        pytest.param(
            [
                pod(containers=[UNREADY]),
                warning("Pod web-5d-x1", "Unhealthy", "Readiness probe failed: HTTP 503"),
            ],
            "pod web-5d-x1, container app: NotReady: running, but its readiness probe has not succeeded; "
            "Pod web-5d-x1: Unhealthy: Readiness probe failed: HTTP 503",
            id="probe",
        ),
        pytest.param(
            [
                pod(containers=[STARTING]),
                warning("Pod web-5d-x1", "FailedMount", 'secret "cert" not found'),
            ],
            'pod web-5d-x1: ContainerCreating; Pod web-5d-x1: FailedMount: secret "cert" not found',
            id="volume",
        ),
        pytest.param(
            [warning("ReplicaSet web-5d", "FailedCreate", "exceeded quota: small")],
            "ReplicaSet web-5d: FailedCreate: exceeded quota: small",
            id="quota",
        ),
        pytest.param(
            [
                pod(
                    "web-4c-old",
                    containers=[{"name": "app", "ready": True}],
                    conditions=[{"type": "Ready", "status": "True"}],
                ),
                warning("Pod web-4c-old", "Unhealthy", "while it was starting"),
                warning("Pod other", "Failed", "nothing to do with it"),
                warning("ReplicaSet web-api-77", "FailedCreate", "of another Deployment"),
            ],
            "",
            id="nothing-of-others",
        ),
    ],
)
def test_the_error_tells_why(found: list[Object], why: str, late: Late) -> None:
    error = late(FakeCluster(deployment(ready=0), *found))
    because = f" ({why})" if why else ""
    assert str(error) == f"Deployment shop/web is not ready after 60 s: 0 of 1 replicas available{because}."


def test_the_causes_are_in_the_details(late: Late) -> None:
    event = warning("Pod web-5d-x1", "BackOff", "Back-off restarting failed container")
    error = late(FakeCluster(deployment(ready=0), pod(containers=[CRASHING]), event))
    found = error.details["objects"][0]
    assert found["pods"] == [
        {
            "name": "web-5d-x1",
            "container": "app",
            "reason": "CrashLoopBackOff",
            "message": "last ended with Error, exit code 2: no such flag: -x",
            "exit_code": 2,
            "restarts": 4,
        }
    ]
    assert found["events"] == [
        {
            "object": "Pod web-5d-x1",
            "reason": "BackOff",
            "message": "Back-off restarting failed container",
            "count": 1,
            "last_seen": "2026-01-01T00:00:00Z",
        }
    ]


def test_an_init_container_that_hangs_is_named(late: Late) -> None:
    hanging = pod(spec={"initContainers": [{"name": "migrate"}]})
    hanging["status"]["initContainerStatuses"] = [{"name": "migrate", "ready": False, "state": {"running": {}}}]
    assert "container migrate: Initializing: this init container is still running" in str(
        late(FakeCluster(deployment(ready=0), hanging))
    )


def test_causes_that_may_not_be_read_do_not_hide_the_failure(late: Late) -> None:
    cluster = FakeCluster(deployment(ready=0), pod(containers=[CRASHING]))
    cluster.forbid(Kind("v1", "Pod"), "shop")
    cluster.forbid(Kind("v1", "Event"), "shop")
    assert str(late(cluster)) == "Deployment shop/web is not ready after 60 s: 0 of 1 replicas available."


def test_a_failed_job_ends_the_wait_at_once(late: Late) -> None:
    failure = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "It has tried 3 times."}
    job = obj("batch/v1", "Job", "migrate", status={"conditions": [failure]})
    error = late(FakeCluster(deployment(ready=0), job), WEB, key_of(job))
    assert "Job shop/migrate: has failed, BackoffLimitExceeded: It has tried 3 times" in str(error)
    assert error.details["objects"][0]["name"] == "migrate"


def test_a_deployment_past_its_deadline_may_still_come() -> None:
    stuck = deployment(ready=0)
    stuck["status"]["conditions"] = [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]
    cluster = FakeCluster(stuck)
    cluster.on_watch.append(lambda: cluster.put(deployment(ready=1)))
    wait_ready(cluster, [WEB], timeout=LONG, progress=silent)


# --- gone


def test_gone() -> None:
    cluster = FakeCluster(deployment(ready=1))
    cluster.on_watch.append(lambda: cluster.remove(WEB))
    wait_gone(cluster, [WEB, WEB._replace(name="never")], timeout=LONG, progress=silent)


def test_what_is_held_is_named_with_its_holder(late: Late) -> None:
    held = obj("v1", "Namespace", "mesh", "", spec={})
    held["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["example.com/keep"]}
    error = late(FakeCluster(held), key_of(held), wait=wait_gone)
    assert str(error) == "Namespace mesh still exists after 60 s: held by the finalizers example.com/keep."


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
    assert str(caught.value) == (
        "Service shop/web is not ready after 60 s: it has no ready endpoint "
        '(pod web-5d-x1, container app: ImagePullBackOff: Back-off pulling image "nope").'
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
    wait_until(cluster, key_of(thing), expression, timeout=LONG, progress=silent)


def test_until_the_time_is_over(clock: Clock) -> None:
    thing = obj("example.com/v1", "Thing", "it", status={"count": 0})
    cluster = FakeCluster(thing)
    cluster.on_watch.append(clock.run_out)
    with pytest.raises(NotReady, match=r"^Thing shop/it is not ready after 60 s: status\.count is 0\.$"):
        wait_until(cluster, key_of(thing), "status.count", timeout=LONG, progress=silent)


@pytest.mark.parametrize("expression", ["status.", "status.count == 1", "", "nope(status)", "@@"])
def test_an_expression_that_is_none(expression: str) -> None:
    thing = obj("example.com/v1", "Thing", "it")
    with pytest.raises(InvalidInput, match="is not valid JMESPath"):
        wait_until(FakeCluster(thing), key_of(thing), expression, timeout=LONG, progress=silent)


@pytest.mark.parametrize("wait", [wait_ready, wait_gone])
def test_no_time_at_all_is_an_error(wait: Callable[..., None]) -> None:
    with pytest.raises(NotReady, match="Deployment shop/web"):
        wait(FakeCluster(deployment(ready=0)), [WEB], timeout=0.0, progress=silent)
