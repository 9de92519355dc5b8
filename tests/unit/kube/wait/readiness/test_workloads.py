# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Ready: what has replicas, Jobs and pods."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.status import State, Status, status
from ansible_collections.meshops.istio.tests.support.kube.readiness import Object, false, make, true
from ansible_collections.meshops.istio.tests.support.messages import has_facts


def deployment(*, spec: Any = None, **changes: Any) -> Object:
    ready: Object = {
        "observedGeneration": 1,
        "replicas": 2,
        "updatedReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
        "conditions": [true("Progressing", "NewReplicaSetAvailable"), true("Available")],
    }
    wanted = {"replicas": 2, "progressDeadlineSeconds": 600} if spec is None else spec
    return make("apps/v1", "Deployment", spec=wanted, **(ready | changes))


def stateful_set(*, spec: Any = None, **changes: Any) -> Object:
    ready: Object = {
        "observedGeneration": 1,
        "replicas": 3,
        "readyReplicas": 3,
        "currentReplicas": 3,
        "updatedReplicas": 3,
        "currentRevision": "a",
        "updateRevision": "a",
    }
    return make("apps/v1", "StatefulSet", spec={"replicas": 3} if spec is None else spec, **(ready | changes))


def daemon_set(*, spec: Any = None, **changes: Any) -> Object:
    ready = {
        "observedGeneration": 1,
        "desiredNumberScheduled": 3,
        "currentNumberScheduled": 3,
        "updatedNumberScheduled": 3,
        "numberAvailable": 3,
        "numberReady": 3,
    }
    fields = {name: value for name, value in (ready | changes).items() if value is not None}
    return make("apps/v1", "DaemonSet", spec=spec, **fields)


def replica_set(**changes: Any) -> Object:
    ready = {"replicas": 2, "fullyLabeledReplicas": 2, "availableReplicas": 2, "readyReplicas": 2}
    return make("apps/v1", "ReplicaSet", spec={"replicas": 2}, **(ready | changes))


def job(**fields: Any) -> Object:
    return make("batch/v1", "Job", spec={"completions": 2, "parallelism": 1}, **fields)


