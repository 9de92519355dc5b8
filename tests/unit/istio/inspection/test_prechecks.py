# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told before a mesh is installed or removed: dead webhooks, other owners, pods that still need it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane import (
    installed_objects,
    removal,
    tag_objects,
)
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.dead_webhooks import refuse_left_over
from ansible_collections.meshops.istio.plugins.module_utils.istio.injection.injector_conflicts import (
    overlaps,
    refuse_overlap,
)
from ansible_collections.meshops.istio.plugins.module_utils.istio.inspection.prechecks import read_messages
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.istioctl import Istioctl, IstioctlFailed
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.release import Release
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.versions import runs_remote_secrets
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import Refused
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.change import Change
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.plan import Plan
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.tests.support.memory_cluster import (
    MemoryCluster,
    deployment,
    injection_webhooks,
    injector,
    make,
    pod,
    slice_of,
)
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern, has_facts
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease

Object = dict[str, Any]


def test_webhooks_with_nobody_behind_them_are_named(made: MadeRelease) -> None:
    dead = MemoryCluster(injector(), slice_of("istiod", ready=False))
    [message] = read_messages(dead, made.release, revision="canary")
    assert (message["code"], message["level"]) == ("dead_injector", "error")
    assert message["origin"] == "MutatingWebhookConfiguration istio-sidecar-injector"
    assert "no pod can be created" in message["message"]
    assert "delete MutatingWebhookConfiguration istio-sidecar-injector" in message["message"]
    # What is installed brings its own istiod back.
    [repaired] = read_messages(dead, made.release)
    assert (repaired["code"], repaired["level"]) == ("dead_injector", "warning")
    assert read_messages(MemoryCluster(injector(), slice_of("istiod", ready=True)), made.release) == []


def test_kubernetes_and_other_owners_are_checked(made: MadeRelease) -> None:
    flux = {"app": "istiod", "helm.toolkit.fluxcd.io/name": "mesh"}
    cluster = MemoryCluster(deployment("istiod", "istio-system", labels=flux), kubernetes="1.24.0")
    assert [(one["code"], one["level"]) for one in read_messages(cluster, made.release)] == [
        ("unsupported_kubernetes", "error"),
        ("foreign_owner", "warning"),
    ]


def test_injectors_that_get_into_each_others_way() -> None:
    tag = injector("canary", webhooks=injection_webhooks("default"), name="istio-revision-tag-default")
    [one, other, sample] = next(overlaps([injector(), tag]))
    assert {one, other} == {"istio-sidecar-injector", "istio-revision-tag-default"}
    assert sample == "without labels in namespaces labelled istio.io/rev=default"
    silenced = tag_objects.deactivated(injector())
    assert list(overlaps([silenced, tag, injector("prod")])) == []
    foreign = make("MutatingWebhookConfiguration", "other", api=tag["apiVersion"], webhooks=[{"name": "x.example.com"}])
    assert list(overlaps([tag, foreign])) == []


def test_a_left_over_injector_is_found_before_the_first_write() -> None:
    fresh = injector()
    plan = Plan(removal.absent(), [fresh], {}, [Change("create", key_of(fresh), None, fresh)])
    left = injector("gone", webhooks=injection_webhooks("default"), name="left-over")
    with pytest.raises(Refused, match=facts_pattern("istio-sidecar-injector & left-over & conflict")):
        refuse_overlap(MemoryCluster(left), plan)
    refuse_overlap(MemoryCluster(), plan)


def test_webhooks_of_a_control_plane_that_is_gone_are_refused_by_name() -> None:
    fresh = injector("canary")
    plan = Plan(removal.absent(), [fresh], {}, [Change("create", key_of(fresh), None, fresh)])
    with pytest.raises(Refused, match=facts_pattern("no pod can be created & delete it")) as caught:
        refuse_left_over(MemoryCluster(injector()), plan)
    facts = "MutatingWebhookConfiguration istio-sidecar-injector & Service istio-system/istiod & not found"
    assert has_facts(caught.value, facts)
    # One that is only down comes back, one that is installed now is mended, and one that is deleted is in nobody's way.
    refuse_left_over(MemoryCluster(injector(), deployment("istiod", "istio-system")), plan)
    refuse_left_over(MemoryCluster(injector(), slice_of("istiod", ready=True)), plan)
    refuse_left_over(MemoryCluster(fresh), plan)
    plan.changes.append(Change("delete", key_of(injector()), injector(), None, first=True))
    refuse_left_over(MemoryCluster(injector()), plan)


