# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Ready: CustomResourceDefinitions, and other kinds of Kubernetes' own."""

from __future__ import annotations

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.status import State, status
from ansible_collections.meshops.istio.tests.support.kube.readiness import Object, false, make, true
from ansible_collections.meshops.istio.tests.support.messages import has_facts


def crd(*conditions: Object) -> Object:
    return make("apiextensions.k8s.io/v1", "CustomResourceDefinition", conditions=list(conditions))


@pytest.mark.parametrize(
    ("obj", "state", "message"),
    [
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
            "observed generation 0, not yet 1",
            id="pdb-not-seen",
        ),
        pytest.param(
            make(
                "policy/v1",
                "PodDisruptionBudget",
                generation=2,
                observedGeneration=1,
                conditions=[false("DisruptionAllowed", "SyncFailed", "found no controllers for pod")],
            ),
            "current",
            "ready",
            id="pdb-that-its-controller-gives-up",
        ),
        pytest.param(
            make(
                "autoscaling/v2",
                "HorizontalPodAutoscaler",
                conditions=[true("AbleToScale"), false("ScalingActive", "FailedGetResourceMetric")],
            ),
            "current",
            "ready",
            id="autoscaler-without-metrics",
        ),
        pytest.param(make("networking.k8s.io/v1", "Ingress", loadBalancer={}), "current", "ready", id="ingress"),
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
    ],
)
def test_status(obj: Object, state: State, message: str) -> None:
    found = status(obj)
    assert found.state == state
    assert has_facts(found.message, message)