PARTITION = {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 1}}}
UNSCHEDULABLE = false("PodScheduled", "Unschedulable", "0/1 nodes are available.")
CRASHING = [{"name": "app", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]


@pytest.mark.parametrize(
    ("obj", "state", "message"),
    [
        # Deployment
        pytest.param(deployment(), "current", "2/2 replicas ready", id="deployment"),
        pytest.param(make("apps/v1", "Deployment"), "in_progress", "0/1 replicas created", id="deployment-new"),
        pytest.param(
            deployment(observedGeneration=0),
            "in_progress",
            "observed generation 0, not yet 1",
            id="deployment-not-seen",
        ),
        pytest.param(deployment(replicas=1), "in_progress", "1/2 replicas created", id="deployment-created"),
        pytest.param(deployment(updatedReplicas=1), "in_progress", "1/2 replicas updated", id="deployment-updated"),
        pytest.param(deployment(replicas=3), "in_progress", "1 old replicas", id="deployment-surplus"),
        pytest.param(
            deployment(availableReplicas=1), "in_progress", "1/2 replicas available", id="deployment-available"
        ),
        pytest.param(deployment(readyReplicas=0), "in_progress", "0/2 replicas ready", id="deployment-ready"),
        pytest.param(
            deployment(conditions=[true("Progressing", "ReplicaSetUpdated"), true("Available")]),
            "in_progress",
            "its new ReplicaSet is not available",
            id="deployment-progressing",
        ),
        pytest.param(
            deployment(spec={"replicas": 2}, conditions=[true("Available")]),
            "current",
            "2/2 replicas ready",
            id="deployment-without-deadline",
        ),
        pytest.param(
            deployment(conditions=[true("Progressing", "NewReplicaSetAvailable"), false("Available")]),
            "in_progress",
            "not available",
            id="deployment-not-available",
        ),
        pytest.param(
            deployment(conditions=[false("Progressing", "ProgressDeadlineExceeded", "timed out progressing.")]),
            "failed",
            "ProgressDeadlineExceeded: timed out progressing",
            id="deployment-deadline",
        ),
        pytest.param(
            deployment(
                spec={"replicas": 0, "progressDeadlineSeconds": 600},
                replicas=0,
                updatedReplicas=0,
                readyReplicas=0,
                availableReplicas=0,
            ),
            "current",
            "0/0 replicas ready",
            id="deployment-of-none",
        ),
        pytest.param(
            deployment(spec={"replicas": 2, "paused": True, "progressDeadlineSeconds": 600}, updatedReplicas=0),
            "current",
            "rollout is paused & 2/2 replicas available",
            id="deployment-paused",
        ),
        pytest.param(
            make("apps/v1", "Deployment", spec={"replicas": 2, "paused": True}, observedGeneration=1),
            "current",
            "rollout is paused & 0/2 replicas available",
            id="deployment-paused-from-the-start",
        ),
        pytest.param(
            make("apps/v1", "Deployment", spec={"paused": True}, generation=2, observedGeneration=1),
            "in_progress",
            "observed generation 1, not yet 2",
            id="deployment-whose-pause-is-not-seen",
        ),
        # StatefulSet
        pytest.param(stateful_set(), "current", "3/3 replicas ready", id="statefulset"),
        pytest.param(stateful_set(replicas=1), "in_progress", "1/3 replicas created", id="statefulset-created"),
        pytest.param(stateful_set(readyReplicas=2), "in_progress", "2/3 replicas ready", id="statefulset-ready"),
        pytest.param(stateful_set(replicas=4), "in_progress", "1 old replicas", id="statefulset-surplus"),
        pytest.param(stateful_set(currentReplicas=2), "in_progress", "2/3 replicas current", id="statefulset-current"),
        pytest.param(
            stateful_set(updateRevision="b"),
            "in_progress",
            "not all replicas are updated",
            id="statefulset-revision",
        ),
        pytest.param(
            stateful_set(spec=PARTITION, updatedReplicas=2, updateRevision="b"),
            "current",
            "3/3 replicas ready",
            id="statefulset-partition",
        ),
        pytest.param(
            stateful_set(spec=PARTITION, updatedReplicas=1),
            "in_progress",
            "1/2 replicas updated",
            id="statefulset-partition-behind",
        ),
        pytest.param(
            stateful_set(spec={"replicas": 3, "updateStrategy": {"type": "OnDelete"}}, readyReplicas=0),
            "current",
            "OnDelete",
            id="statefulset-on-delete",
        ),
        pytest.param(
            stateful_set(spec={"replicas": 0}, replicas=0, readyReplicas=0, currentReplicas=0, updatedReplicas=0),
            "current",
            "0/0 replicas ready",
            id="statefulset-of-none",
        ),
        pytest.param(
            stateful_set(spec=PARTITION | {"replicas": 0}, replicas=0, updatedReplicas=0),
            "current",
            "0/0 replicas ready",
            id="statefulset-of-none-with-partition",
        ),
        # DaemonSet
        pytest.param(daemon_set(), "current", "3/3 replicas ready", id="daemonset"),
        pytest.param(
            daemon_set(observedGeneration=None),
            "in_progress",
            "not observed",
            id="daemonset-not-seen",
        ),
        pytest.param(make("apps/v1", "DaemonSet"), "in_progress", "not observed", id="daemonset-new"),
        pytest.param(
            daemon_set(currentNumberScheduled=1), "in_progress", "1/3 replicas scheduled", id="daemonset-scheduled"
        ),
        pytest.param(
            daemon_set(updatedNumberScheduled=2), "in_progress", "2/3 replicas updated", id="daemonset-updated"
        ),
        pytest.param(daemon_set(numberAvailable=2), "in_progress", "2/3 replicas available", id="daemonset-available"),
        pytest.param(daemon_set(numberReady=0), "in_progress", "0/3 replicas ready", id="daemonset-ready"),
        pytest.param(
            daemon_set(
                desiredNumberScheduled=0,
                currentNumberScheduled=0,
                updatedNumberScheduled=0,
                numberAvailable=0,
                numberReady=0,
            ),
            "current",
            "0/0 replicas ready",
            id="daemonset-of-none",
        ),
        pytest.param(
            daemon_set(updatedNumberScheduled=0, spec={"updateStrategy": {"type": "OnDelete"}}),
            "current",
            "3/3 replicas ready",
            id="daemonset-on-delete",
        ),
        pytest.param(
            daemon_set(numberReady=2, spec={"updateStrategy": {"type": "OnDelete"}}),
            "in_progress",
            "2/3 replicas ready",
            id="daemonset-on-delete-not-ready",
        ),
        # ReplicaSet
        pytest.param(replica_set(), "current", "2/2 replicas ready", id="replicaset"),
        pytest.param(
            replica_set(fullyLabeledReplicas=1), "in_progress", "1/2 replicas labelled", id="replicaset-labelled"
        ),
        pytest.param(replica_set(availableReplicas=0), "in_progress", "0/2 replicas available", id="replicaset-few"),
        pytest.param(replica_set(replicas=3), "in_progress", "1 old replicas", id="replicaset-surplus"),
        pytest.param(
            replica_set(conditions=[true("ReplicaFailure", "FailedCreate", "exceeded quota")]),
            "in_progress",
            "FailedCreate: exceeded quota",
            id="replicaset-failure",
        ),
        pytest.param(
            make("v1", "ReplicationController", spec={"replicas": 2}, fullyLabeledReplicas=2, availableReplicas=1),
            "in_progress",
            "1/2 replicas available",
            id="replicationcontroller",
        ),
        # Pod
        pytest.param(make("v1", "Pod", phase="Succeeded"), "current", "completed", id="pod-completed"),
        pytest.param(make("v1", "Pod", phase="Failed"), "current", "failed", id="pod-ended-in-failure"),
        pytest.param(make("v1", "Pod", phase="Running", conditions=[true("Ready")]), "current", "ready", id="pod"),
        pytest.param(
            make("v1", "Pod", phase="Running", conditions=[false("Ready")]),
            "in_progress",
            "running but not ready",
            id="pod-not-ready",
        ),
        pytest.param(
            make("v1", "Pod", phase="Running", conditions=[false("Ready")], containerStatuses=CRASHING),
            "failed",
            "CrashLoopBackOff & app",
            id="pod-crashing",
        ),
        pytest.param(make("v1", "Pod", phase="Pending"), "in_progress", "pending", id="pod-pending"),
        pytest.param(make("v1", "Pod"), "in_progress", "not observed", id="pod-new"),
        # Job
        pytest.param(job(), "in_progress", "not started", id="job-new"),
        pytest.param(job(startTime="now", active=1, succeeded=1), "current", "running, 1/2 completed", id="job"),
        pytest.param(
            job(startTime="now", succeeded=2, conditions=[true("Complete")]),
            "current",
            "2/2 completed",
            id="job-complete",
        ),
        pytest.param(job(conditions=[true("Suspended")]), "current", "suspended", id="job-suspended"),
        pytest.param(
            make("batch/v1", "Job", spec={"suspend": True}), "current", "suspended", id="job-suspended-from-the-start"
        ),
        pytest.param(
            make("batch/v1", "Job", spec={"suspend": False}, conditions=[true("Suspended")]),
            "in_progress",
            "not started",
            id="job-resumed",
        ),
        pytest.param(make("batch/v1", "CronJob", spec={"suspend": True}), "current", "ready", id="cronjob-suspended"),
    ],
)
def test_status(obj: Object, state: State, message: str) -> None:
    found = status(obj)
    assert found.state == state
    assert has_facts(found.message, message)


def test_only_a_failed_job_is_final() -> None:
    failed = job(conditions=[true("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")])
    assert status(failed) == Status(
        "failed", "BackoffLimitExceeded: Job has reached the specified backoff limit", final=True
    )


@pytest.mark.parametrize(("age", "state"), [(14, "in_progress"), (16, "failed")])
def test_a_pod_gets_some_time_to_be_scheduled(age: int, state: str) -> None:
    pod = make("v1", "Pod", phase="Pending", conditions=[UNSCHEDULABLE])
    pod["metadata"]["creationTimestamp"] = "1970-01-01T00:01:40Z"
    assert status(pod, now=100.0 + age).state == state
