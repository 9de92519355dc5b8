# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mesh that Helm installed is taken over without a restart, its own gateways stay, and the user is told what Helm holds."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane import helm, removal
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.runtime_fields import MeshRuntimeFields
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.warnings import warnings
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import ApiError
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.change import Change
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.plan import Plan
from ansible_collections.meshops.istio.tests.support.memory_cluster import MemoryCluster, deployment, make
from ansible_collections.meshops.istio.tests.support.messages import has_facts

Object = dict[str, Any]

MARKS = {"meta.helm.sh/release-name": "istiod", "meta.helm.sh/release-namespace": "istio-system"}


def istiod(instance: str, **metadata: Any) -> Object:
    own = {"app": "istiod", "app.kubernetes.io/instance": instance, "release": instance}
    template = {"metadata": {"labels": {"app.kubernetes.io/instance": instance, "app": "istiod"}}, "spec": {}}
    return deployment("istiod", "istio-system", labels=own, metadata=metadata, spec={"template": template})


def record() -> Object:
    labels = {"owner": "helm", "name": "istiod", "status": "deployed"}
    return make("Secret", "sh.helm.release.v1.istiod.v1", "istio-system", labels=labels)


def plan(before: Object, after: Object) -> Plan:
    change = Change("update", key_of(after), before, after, desired=after, previous_managers=frozenset({"helm"}))
    return Plan(removal.absent(), [after], {key_of(before).identity: before}, [change])


def test_the_names_of_a_release_stay_so_that_nothing_restarts() -> None:
    live = istiod("istiod", annotations={**MARKS, "deployment.kubernetes.io/revision": "1"})
    applied = MeshRuntimeFields(frozenset(), lambda: True)(istiod("istio"), live)
    assert applied["metadata"]["annotations"] == MARKS
    assert applied["metadata"]["labels"] == live["metadata"]["labels"]
    assert applied["spec"]["template"] == live["spec"]["template"]
    # What Helm has not installed gets Istio's own names.
    assert MeshRuntimeFields(frozenset(), lambda: True)(istiod("istio"), istiod("other")) == istiod("istio")


@pytest.mark.parametrize("kind", ["Deployment", "DaemonSet"])
@pytest.mark.parametrize("chart", ["gateway-1.29.1", "istio-ingress-1.29.1"])
def test_a_gateway_of_helms_chart_stays_as_it_is(chart: str, kind: str) -> None:
    labels = {"app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": chart}
    there = {**deployment("istio-ingressgateway", "istio-system", labels=labels), "kind": kind}
    adopted = helm.gateways(MemoryCluster(there))
    gateway = {"operator.istio.io/component": "IngressGateways"}
    objects = [
        deployment("istio-ingressgateway", "istio-system", labels=gateway),
        make("Role", "istio-ingressgateway-sds", "istio-system", labels=gateway),
        deployment("istio-ingressgateway-two", "istio-system", labels=gateway),
        make("Service", "istio-ingressgateway-two", "istio-system", labels=gateway),
        deployment("istio-ingressgateway", "edge", labels=gateway),
        deployment("istiod", "istio-system", labels={"operator.istio.io/component": "Pilot"}),
    ]
    left = helm.without_gateways(objects, adopted)
    assert left == (objects[2:] if chart.startswith("gateway") else objects)


def test_objects_that_helm_could_delete_are_a_warning() -> None:
    live = istiod("istiod", annotations=MARKS)
    [told] = warnings(MemoryCluster(record()), plan(live, live), [])
    assert has_facts(told, "Helm release istiod & 1 objects of this mesh & Deployment istiod")
    assert "kubectl delete secret --namespace istio-system --selector owner=helm,name=istiod" in told
    assert list(warnings(MemoryCluster(), plan(live, live), [])) == []
    forbidden = MemoryCluster()
    forbidden.fail_once("list", ApiError("no", status=403, reason="Forbidden"))
    assert len(list(warnings(forbidden, plan(live, live), []))) == 1


def test_a_restart_by_a_takeover_is_a_warning() -> None:
    [told] = warnings(MemoryCluster(), plan(istiod("istiod"), istiod("istio")), [])
    assert has_facts(told, "Deployment istio-system/istiod & restarted & takeover")


def test_a_validator_with_nobody_behind_it_is_named() -> None:
    webhook = {"name": "validation.istio.io", "failurePolicy": "Fail"}
    dead = make("ValidatingWebhookConfiguration", "v", api="admissionregistration.k8s.io/v1", webhooks=[webhook])
    reset = copy.deepcopy(dead)
    reset["webhooks"][0]["failurePolicy"] = "Ignore"
    [told] = warnings(MemoryCluster(), plan(dead, reset), [])
    assert told.startswith("ValidatingWebhookConfiguration v rejects every Istio resource")
    assert list(warnings(MemoryCluster(), plan(dead, dead), [])) == []


def test_adopted_gateways_are_named() -> None:
    [told] = warnings(MemoryCluster(), plan(istiod("a"), istiod("a")), [("istio-system", "istio-ingressgateway")])
    assert has_facts(told, "gateway istio-system/istio-ingressgateway & not changed & Helm's chart gateway")
