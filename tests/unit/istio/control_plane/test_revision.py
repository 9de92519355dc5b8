# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A control plane's desired objects are those that `istioctl install` would leave, on any cluster."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.configuration import Options
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.revision import (
    BaseOwner,
    ClusterState,
    ControlPlane,
)
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.tag_objects import NEVER_MATCH
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import Refused
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.change import Change
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.plan import Plan
from ansible_collections.meshops.istio.tests.support.kube.manifests import definition
from ansible_collections.meshops.istio.tests.support.memory_cluster import (
    MemoryCluster,
    injector,
    make,
    namespace,
    slice_of,
)
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease

Object = dict[str, Any]
Operator = Callable[..., Object]

SYSTEM = "istio-system"


def rendered(revision: str = "") -> list[Object]:
    """A few objects of a control plane, labelled as Istio's charts label them."""
    suffix = f"-{revision}" if revision else ""
    pilot = {"operator.istio.io/component": "Pilot", "istio.io/rev": revision or "default"}
    gateway = {"operator.istio.io/component": "IngressGateways", "istio.io/rev": revision or "default"}
    hook = injector(revision or "default")
    hook["metadata"]["labels"] |= {"operator.istio.io/component": "Pilot", "release": "istio"}
    return [
        make("ServiceAccount", "istio-reader-service-account", SYSTEM, labels={"helm.sh/chart": "base-1.29.1"}),
        make(
            "ClusterRole",
            f"istiod{suffix}",
            api="rbac.authorization.k8s.io/v1",
            labels={"helm.sh/chart": "istiod-1.29.1"},
        ),
        make("Deployment", f"istiod{suffix}", SYSTEM, api="apps/v1", labels=pilot, spec={}),
        make("Service", f"istiod{suffix}", SYSTEM, labels=pilot, spec={}),
        make("Deployment", "istio-ingressgateway", SYSTEM, api="apps/v1", labels=gateway, spec={}),
        make("Service", "istio-ingressgateway", SYSTEM, labels=gateway, spec={"type": "LoadBalancer", "ports": []}),
        hook,
    ]


def of_tag(revision: str = "") -> list[Object]:
    """What the charts render for the tag `default`."""
    labels = {"istio.io/tag": "default", "istio.io/rev": revision or "default", "app": "sidecar-injector"}
    webhook = {
        "name": "rev.namespace.sidecar-injector.istio.io",
        "clientConfig": {"service": {"name": "x", "path": "/y"}},
    }
    validator = {
        "name": "validation.istio.io",
        "clientConfig": {"service": {"name": "istiod"}},
        "failurePolicy": "Ignore",
    }
    admission = "admissionregistration.k8s.io/v1"
    selector = {"app": "istiod", "istio.io/rev": revision} if revision else {"app": "istiod", "istio": "pilot"}
    return [
        make(
            "MutatingWebhookConfiguration",
            "istio-revision-tag-default",
            api=admission,
            labels=labels,
            webhooks=[webhook],
        ),
        make(
            "ValidatingWebhookConfiguration",
            "istiod-default-validator",
            api=admission,
            labels={**labels, "app": "istiod"},
            webhooks=[validator],
        ),
        make(
            "Service",
            "istiod-revision-tag-default",
            SYSTEM,
            labels={**labels, "app": "istiod"},
            spec={"selector": selector},
        ),
        make("Service", "of-another-tag", SYSTEM, labels={"istio.io/tag": "prod"}, spec={}),
    ]


def control_plane(made: MadeRelease, cluster: MemoryCluster | None = None, **parameters: Any) -> ControlPlane:
    revision = parameters.get("revision", "")
    made.renders(*rendered(revision))
    made.renders(*of_tag(revision), tags=True)
    return ControlPlane(made.release, Options.of(parameters), cluster)


def named(objects: list[Object]) -> dict[str, Object]:
    return {f"{obj['kind']} {obj['metadata']['name']}": obj for obj in objects}


def test_every_component_gets_the_owner_labels(made: MadeRelease, operator: Operator) -> None:
    objects = named(control_plane(made, overlays=[operator({}, name="prod")]).desired())
    for name, component in {
        "ServiceAccount istio-reader-service-account": "Base",
        "ClusterRole istiod": "Pilot",
        "Deployment istio-ingressgateway": "IngressGateways",
    }.items():
        labels = objects[name]["metadata"]["labels"]
        assert labels["operator.istio.io/component"] == component
        assert labels["operator.istio.io/managed"] == "Reconcile"
        assert labels["operator.istio.io/version"] == "1.29.1"
        assert labels["install.operator.istio.io/owning-resource"] == "prod"
        assert labels["install.operator.istio.io/owning-resource-namespace"] == SYSTEM
        assert labels["istio.io/rev"] == "default"


