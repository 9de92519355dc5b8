# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ready: what depends on other objects, such as claims on their StorageClass, and Jobs that are there no more."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import NotReady
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind, key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.status_in_cluster import Judge
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.wait import wait_ready
from ansible_collections.meshops.istio.tests.support.kube.fake_cluster import FakeCluster
from ansible_collections.meshops.istio.tests.support.kube.manifests import obj
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern

Object = dict[str, Any]

LONG = 60.0
"""Seconds that no test gets to see."""

LATE = {"volumeBindingMode": "WaitForFirstConsumer"}
CLASS = obj("storage.k8s.io/v1", "StorageClass", "late", **LATE)


def claim(**spec: Any) -> Object:
    wanted = {"storageClassName": "late", **spec}
    return obj("v1", "PersistentVolumeClaim", "data", "shop", spec=wanted, status={"phase": "Pending"})


def pod(volume: Object, phase: str = "Pending", **metadata: Any) -> Object:
    spec = {"volumes": [{"name": "data", **volume}]}
    return obj("v1", "Pod", "web", "shop", metadata=metadata, spec=spec, status={"phase": phase})


def job(**status: Any) -> Object:
    return obj("batch/v1", "Job", "migrate", "shop", spec={"ttlSecondsAfterFinished": 0}, status=status)


def event(about: Object, reason: str, message: str = "", seen: str = "2026-01-01T00:00:00Z") -> Object:
    where = {"kind": about["kind"], "name": about["metadata"]["name"]}
    name = f"{where['name']}.{reason}.{seen}"
    return obj("v1", "Event", name, "shop", reason=reason, message=message, lastTimestamp=seen, involvedObject=where)


NAMED = {"persistentVolumeClaim": {"claimName": "data"}}


@pytest.mark.parametrize(
    ("live", "others", "state"),
    [
        pytest.param(claim(), [CLASS], "current", id="nobody-uses-it"),
        pytest.param(claim(), [CLASS, pod(NAMED)], "in_progress", id="a-pod-uses-it"),
        pytest.param(claim(), [CLASS, pod(NAMED, "Succeeded")], "current", id="a-pod-that-has-ended"),
        pytest.param(
            claim(), [CLASS, pod(NAMED, deletionTimestamp="2026-01-01T00:00:00Z")], "current", id="a-pod-that-ends"
        ),
        pytest.param(
            claim(), [CLASS, pod({"persistentVolumeClaim": {"claimName": "other"}})], "current", id="another-claim"
        ),
        pytest.param(claim(), [], "in_progress", id="no-such-class"),
        pytest.param(
            claim(), [obj("storage.k8s.io/v1", "StorageClass", "late")], "in_progress", id="a-class-that-binds-at-once"
        ),
        pytest.param(claim(storageClassName=""), [CLASS], "in_progress", id="no-class"),
        pytest.param(claim(volumeName="disk-7"), [CLASS], "in_progress", id="a-volume-of-its-own"),
    ],
)
def test_a_claim_waits_for_its_first_consumer(live: Object, others: list[Object], state: str) -> None:
    assert Judge(FakeCluster(live, *others)).present(live).state == state


def test_a_claim_of_a_pod_that_makes_it_is_used() -> None:
    live = claim()
    live["metadata"]["name"] = "web-data"
    assert Judge(FakeCluster(live, CLASS, pod({"ephemeral": {}}))).present(live).state == "in_progress"


@pytest.mark.parametrize(
    ("reason", "state"), [("WaitForFirstConsumer", "current"), ("ProvisioningFailed", "in_progress")]
)
def test_the_event_tells_who_may_not_read_pods(reason: str, state: str) -> None:
    live = claim()
    cluster = FakeCluster(
        live, CLASS, event(live, "Other", seen="2025-01-01T00:00:00Z"), event(live, reason, seen="2026-01-01T00:00:00Z")
    )
    cluster.forbid(Kind("v1", "Pod"), "shop")
    assert Judge(cluster).present(live).state == state


def test_a_claim_without_a_consumer_is_not_waited_for() -> None:
    wait_ready(FakeCluster(claim(), CLASS), [key_of(claim())], timeout=LONG, progress=silent)


def test_a_job_that_was_removed_by_its_time_to_live_was_ready() -> None:
    cluster = FakeCluster(job())
    cluster.on_watch.append(lambda: cluster.remove(key_of(job())))
    wait_ready(cluster, [key_of(job())], timeout=LONG, progress=silent)


def test_a_job_that_was_removed_before_it_was_seen_was_ready() -> None:
    wait_ready(FakeCluster(), [key_of(job())], timeout=LONG, progress=silent, desired=[job()])


def test_a_job_that_failed_before_it_was_removed_has_failed() -> None:
    failure = event(job(), "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    cluster = FakeCluster(failure, event(job(), "Completed", seen="2025-12-31T00:00:00Z"))
    with pytest.raises(
        NotReady, match=facts_pattern("Job shop/migrate & failed & BackoffLimitExceeded: Job has reached")
    ):
        wait_ready(cluster, [key_of(job())], timeout=LONG, progress=silent, desired=[job()])


def test_a_job_without_a_time_to_live_is_missed() -> None:
    key = Key("batch/v1", "Job", "shop", "migrate")
    assert Judge(FakeCluster(), desired=[obj("batch/v1", "Job", "migrate", "shop", spec={})]).absent(key).state == (
        "in_progress"
    )
