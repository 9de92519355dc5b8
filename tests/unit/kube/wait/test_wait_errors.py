# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Waiting: what its errors say."""

from __future__ import annotations

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind, key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.wait import wait_ready
from ansible_collections.meshops.istio.tests.support.kube.fake_cluster import FakeCluster
from ansible_collections.meshops.istio.tests.support.kube.waiting import (
    LONG,
    WAITING_FOR_IMAGE,
    WEB,
    Late,
    Object,
    deployment,
    obj,
    pod,
    warning,
)
from ansible_collections.meshops.istio.tests.support.messages import has_facts

# --- what its errors say


def test_the_error_names_object_and_state(late: Late) -> None:
    error = late(FakeCluster(deployment(ready=0)))
    assert has_facts(error, "timed out waiting & Deployment shop/web & not ready after 60 s: 0/1 replicas available.")
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
                "message": "0/1 replicas available",
                "pods": [],
                "events": [],
            }
        ],
    }


def test_the_error_names_a_missing_object(late: Late) -> None:
    assert has_facts(late(FakeCluster()), "Deployment shop/web & not ready after 60 s: not found")


def test_the_error_names_some_of_many_objects(late: Late) -> None:
    names = ["one", "two", "three", "four", "five"]
    cluster = FakeCluster(deployment("zero", ready=1), *(deployment(name, ready=0) for name in names))
    error = late(cluster, *(WEB._replace(name=name) for name in ["zero", *names]))
    assert has_facts(
        error,
        "timed out waiting & 5 & 6 objects & after 60 s: Deployment shop/one: 0/1 replicas available; "
        "Deployment shop/two: 0/1 replicas available; Deployment shop/three: 0/1 replicas available; +2 more.",
    )
    assert [one["name"] for one in error.details["objects"]] == names


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
    assert has_facts(error, f"Deployment shop/web & not ready after 60 s: 0/1 replicas available{because}.")


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
    assert has_facts(late(cluster), "Deployment shop/web & not ready after 60 s: 0/1 replicas available.")


def test_a_failed_job_ends_the_wait_at_once(late: Late) -> None:
    failure = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "It has tried 3 times."}
    job = obj("batch/v1", "Job", "migrate", status={"conditions": [failure]})
    error = late(FakeCluster(deployment(ready=0), job), WEB, key_of(job))
    assert has_facts(error, "Job shop/migrate & failed & BackoffLimitExceeded: It has tried 3 times")
    assert error.details["objects"][0]["name"] == "migrate"


def test_a_deployment_past_its_deadline_may_still_come() -> None:
    stuck = deployment(ready=0)
    stuck["status"]["conditions"] = [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]
    cluster = FakeCluster(stuck)
    cluster.on_watch.append(lambda: cluster.put(deployment(ready=1)))
    wait_ready(cluster, [WEB], timeout=LONG, progress=silent)


def test_the_reason_of_a_pending_claim_is_in_the_error(late: Late) -> None:
    claim = obj("v1", "PersistentVolumeClaim", "data", spec={}, status={"phase": "Pending"})
    event = warning("PersistentVolumeClaim data", "FailedBinding", "no storage class is set") | {"type": "Normal"}
    assert "FailedBinding: no storage class is set" in str(late(FakeCluster(claim, event), key_of(claim)))


def test_the_reason_of_a_pods_pending_claim_is_in_the_error(late: Late) -> None:
    waiting = pod(conditions=[UNSCHEDULABLE], spec={"volumes": [{"persistentVolumeClaim": {"claimName": "data"}}]})
    event = warning("PersistentVolumeClaim data", "ProvisioningFailed", 'storageclass "fast" not found')
    assert 'ProvisioningFailed: storageclass "fast" not found' in str(
        late(FakeCluster(deployment(ready=0), waiting, event))
    )
