# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What counts as ready, kind by kind.

Longer than most files, because it is one table of the states of every kind.
"""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects import Kind
from ansible_collections.meshops.istio.plugins.module_utils.kube.ready import State, Status, gone, has_status, status

Object = dict[str, Any]


def make(api_version: str, kind: str, *, spec: Any = None, generation: int | None = 1, **status_fields: Any) -> Object:
    """An object whose status is `status_fields`; without any it has no status."""
    obj: Object = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "it", "namespace": "here"}}
    if generation is not None:
        obj["metadata"]["generation"] = generation
    if spec is not None:
        obj["spec"] = spec
    if status_fields:
        obj["status"] = status_fields
    return obj


def true(kind: str, reason: str = "", message: str = "", **more: Any) -> Object:
    return {"type": kind, "status": "True", "reason": reason, "message": message, **more}


def false(kind: str, reason: str = "", message: str = "", **more: Any) -> Object:
    return {**true(kind, reason, message, **more), "status": "False"}


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


def daemon_set(**changes: Any) -> Object:
    ready = {
        "observedGeneration": 1,
        "desiredNumberScheduled": 3,
        "currentNumberScheduled": 3,
        "updatedNumberScheduled": 3,
        "numberAvailable": 3,
        "numberReady": 3,
    }
    fields = {name: value for name, value in (ready | changes).items() if value is not None}
    return make("apps/v1", "DaemonSet", **fields)


def replica_set(**changes: Any) -> Object:
    ready = {"replicas": 2, "fullyLabeledReplicas": 2, "availableReplicas": 2, "readyReplicas": 2}
    return make("apps/v1", "ReplicaSet", spec={"replicas": 2}, **(ready | changes))


def job(**fields: Any) -> Object:
    return make("batch/v1", "Job", spec={"completions": 2, "parallelism": 1}, **fields)


def crd(*conditions: Object) -> Object:
    return make("apiextensions.k8s.io/v1", "CustomResourceDefinition", conditions=list(conditions))


def gateway(kind: str = "Gateway", **fields: Any) -> Object:
    return make("gateway.networking.k8s.io/v1", kind, **fields)


PARTITION = {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 1}}}
UNSCHEDULABLE = false("PodScheduled", "Unschedulable", "0/1 nodes are available.")
CRASHING = [{"name": "app", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]
HERE = {"parentRef": {"name": "gw"}, "conditions": [true("Accepted"), true("ResolvedRefs")]}


@pytest.mark.parametrize(
    ("obj", "state", "message"),
    [
        # Any kind
        pytest.param(make("example.com/v1", "Thing"), "current", "ready", id="without-status"),
        pytest.param(
            make("example.com/v1", "Thing", generation=3, observedGeneration=2),
            "in_progress",
            "its controller has seen generation 2, not yet 3",
            id="generation-not-seen",
        ),
        pytest.param(
            make("example.com/v1", "Thing", conditions=[true("Reconciling", "Working", "At it.")]),
            "in_progress",
            "Working: At it",
            id="reconciling",
        ),
        pytest.param(
            make("example.com/v1", "Thing", conditions=[true("Stalled", "Broken", "No quota")]),
            "failed",
            "Broken: No quota",
            id="stalled",
        ),
        pytest.param(make("example.com/v1", "Thing", conditions=[true("Ready")]), "current", "ready", id="ready"),
        pytest.param(
            make("example.com/v1", "Thing", conditions=[false("Ready", "Starting")]),
            "in_progress",
            "Starting",
            id="ready-false",
        ),
        pytest.param(
            make("example.com/v1", "Thing", conditions=[{"type": "Ready", "status": "Unknown"}]),
            "in_progress",
            "Ready is Unknown",
            id="ready-unknown",
        ),
        pytest.param(
            make("example.com/v1", "Thing", conditions=[false("Accepted")]), "current", "ready", id="other-conditions"
        ),
        # Deployment
        pytest.param(deployment(), "current", "2 of 2 replicas ready", id="deployment"),
        pytest.param(make("apps/v1", "Deployment"), "in_progress", "0 of 1 replicas created", id="deployment-new"),
        pytest.param(
            deployment(observedGeneration=0),
            "in_progress",
            "its controller has seen generation 0, not yet 1",
            id="deployment-not-seen",
        ),
        pytest.param(deployment(replicas=1), "in_progress", "1 of 2 replicas created", id="deployment-created"),
        pytest.param(deployment(updatedReplicas=1), "in_progress", "1 of 2 replicas updated", id="deployment-updated"),
        pytest.param(deployment(replicas=3), "in_progress", "1 old replicas still to end", id="deployment-surplus"),
        pytest.param(
            deployment(availableReplicas=1), "in_progress", "1 of 2 replicas available", id="deployment-available"
        ),
        pytest.param(deployment(readyReplicas=0), "in_progress", "0 of 2 replicas ready", id="deployment-ready"),
        pytest.param(
            deployment(conditions=[true("Progressing", "ReplicaSetUpdated"), true("Available")]),
            "in_progress",
            "its new ReplicaSet is not available",
            id="deployment-progressing",
        ),
        pytest.param(
            deployment(spec={"replicas": 2}, conditions=[true("Available")]),
            "current",
            "2 of 2 replicas ready",
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
            "0 of 0 replicas ready",
            id="deployment-of-none",
        ),
        # StatefulSet
        pytest.param(stateful_set(), "current", "3 of 3 replicas ready", id="statefulset"),
        pytest.param(stateful_set(replicas=1), "in_progress", "1 of 3 replicas created", id="statefulset-created"),
        pytest.param(stateful_set(readyReplicas=2), "in_progress", "2 of 3 replicas ready", id="statefulset-ready"),
        pytest.param(stateful_set(replicas=4), "in_progress", "1 old replicas still to end", id="statefulset-surplus"),
        pytest.param(
            stateful_set(currentReplicas=2), "in_progress", "2 of 3 replicas current", id="statefulset-current"
        ),
        pytest.param(
            stateful_set(updateRevision="b"),
            "in_progress",
            "not all replicas are of the new revision",
            id="statefulset-revision",
        ),
        pytest.param(
            stateful_set(spec=PARTITION, updatedReplicas=2, updateRevision="b"),
            "current",
            "3 of 3 replicas ready",
            id="statefulset-partition",
        ),
        pytest.param(
            stateful_set(spec=PARTITION, updatedReplicas=1),
            "in_progress",
            "1 of 2 replicas updated",
            id="statefulset-partition-behind",
        ),
        pytest.param(
            stateful_set(spec={"replicas": 3, "updateStrategy": {"type": "OnDelete"}}, readyReplicas=0),
            "current",
            "its pods are updated by hand",
            id="statefulset-on-delete",
        ),
        # DaemonSet
        pytest.param(daemon_set(), "current", "3 of 3 replicas ready", id="daemonset"),
        pytest.param(
            daemon_set(observedGeneration=None),
            "in_progress",
            "its controller has not seen it yet",
            id="daemonset-not-seen",
        ),
        pytest.param(
            make("apps/v1", "DaemonSet"), "in_progress", "its controller has not seen it yet", id="daemonset-new"
        ),
        pytest.param(
            daemon_set(currentNumberScheduled=1), "in_progress", "1 of 3 replicas scheduled", id="daemonset-scheduled"
        ),
        pytest.param(
            daemon_set(updatedNumberScheduled=2), "in_progress", "2 of 3 replicas updated", id="daemonset-updated"
        ),
        pytest.param(
            daemon_set(numberAvailable=2), "in_progress", "2 of 3 replicas available", id="daemonset-available"
        ),
        pytest.param(daemon_set(numberReady=0), "in_progress", "0 of 3 replicas ready", id="daemonset-ready"),
        pytest.param(
            daemon_set(
                desiredNumberScheduled=0,
                currentNumberScheduled=0,
                updatedNumberScheduled=0,
                numberAvailable=0,
                numberReady=0,
            ),
            "current",
            "0 of 0 replicas ready",
            id="daemonset-of-none",
        ),
        # ReplicaSet
        pytest.param(replica_set(), "current", "2 of 2 replicas ready", id="replicaset"),
        pytest.param(
            replica_set(fullyLabeledReplicas=1), "in_progress", "1 of 2 replicas labelled", id="replicaset-labelled"
        ),
        pytest.param(replica_set(availableReplicas=0), "in_progress", "0 of 2 replicas available", id="replicaset-few"),
        pytest.param(replica_set(replicas=3), "in_progress", "1 old replicas still to end", id="replicaset-surplus"),
        pytest.param(
            replica_set(conditions=[true("ReplicaFailure", "FailedCreate", "exceeded quota")]),
            "in_progress",
            "FailedCreate: exceeded quota",
            id="replicaset-failure",
        ),
        # Pod
        pytest.param(make("v1", "Pod", phase="Succeeded"), "current", "completed", id="pod-completed"),
        pytest.param(
            make("v1", "Pod", phase="Failed"), "current", "completed, but not successfully", id="pod-ended-in-failure"
        ),
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
            "crashing again and again: app",
            id="pod-crashing",
        ),
        pytest.param(make("v1", "Pod", phase="Pending"), "in_progress", "pending", id="pod-pending"),
        pytest.param(make("v1", "Pod"), "in_progress", "not seen by a node yet", id="pod-new"),
        # Job
        pytest.param(job(), "in_progress", "not started", id="job-new"),
        pytest.param(job(startTime="now", active=1, succeeded=1), "current", "running, 1 of 2 completed", id="job"),
        pytest.param(
            job(startTime="now", succeeded=2, conditions=[true("Complete")]),
            "current",
            "2 of 2 completed",
            id="job-complete",
        ),
        pytest.param(job(conditions=[true("Suspended")]), "current", "suspended", id="job-suspended"),
        # PersistentVolumeClaim
        pytest.param(make("v1", "PersistentVolumeClaim", phase="Bound"), "current", "bound", id="claim"),
        pytest.param(
            make("v1", "PersistentVolumeClaim", phase="Pending"),
            "in_progress",
            "not bound, its phase is Pending",
            id="claim-pending",
        ),
        # Service
        pytest.param(make("v1", "Service", spec={"type": "NodePort"}), "current", "ready", id="service"),
        pytest.param(
            make("v1", "Service", spec={"type": "LoadBalancer"}),
            "in_progress",
            "no cluster IP yet",
            id="service-without-cluster-ip",
        ),
        pytest.param(
            make("v1", "Service", spec={"type": "LoadBalancer", "clusterIP": "10.0.0.1"}),
            "current",
            "ready",
            id="service-address-not-asked-for",
        ),
        # CustomResourceDefinition
        pytest.param(crd(true("NamesAccepted"), true("Established")), "current", "established", id="crd"),
        pytest.param(crd(), "in_progress", "being installed", id="crd-new"),
        pytest.param(
            crd(true("NamesAccepted"), false("Established", "Installing", "the initial names have been accepted")),
            "in_progress",
            "being installed",
            id="crd-installing",
        ),
        pytest.param(
            crd(false("NamesAccepted", "ListKindConflict", "GatewayList is already in use")),
            "failed",
            "ListKindConflict: GatewayList is already in use",
            id="crd-names",
        ),
        pytest.param(
            crd(false("Established", "NotAccepted", "not all names are accepted")),
            "failed",
            "NotAccepted: not all names are accepted",
            id="crd-refused",
        ),
        # Other kinds of Kubernetes' own
        pytest.param(make("policy/v1", "PodDisruptionBudget", observedGeneration=1), "current", "ready", id="pdb"),
        pytest.param(
            make("policy/v1", "PodDisruptionBudget", observedGeneration=0),
            "in_progress",
            "its controller has seen generation 0, not yet 1",
            id="pdb-not-seen",
        ),
        pytest.param(make("v1", "ConfigMap", generation=None), "current", "ready", id="configmap"),
        pytest.param(make("v1", "Namespace", generation=None, phase="Active"), "current", "active", id="namespace"),
        pytest.param(
            make("v1", "Namespace", generation=None, phase="Terminating"),
            "terminating",
            "being deleted",
            id="namespace-ends",
        ),
        pytest.param(
            make("apiregistration.k8s.io/v1", "APIService", conditions=[true("Available")]),
            "current",
            "available",
            id="apiservice",
        ),
        pytest.param(
            make("apiregistration.k8s.io/v1", "APIService", conditions=[false("Available", "MissingEndpoints")]),
            "in_progress",
            "MissingEndpoints",
            id="apiservice-without-endpoints",
        ),
        pytest.param(
            make("apiregistration.k8s.io/v1", "APIService"), "in_progress", "not available yet", id="apiservice-new"
        ),
        # Gateway API
        pytest.param(gateway(), "current", "programmed", id="gateway-without-status"),
        pytest.param(gateway(conditions=[true("Accepted"), true("Programmed")]), "current", "programmed", id="gateway"),
        pytest.param(
            gateway(conditions=[true("Accepted"), false("Programmed", "Pending", "Waiting for controller")]),
            "in_progress",
            "Pending: Waiting for controller",
            id="gateway-pending",
        ),
        pytest.param(
            gateway(conditions=[true("Accepted"), false("Programmed", "AddressNotAssigned")]),
            "current",
            "programmed",
            id="gateway-address-not-asked-for",
        ),
        pytest.param(
            gateway(generation=2, conditions=[true("Accepted", observedGeneration=1)]),
            "in_progress",
            "its controller has not seen its newest generation yet",
            id="gateway-not-seen",
        ),
        pytest.param(
            gateway("GatewayClass", conditions=[false("Accepted", "InvalidParameters")]),
            "in_progress",
            "InvalidParameters",
            id="gatewayclass-not-accepted",
        ),
        pytest.param(gateway("HTTPRoute", parents=[HERE]), "current", "accepted", id="route"),
        pytest.param(gateway("HTTPRoute"), "current", "accepted", id="route-without-status"),
        pytest.param(
            gateway(
                "HTTPRoute",
                parents=[HERE, {"conditions": [true("Accepted"), false("ResolvedRefs", "BackendNotFound", "no web")]}],
            ),
            "in_progress",
            "BackendNotFound: no web",
            id="route-without-backend",
        ),
    ],
)
def test_status(obj: Object, state: State, message: str) -> None:
    assert status(obj) == Status(state, message)


def test_only_a_failed_job_is_final() -> None:
    failed = job(conditions=[true("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")])
    assert status(failed) == Status(
        "failed", "BackoffLimitExceeded: Job has reached the specified backoff limit", final=True
    )


def test_deletion_counts_more_than_everything_else() -> None:
    obj = deployment()
    obj["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert status(obj) == Status("terminating", "being deleted")


@pytest.mark.parametrize(("age", "state"), [(14, "in_progress"), (16, "failed")])
def test_a_pod_gets_some_time_to_be_scheduled(age: int, state: str) -> None:
    pod = make("v1", "Pod", phase="Pending", conditions=[UNSCHEDULABLE])
    pod["metadata"]["creationTimestamp"] = "1970-01-01T00:01:40Z"
    assert status(pod, now=100.0 + age).state == state


@pytest.mark.parametrize(
    ("obj", "waiting", "addressed"),
    [
        pytest.param(
            make("v1", "Service", spec={"type": "LoadBalancer", "clusterIP": "10.0.0.1"}),
            "no address from the load balancer yet",
            {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
            id="service",
        ),
        pytest.param(
            gateway(conditions=[true("Accepted"), false("Programmed", "AddressNotAssigned")]),
            "no address yet",
            {"addresses": [{"value": "192.0.2.1"}]},
            id="gateway",
        ),
    ],
)
def test_an_address_is_waited_for_on_request(obj: Object, waiting: str, addressed: Object) -> None:
    assert status(obj, load_balancer=True) == Status("in_progress", waiting)
    assert status({**obj, "status": addressed}, load_balancer=True).state == "current"


def test_a_service_of_another_type_needs_no_address() -> None:
    assert status(make("v1", "Service", spec={"type": "ClusterIP"}), load_balancer=True).state == "current"


def test_gone() -> None:
    live = make("v1", "ConfigMap")
    ending = {**live, "metadata": {**live["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    held = {**ending, "metadata": {**ending["metadata"], "finalizers": ["example.com/keep"]}}
    assert gone(None).state == "current"
    assert gone(live) == Status("in_progress", "nobody has asked for its deletion")
    assert gone(ending) == Status("terminating", "being deleted")
    assert gone(held) == Status("terminating", "held by the finalizers example.com/keep")


def test_gone_tells_what_is_left_in_a_namespace() -> None:
    namespace = make(
        "v1",
        "Namespace",
        conditions=[
            true("NamespaceContentRemaining", "SomeResourcesRemain", "gateways. has 1 resource instances"),
            false("NamespaceDeletionContentFailure", "ContentDeleted", "All content successfully deleted"),
        ],
    )
    namespace["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert gone(namespace) == Status("terminating", "SomeResourcesRemain: gateways. has 1 resource instances")


def test_what_is_worth_waiting_for() -> None:
    assert has_status(Kind("apps/v1", "Deployment"))
    assert has_status(Kind("example.com/v1", "Thing"))
    assert not has_status(Kind("v1", "ConfigMap"))
    assert not has_status(Kind("rbac.authorization.k8s.io/v1", "ClusterRole"))