def removing(*objects: Object) -> Plan:
    changes = [Change("delete", key_of(obj), obj, None) for obj in objects]
    return Plan(removal.absent(revision="canary"), [], {}, changes)


def test_a_revision_in_use_is_not_removed() -> None:
    gateway = deployment("gw", "istio-system", spec={"selector": {"matchLabels": {"app": "gw"}}})
    cluster = MemoryCluster(
        pod("web", proxy="1.29.1", revision="canary"),
        pod("other", proxy="1.29.1"),
        pod("gw", "istio-system", proxy="1.29.1", revision="canary", labels={"app": "gw"}),
        pod("done", proxy="1.29.1", revision="canary", phase="Succeeded"),
    )
    with pytest.raises(Refused, match=facts_pattern("revision canary & 1 pod & shop/web")) as caught:
        removal.refuse_in_use(cluster, removing(gateway), revision="canary")
    assert caught.value.details["pods"] == ["shop/web"]
    with pytest.raises(Refused, match=facts_pattern("Istio & 2 pods & shop/other, shop/web")):
        removal.refuse_in_use(cluster, removing(gateway), purge=True)
    removal.refuse_in_use(cluster, removing(), revision="canary")


def test_an_outdated_proxy_is_found_by_its_label_also_through_a_tag() -> None:
    of_tag = pod("web", proxy="1.8.1", labels={"istio.io/rev": "prod"}, annotations={"istio.io/rev": ""})
    unknown = pod("old", proxy="1.8.1", annotations={"istio.io/rev": ""})
    assert removal.in_use([of_tag, unknown], [], "canary", {"prod": "canary"}) == ["shop/old", "shop/web"]
    assert removal.in_use([of_tag], [], "canary", {"prod": "default"}) == []


def test_an_ambient_mesh_is_used_by_what_its_nodes_capture() -> None:
    captured = pod("web", annotations={"ambient.istio.io/redirection": "enabled"})
    ztunnel = make("DaemonSet", "ztunnel", "istio-system", api="apps/v1", spec={}, labels={**PILOT, **ZTUNNEL})
    assert removal.in_use([captured], [ztunnel], "default") == ["shop/web"]
    assert removal.in_use([captured], [deployment("istiod", "istio-system")], "default") == []


ZTUNNEL = {"operator.istio.io/component": "Ztunnel"}
PILOT = {"operator.istio.io/component": "Pilot", "operator.istio.io/managed": "Reconcile"}


def labelled(name: str, revision: str, **more: str) -> Object:
    return make("ConfigMap", name, "istio-system", labels={**PILOT, "istio.io/rev": revision, **more})


def names(objects: Any) -> list[str]:
    return sorted(obj["metadata"]["name"] for obj in objects)


def test_prune_takes_what_the_revision_left_whatever_its_version() -> None:
    kept = {"install.operator.istio.io/owning-resource-not-pruned": "true"}
    cluster = MemoryCluster(
        labelled("old", "default", **{"operator.istio.io/version": "1.28.3"}),
        labelled("wanted", "default"),
        labelled("kept", "default", **kept),
        labelled("wanted-and-kept", "default", **kept),
        labelled("other", "canary"),
        make("ConfigMap", "users", "istio-system", labels={"istio.io/rev": "default"}),
    )
    wanted = [labelled("wanted", "default"), labelled("wanted-and-kept", "default")]
    found = installed_objects.installed_by(cluster, revision="", wanted=wanted)
    assert names(found) == ["old", "wanted", "wanted-and-kept"]


def test_a_tag_goes_with_the_injector_that_it_points_at() -> None:
    marks = {**PILOT, "istio.io/rev": "default", "istio.io/tag": "default"}
    marks["install.operator.istio.io/owning-resource-not-pruned"] = "true"
    tag = make("MutatingWebhookConfiguration", "tag", api="admissionregistration.k8s.io/v1", labels=marks)
    assert names(installed_objects.installed_by(MemoryCluster(tag), revision="", wanted=[injector()])) == []
    assert names(installed_objects.installed_by(MemoryCluster(tag), revision="", wanted=[])) == ["tag"]


def test_a_revisions_removal_leaves_what_is_shared() -> None:
    shared = labelled("shared", "canary", **{"operator.istio.io/component": "Base"})
    crd = make(
        "CustomResourceDefinition",
        "gateways.networking.istio.io",
        api="apiextensions.k8s.io/v1",
        labels={"operator.istio.io/component": "Base", "istio.io/rev": "canary"},
    )
    cluster = MemoryCluster(labelled("own", "canary"), labelled("other", "default"), shared, crd)
    assert names(installed_objects.of_revision(cluster, "canary")) == ["own"]
    assert names(installed_objects.of_all(cluster, "istio-system")) == [
        "gateways.networking.istio.io",
        "other",
        "own",
        "shared",
    ]


