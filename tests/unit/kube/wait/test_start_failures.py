# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Containers that do not start are shown while their workload is awaited, and end the wait if they never will."""

from __future__ import annotations

import time

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import NotReady
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.kinds import POD
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait import start_failures, watch
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.wait import wait_endpoint, wait_ready
from ansible_collections.meshops.istio.tests.support.kube.fake_cluster import FakeCluster
from ansible_collections.meshops.istio.tests.support.kube.waiting import (
    LONG,
    WAITING_FOR_IMAGE,
    WEB,
    Object,
    deployment,
    endpoint_slice,
    obj,
    pod,
)
from ansible_collections.meshops.istio.tests.support.messages import has_facts


class _Shown(Exception):
    """Ends a wait when a line was shown."""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read pods at once and all the time."""
    monkeypatch.setattr(start_failures, "EVERY", 0.0)
    monkeypatch.setattr(watch, "HEARTBEAT", 0.01)


def replica_set(revision: str, number: int) -> Object:
    made = obj("apps/v1", "ReplicaSet", f"web-{revision}", labels={"app": "web", "pod-template-hash": revision})
    owner = {"kind": "Deployment", "name": "web"}
    made["metadata"] |= {
        "ownerReferences": [owner],
        "annotations": {"deployment.kubernetes.io/revision": str(number)},
    }
    return made


def pod_of(revision: str, reason: str, message: str = "") -> Object:
    waiting = {"name": "app", "ready": False, "state": {"waiting": {"reason": reason, "message": message}}}
    made = pod(f"web-{revision}-x", containers=[waiting])
    made["metadata"]["labels"]["pod-template-hash"] = revision
    return made


def wait(cluster: FakeCluster, until: str = "") -> list[str]:
    """Wait for the Deployment, until a line was shown; return the lines."""
    lines: list[str] = []

    def show(line: str) -> None:
        lines.append(line)
        if until and until in line:
            raise _Shown

    wait_ready(cluster, [WEB], timeout=LONG, progress=show)
    return lines


@pytest.mark.parametrize("reason", ["ImagePullBackOff", "CrashLoopBackOff", "CreateContainerConfigError"])
def test_a_back_off_is_shown_while_waiting(reason: str) -> None:
    cluster = FakeCluster(deployment(ready=0), replica_set("new", 1), pod_of("new", reason, "the cause"))
    with pytest.raises(_Shown):
        wait(cluster, f"Deployment shop/web: 0/1 replicas available; pod web-new-x, container app: {reason}")


def test_a_wait_for_a_pod_shows_its_containers() -> None:
    cluster = FakeCluster(pod("web", containers=[WAITING_FOR_IMAGE]))
    lines: list[str] = []

    def show(line: str) -> None:
        lines.append(line)
        if "ImagePullBackOff" in line:
            raise _Shown

    with pytest.raises(_Shown):
        wait_ready(cluster, [WEB._replace(api_version="v1", kind="Pod")], timeout=LONG, progress=show)
    assert "waiting for Pod shop/web: pending; container app: ImagePullBackOff" in lines[-1]


@pytest.mark.parametrize("reason", ["InvalidImageName", "ErrImageNeverPull"])
def test_a_permanent_failure_ends_the_wait(reason: str) -> None:
    cluster = FakeCluster(deployment(ready=0), replica_set("new", 1), pod_of("new", reason, "no such image"))
    with pytest.raises(NotReady) as caught:
        wait(cluster)
    assert has_facts(caught.value, f"Deployment shop/web & pod web-new-x & container app & {reason} & no such image")
    assert "Timed out" not in str(caught.value)


def test_an_error_that_another_object_may_repair_ends_the_wait_after_the_grace_period(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(start_failures, "GRACE", 0.0)
    missing = pod_of("new", "CreateContainerConfigError", 'configmap "settings" not found')
    cluster = FakeCluster(deployment(ready=0), replica_set("new", 1), missing)
    with pytest.raises(NotReady) as caught:
        wait(cluster)
    assert has_facts(caught.value, 'Deployment shop/web & CreateContainerConfigError & configmap "settings" not found')


@pytest.mark.parametrize("reason", ["ImagePullBackOff", "ErrImagePull", "CrashLoopBackOff"])
def test_a_container_in_back_off_ends_the_wait_if_a_limit_is_set(reason: str) -> None:
    cluster = FakeCluster(deployment(ready=0), replica_set("new", 1), pod_of("new", reason, "the cause"))
    with pytest.raises(NotReady) as caught:
        wait_ready(cluster, [WEB], timeout=LONG, progress=lambda _line: None, back_off=0.05)
    assert has_facts(caught.value, f"Deployment shop/web & pod web-new-x & container app & {reason} & the cause")
    assert "Timed out" not in str(caught.value)


def test_a_back_off_of_another_pod_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 10_000, 40))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(now)))
    failures = start_failures.StartFailures(FakeCluster(), back_off=100)
    problem = {"container": "app", "reason": "CrashLoopBackOff", "message": ""}
    first, second = ({"metadata": {"name": name}} for name in ("web-1", "web-2"))
    assert not failures._failure(WEB, first, problem).final
    assert not failures._failure(WEB, second, problem).final
    assert failures._failure(WEB, first, {**problem, "reason": "ErrImagePull"}).final


@pytest.mark.parametrize("listed", [True, False])
def test_pods_of_an_old_revision_do_not_end_the_wait(listed: bool) -> None:
    revisions = (replica_set("old", 1), replica_set("new", 2)) if listed else ()
    old, new = pod_of("old", "InvalidImageName"), pod_of("new", "ContainerCreating")
    cluster = FakeCluster(deployment(ready=0), *revisions, old, new)
    lines: list[str] = []

    def mend(line: str) -> None:
        lines.append(line)
        if cluster.requests.count(("list", POD, "shop")) > 3:
            cluster.put(deployment(ready=1))

    wait_ready(cluster, [WEB], timeout=LONG, progress=mend)
    assert lines[-1] == "Deployment shop/web: 1/1 replicas ready"


def test_unreadable_pods_do_not_end_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster(deployment(ready=0))
    monkeypatch.setattr(start_failures, "pods_of", lambda *_arguments: (_ for _ in ()).throw(NotReady("forbidden")))
    cluster.on_watch.append(lambda: cluster.put(deployment(ready=1)))
    assert wait(cluster)[-1] == "Deployment shop/web: 1/1 replicas ready"


def service() -> Object:
    return obj("v1", "Service", "web", spec={"selector": {"app": "web"}})


def test_a_wait_for_an_endpoint_shows_the_containers_behind_the_service() -> None:
    cluster = FakeCluster(service(), pod_of("new", "ImagePullBackOff"))

    def show(line: str) -> None:
        if "ImagePullBackOff" in line:
            raise _Shown

    with pytest.raises(_Shown):
        wait_endpoint(cluster, key_of(service()), timeout=LONG, progress=show)


def test_a_service_without_a_pod_that_can_start_ends_the_wait() -> None:
    cluster = FakeCluster(service(), pod_of("new", "InvalidImageName"))
    with pytest.raises(NotReady) as caught:
        wait_endpoint(cluster, key_of(service()), timeout=LONG, progress=silent)
    assert has_facts(caught.value, "Service shop/web & InvalidImageName")


def test_a_service_with_another_pod_is_awaited() -> None:
    cluster = FakeCluster(service(), pod_of("old", "InvalidImageName"), pod_of("new", "ContainerCreating"))

    def mend(_line: str) -> None:
        if cluster.requests.count(("list", POD, "shop")) > 3:
            cluster.put(endpoint_slice(ready=True))

    wait_endpoint(cluster, key_of(service()), timeout=LONG, progress=mend)