def test_the_namespace_is_created_with_its_network(made: MadeRelease) -> None:
    objects = control_plane(made, values={"global": {"network": "north"}}).desired()
    assert objects[0] == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": SYSTEM, "labels": {"topology.istio.io/network": "north"}},
    }


def test_a_first_default_revision_gets_the_default_tag(made: MadeRelease) -> None:
    objects = named(control_plane(made).desired())
    tag = objects["MutatingWebhookConfiguration istio-revision-tag-default"]
    assert tag["webhooks"][0]["clientConfig"]["service"] == {"name": "istiod", "path": "/inject"}
    assert tag["metadata"]["labels"]["install.operator.istio.io/owning-resource-not-pruned"] == "true"
    assert tag["metadata"]["labels"]["app"] == "sidecar-injector"
    assert tag["metadata"]["labels"]["release"] == "istio"
    assert objects["ValidatingWebhookConfiguration istiod-default-validator"]["metadata"]["labels"]["app"] == "istiod"
    service = objects["Service istiod-revision-tag-default"]
    assert service["spec"]["selector"] == {"app": "istiod", "istio.io/rev": "default"}
    assert "release" not in service["metadata"]["labels"]
    assert "Service of-another-tag" not in objects
    for webhook in objects["MutatingWebhookConfiguration istio-sidecar-injector"]["webhooks"]:
        assert (webhook["namespaceSelector"], webhook["objectSelector"]) == (NEVER_MATCH, NEVER_MATCH)


def test_a_first_named_revision_gets_the_default_tag_and_stays_active(made: MadeRelease) -> None:
    objects = named(control_plane(made, revision="canary").desired())
    assert objects["Service istiod-revision-tag-default"]["spec"]["selector"]["istio.io/rev"] == "canary"
    webhook = objects["MutatingWebhookConfiguration istio-sidecar-injector-canary"]["webhooks"][0]
    assert webhook["namespaceSelector"] != NEVER_MATCH


@pytest.mark.parametrize(
    ("revision", "state", "has_tag"),
    [
        ("canary", ClusterState(default_tag="default"), False),
        ("canary", ClusterState(default_tag="canary"), True),
        ("", ClusterState(default_tag="canary"), True),
        ("", ClusterState(default_tag="canary", tag_is_set=True), False),
    ],
)
def test_who_gets_the_default_tag(made: MadeRelease, revision: str, state: ClusterState, has_tag: bool) -> None:
    objects = named(control_plane(made, revision=revision).desired(state))
    assert ("MutatingWebhookConfiguration istio-revision-tag-default" in objects) is has_tag


def test_without_webhooks_of_the_installer_there_is_no_tag(made: MadeRelease) -> None:
    plane = control_plane(made, values={"global": {"operatorManageWebhooks": True}})
    made.renders(*[obj for obj in rendered() if obj["kind"] != "MutatingWebhookConfiguration"])
    assert not [name for name in named(plane.desired()) if "tag" in name]


@pytest.mark.parametrize(
    ("base", "included"),
    [
        (None, True),
        (BaseOwner("default", "1.30.0", SYSTEM), False),
        (BaseOwner("default", "1.29.1", SYSTEM), False),
        (BaseOwner("default", "1.28.3", SYSTEM), True),
        (BaseOwner("canary", "1.30.0", SYSTEM), True),
        (BaseOwner("default", "1.30.0", "elsewhere"), True),
    ],
)
def test_shared_objects_belong_to_the_newest_revision(
    made: MadeRelease, base: BaseOwner | None, included: bool
) -> None:
    objects = named(control_plane(made, revision="canary").desired(ClusterState(default_tag="default", base=base)))
    assert ("ServiceAccount istio-reader-service-account" in objects) is included