def test_the_agents_on_the_nodes_stay_until_the_last_control_plane_goes() -> None:
    agent = labelled("istio-cni-node", "canary", **{"operator.istio.io/component": "Cni"})
    agent.update(kind="DaemonSet", apiVersion="apps/v1")
    istiod = labelled("istiod-canary", "canary", app="istiod")
    other = labelled("istiod", "default", app="istiod")
    istiod.update(kind="Deployment", apiVersion="apps/v1")
    other.update(kind="Deployment", apiVersion="apps/v1")
    both = MemoryCluster(agent, istiod, other)
    assert names(installed_objects.of_revision(both, "canary")) == ["istiod-canary"]
    assert names(installed_objects.shared_agents(both, "canary")) == ["istio-cni-node"]
    last = MemoryCluster(agent, istiod)
    assert names(installed_objects.of_revision(last, "canary")) == ["istio-cni-node", "istiod-canary"]
    assert names(installed_objects.shared_agents(last, "canary")) == []


def test_pods_that_leave_before_are_not_in_the_way_of_a_removal() -> None:
    cluster = MemoryCluster(injector(), pod("web", "shop", proxy="1.29.1"), pod("old", "legacy", proxy="1.29.1"))
    config = make("ConfigMap", "istio", "istio-system")
    plan = Plan(Unit(manager="x", objects=[]), [], {}, [Change("delete", key_of(config), config, None)])
    with pytest.raises(Refused) as refused:
        removal.refuse_in_use(cluster, plan, left=["shop"])
    assert refused.value.details["pods"] == ["legacy/old"]
    removal.refuse_in_use(cluster, plan, left=["shop", "legacy"])


def test_tags_set_by_hand_go_with_their_revision() -> None:
    own = {"istio.io/rev": "canary", "istio.io/tag": "prod"}
    tag = make("MutatingWebhookConfiguration", "prod", api="admissionregistration.k8s.io/v1", labels=own)
    service = make("Service", "istiod-revision-tag-prod", "istio-system", labels=own)
    other = make("Service", "other", "istio-system", labels={"istio.io/rev": "default", "istio.io/tag": "stage"})
    cluster = MemoryCluster(tag, service, other)
    assert names(installed_objects.of_revision(cluster, "canary")) == ["istiod-revision-tag-prod", "prod"]
    assert names(installed_objects.of_all(cluster, "istio-system")) == ["istiod-revision-tag-prod", "other", "prod"]


def elected(name: str) -> Any:
    config_map = make("ConfigMap", name, "istio-system")
    config_map["metadata"]["annotations"] = {"control-plane.alpha.kubernetes.io/leader": "{}"}
    return config_map


# By Istio's pkg/leaderelection, of 1.6 to 1.29, with and without a revision.
@pytest.mark.parametrize(
    "name",
    [
        "istio-analyze-leader",
        "istio-clustertrustbundle-controller-election",
        "istio-gateway-deployment-canary",
        "istio-gateway-deployment-default",
        "istio-gateway-inferencepool-default",
        "istio-gateway-leader",
        "istio-gateway-status-leader",
        "istio-gateway-status-leader-1-29-1",
        "istio-gateway-status-leader-default",
        "istio-ip-autoallocate",
        "istio-ip-autoallocate-default",
        "istio-leader",
        "istio-namespace-controller-election",
        "istio-node-untaint-default",
        "istio-serviceexport-controller-election",
        "istio-status-leader",
        "istio-validation-controller-election",
    ],
)
def test_no_election_of_istiod_survives_a_purge(name: str) -> None:
    lease = make("Lease", name, "istio-system", api="coordination.k8s.io/v1")
    assert names(installed_objects.of_all(MemoryCluster(lease), "istio-system")) == [name]
    assert names(installed_objects.of_all(MemoryCluster(elected(name)), "istio-system")) == [name]


@pytest.mark.parametrize("name", ["istio-leaders", "my-istio-leader", "istio-operator", "cert-manager-controller"])
def test_elections_of_others_survive_a_purge(name: str) -> None:
    lease = make("Lease", name, "istio-system", api="coordination.k8s.io/v1")
    assert names(installed_objects.of_all(MemoryCluster(lease, elected(name)), "istio-system")) == []


