# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Ready: any kind, what is gone, and what is not waited for at all."""

from __future__ import annotations

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.status import (
    State,
    Status,
    gone,
    has_status,
    status,
)
from ansible_collections.meshops.istio.tests.support.kube.readiness import Object, false, make, true
from ansible_collections.meshops.istio.tests.support.messages import has_facts


@pytest.mark.parametrize(
    ("obj", "state", "message"),
    [
        # Any kind
        pytest.param(make("example.com/v1", "Thing"), "current", "ready", id="without-status"),
        pytest.param(
            make("example.com/v1", "Thing", generation=3, observedGeneration=2),
            "in_progress",
            "observed generation 2, not yet 3",
            id="generation-not-seen",
        ),
        pytest.param(
            make("example.com/v1", "Thing", generation=3, observedGeneration="2"),
            "current",
            "ready",
            id="generation-as-text-is-not-compared",
        ),
        pytest.param(
            make("argoproj.io/v1alpha1", "Rollout", generation=3, observedGeneration="6b7d4c5f9"),
            "current",
            "ready",
            id="generation-as-a-hash-is-not-compared",
        ),
        pytest.param(
            make("example.com/v1", "Thing", spec={"suspend": True}, generation=3, observedGeneration=2),
            "current",
            "suspended",
            id="suspended",
        ),
        pytest.param(
            make("example.com/v1", "Thing", spec={"paused": True}, conditions=[false("Ready")]),
            "current",
            "paused",
            id="paused",
        ),
        pytest.param(
            make("example.com/v1", "Thing", spec={"suspend": False}, generation=3, observedGeneration=2),
            "in_progress",
            "observed generation 2, not yet 3",
            id="not-suspended",
        ),
        pytest.param(make("example.com/v1", "Thing", conditions="none"), "current", "ready", id="conditions-as-text"),
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
    ],
)
def test_status(obj: Object, state: State, message: str) -> None:
    found = status(obj)
    assert found.state == state
    assert has_facts(found.message, message)


def test_deletion_counts_more_than_everything_else() -> None:
    obj = make("apps/v1", "Deployment", replicas=1)
    obj["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert status(obj) == Status("terminating", "being deleted")


def test_gone() -> None:
    live = make("v1", "ConfigMap")
    ending = {**live, "metadata": {**live["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    held = {**ending, "metadata": {**ending["metadata"], "finalizers": ["example.com/keep"]}}
    assert gone(None).state == "current"
    assert gone(live).state == "in_progress"
    assert has_facts(gone(live).message, "deletion & not requested")
    assert gone(ending) == Status("terminating", "being deleted")
    assert gone(held).state == "terminating"
    assert has_facts(gone(held).message, "blocked & finalizer & example.com/keep")


def test_gone_tells_that_a_definition_waits_for_its_objects() -> None:
    crd = make("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    crd["metadata"] |= {
        "deletionTimestamp": "2026-01-01T00:00:00Z",
        "finalizers": ["customresourcecleanup.apiextensions.k8s.io"],
    }
    assert gone(crd) == Status("terminating", "objects of its kind are still being deleted")


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