def test_what_stands_is_read_from_the_cluster() -> None:
    tag = make(
        "MutatingWebhookConfiguration",
        "istio-revision-tag-default",
        api="admissionregistration.k8s.io/v1",
        labels={"app": "sidecar-injector", "istio.io/tag": "default", "istio.io/rev": "canary"},
    )
    labels = {
        "istio.io/rev": "canary",
        "operator.istio.io/version": "1.29.1",
        "install.operator.istio.io/owning-resource-namespace": SYSTEM,
    }
    crd = make("CustomResourceDefinition", "gateways.networking.istio.io", api="apiextensions.k8s.io/v1", labels=labels)
    assert ClusterState.read(MemoryCluster()) == ClusterState()
    expected = ClusterState(default_tag="canary", tag_is_set=True, base=BaseOwner("canary", "1.29.1", SYSTEM))
    assert ClusterState.read(MemoryCluster(tag, crd)) == expected
    tag["metadata"]["labels"]["operator.istio.io/managed"] = "Reconcile"
    assert not ClusterState.read(MemoryCluster(tag)).tag_is_set


def test_crds_and_istiod_come_last_and_gateways_wait_for_its_endpoint(made: MadeRelease) -> None:
    unit = control_plane(made, revision="canary").unit_for(ClusterState())
    assert unit.rank is not None
    assert unit.gate is not None
    objects = named([dict(obj) for obj in unit.objects])
    quick, crd, istiod = objects["ClusterRole istiod-canary"], definition(), objects["Deployment istiod-canary"]
    assert unit.rank(quick) < unit.rank(crd) <= unit.rank(istiod)
    assert unit.gate(objects["Deployment istio-ingressgateway"]) == Key("v1", "Service", SYSTEM, "istiod-canary")
    assert unit.gate(objects["Service istio-ingressgateway"]) is None
    assert unit.gate(objects["Deployment istiod-canary"]) is None


def test_the_gateways_of_a_configuration(made: MadeRelease) -> None:
    plane = control_plane(made, ingress=[{"type": "NodePort"}])
    assert plane.gateways == [
        {"name": "istio-ingressgateway", "namespace": SYSTEM, "kind": "Deployment", "component": "IngressGateways"}
    ]
    assert named(plane.rendered)["Service istio-ingressgateway"]["spec"]["type"] == "NodePort"


def planned(plane: ControlPlane, *live: Object) -> Plan:
    objects = plane.desired()
    there = {key_of(obj).identity: obj for obj in live}
    changes = [
        Change("update", key_of(obj), there[key_of(obj).identity], obj)
        for obj in objects
        if key_of(obj).identity in there
    ]
    return Plan(plane.unit_for(ClusterState()), objects, there, changes)


def test_a_gateway_of_another_revision_is_not_taken(made: MadeRelease) -> None:
    labels = {"istio.io/rev": "default"}
    gateway = make("Deployment", "istio-ingressgateway", SYSTEM, api="apps/v1", labels=labels)
    plane = control_plane(made, MemoryCluster(namespace(SYSTEM)), revision="canary")
    with pytest.raises(
        Refused, match=facts_pattern("gateway istio-system/istio-ingressgateway & already belongs to revision default")
    ):
        plane.check(planned(plane, gateway))
    plane.check(planned(plane, gateway), force=True)


def test_a_gateway_in_a_namespace_that_does_not_exist(made: MadeRelease) -> None:
    plane = control_plane(made, MemoryCluster())
    for obj in plane.rendered:
        if "ingressgateway" in obj["metadata"]["name"]:
            obj["metadata"]["namespace"] = "edge"
    with pytest.raises(
        Refused, match=facts_pattern("Deployment edge/istio-ingressgateway & Namespace edge not found & create it")
    ):
        plane.check(planned(plane), force=True)


@pytest.mark.parametrize("answers", [True, False])
def test_istiod_s_word_holds_as_soon_as_its_service_has_an_endpoint(made: MadeRelease, answers: bool) -> None:
    # The Deployment's status says so later than istiod, which is reached through the Service, sets its policy.
    cluster = MemoryCluster(
        make("Deployment", "istiod", SYSTEM, api="apps/v1", spec={}, status={}), slice_of("istiod", ready=answers)
    )
    wanted = control_plane(made, cluster)
    validator = named(wanted.desired())["ValidatingWebhookConfiguration istiod-default-validator"]
    live = copy.deepcopy(validator)
    live["webhooks"][0]["failurePolicy"] = "Fail"
    adjust = wanted.unit().adjust
    assert adjust
    policy = adjust(copy.deepcopy(validator), live)["webhooks"][0]["failurePolicy"]
    assert policy == ("Fail" if answers else "Ignore")