def test_a_purge_takes_what_istiod_wrote_but_no_key_unless_asked() -> None:
    config = {"istio.io/config": "true"}
    cluster = MemoryCluster(
        make("ConfigMap", "istio-ca-root-cert", "shop", labels=config),
        make("ConfigMap", "users-own", "shop", labels=config),
        elected("istio-leader"),
        make("ConfigMap", "istio-leader-by-hand", "istio-system"),
        make("ConfigMap", "istio-leader", "shop"),
        make("Lease", "istio-gateway-deployment-canary", "istio-system", api="coordination.k8s.io/v1"),
        make("Secret", "istio-ca-secret", "istio-system"),
        make("Secret", "cacerts", "istio-system"),
    )
    written = ["istio-ca-root-cert", "istio-gateway-deployment-canary", "istio-leader"]
    assert names(installed_objects.of_all(cluster, "istio-system")) == written
    with_key = ["istio-ca-root-cert", "istio-ca-secret", *written[1:]]
    assert names(installed_objects.of_all(cluster, "istio-system", root_key=True)) == with_key


def test_istioctls_messages_become_data(made: MadeRelease) -> None:
    made.write(
        "output",
        '[{"code":"IST0102","level":"Info","origin":"Namespace shop","message":"not injected","documentationUrl":"https://istio.io/ist0102/?ref=x"}]\nInfo\n',
    )
    assert Istioctl(made.release, MemoryCluster()).analyze(namespaces=["shop"]) == [
        {
            "code": "IST0102",
            "level": "info",
            "origin": "Namespace shop",
            "message": "not injected",
            "reference": "https://istio.io/ist0102/",
        }
    ]
    (called,) = made.calls
    assert called.startswith("analyze -o json --failure-threshold Error --timeout 120s --namespace shop --kubeconfig ")
    made.write("output", "")
    assert Istioctl(made.release).precheck() == []


def test_an_analysis_that_says_nothing_at_all_is_no_verdict(made: MadeRelease) -> None:
    made.write("output", "")
    with pytest.raises(IstioctlFailed, match=r"^istioctl analyze failed"):
        Istioctl(made.release, MemoryCluster()).analyze(namespaces=["none"])
    made.write("output", "[]\n")
    assert Istioctl(made.release, MemoryCluster()).analyze(namespaces=["shop"]) == []


@pytest.mark.parametrize(
    ("version", "said"),
    [("1.29.1", " --as ci --as-group ops --as-group web"), ("1.23.4", "")],  # the older one heeds the kubeconfig
)
def test_istioctl_acts_as_who_is_impersonated(made: MadeRelease, version: str, said: str) -> None:
    cluster = MemoryCluster()
    cluster.user, cluster.groups = "ci", ["ops", "web"]
    made.write("output", "")
    Istioctl(Release(version, made.root), cluster).precheck()
    assert made.calls == [f"experimental precheck -o json --kubeconfig no-kubeconfig{said}"]


@pytest.mark.parametrize(
    ("version", "runs"),
    [("1.29.1", True), ("1.29.7", True), ("1.29.8", False), ("1.29.9", False), ("1.30.4", True), ("1.30.5", False),
     ("1.31.0", True), ("1.31.1-rc.1", True), ("1.31.1", False), ("1.32.0", False), ("1.32-alpha.1", True),
     ("1.28.9", True), ("2.0.0", False)],
)  # fmt: skip
def test_a_release_that_would_run_what_remote_secrets_name_is_not_shown_them(
    version: str, runs: bool, made: MadeRelease
) -> None:
    assert runs_remote_secrets(version) == runs
    made.write("output", "[]\n")
    Istioctl(Release(version, made.root), MemoryCluster()).analyze()
    assert made.calls[0].endswith("no-kubeconfig-without-istio/multiCluster" if runs else "no-kubeconfig")


def test_an_istioctl_that_fails_is_no_silence(made: MadeRelease) -> None:
    made.fails("Error: cannot connect")
    with pytest.raises(IstioctlFailed, match=r"^istioctl experimental precheck failed: cannot connect\.$"):
        Istioctl(made.release).precheck()


def test_a_purge_includes_the_record_of_an_upgrade() -> None:
    record = make("ConfigMap", "meshops-istio-upgrade", "istio-system")
    copied = make("ConfigMap", "meshops-istio-upgrade", "elsewhere")
    found = installed_objects.of_all(MemoryCluster(record, copied), "istio-system")
    assert [(one["metadata"]["namespace"], one["metadata"]["name"]) for one in found] == [
        ("istio-system", "meshops-istio-upgrade")
    ]
