# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which pods lack a sidecar or have an old one, and what can be done about it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.mesh_config import providers_in
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.tag_objects import NEVER_MATCH
from ansible_collections.meshops.istio.plugins.module_utils.istio.injection.injectors import Injector, Injectors
from ansible_collections.meshops.istio.plugins.module_utils.istio.injection.restart import due
from ansible_collections.meshops.istio.plugins.module_utils.istio.injection.sidecars import State, owner_of, read_state
from ansible_collections.meshops.istio.tests.support.memory_cluster import (
    MemoryCluster,
    deployment,
    injection_webhooks,
    injector,
    make,
    namespace,
    pod,
)
from ansible_collections.meshops.istio.tests.support.messages import has_facts

Object = dict[str, Any]

ENABLED = namespace("shop", istio_injection="enabled")


def settings(revision: str = "default", *, tag: str = "1.29.1", config: str = "policy: enabled\n") -> Object:
    """The ConfigMap that an injector reads."""
    name = "istio-sidecar-injector" + ("" if revision == "default" else f"-{revision}")
    values = json.dumps({"global": {"hub": "docker.io/istio", "tag": tag, "proxy": {"image": "proxyv2"}}})
    return make("ConfigMap", name, "istio-system", data={"config": config, "values": values})


def state(*objects: Object, config: str = "policy: enabled\n", namespaces: list[str] | None = None) -> State:
    cluster = MemoryCluster(injector(), settings(config=config), *objects)
    return read_state(cluster, namespaces)


def faults(found: State) -> dict[str, tuple[int, int]]:
    return {f"{one.kind} {one.name}": (one.missing, one.outdated) for one in found.workloads}


def test_a_deployments_pods_without_a_sidecar() -> None:
    owner = ("ReplicaSet", "web-5f6c7d")
    found = state(ENABLED, deployment("web"), pod("web-5f6c7d-a", owner=owner), pod("web-5f6c7d-b", owner=owner))
    [workload] = found.workloads
    assert workload.as_dict() == {
        "kind": "Deployment",
        "namespace": "shop",
        "name": "web",
        "missing": 2,
        "outdated": 0,
        "other_revision": 0,
        "restartable": True,
        "reason": "",
        "rolling_out": False,
        "progress": "",
    }
    [shop] = found.namespaces
    assert shop.as_dict() == {
        "name": "shop",
        "injection": "enabled",
        "revision": "",
        "injector": "default",
        "pods": 2,
        "with_sidecar": 0,
        "without_sidecar": 2,
        "outdated": 0,
        "other_revision": 0,
    }


@pytest.mark.parametrize("native", [False, True])
def test_sidecars_are_seen_in_both_container_lists(native: bool) -> None:
    found = state(ENABLED, pod("web", proxy="1.29.1", native=native))
    assert found.workloads == []
    assert (found.namespaces[0].with_sidecar, found.namespaces[0].without_sidecar) == (1, 0)


@pytest.mark.parametrize(
    "exempt",
    [
        pod("one", labels={"sidecar.istio.io/inject": "false"}),
        pod("one", annotations={"sidecar.istio.io/inject": "false"}),
        pod("one", spec={"hostNetwork": True}),
        pod("one", phase="Succeeded"),
        pod("one", "plain"),
        pod("one", "kube-system"),
    ],
)
def test_pods_that_are_never_injected(exempt: Object) -> None:
    system = namespace("kube-system", istio_injection="enabled")
    assert state(ENABLED, namespace("plain"), system, exempt).workloads == []


def test_proxies_of_another_version_or_revision_are_outdated() -> None:
    found = state(
        ENABLED,
        pod("old", proxy="1.28.3"),
        pod("distroless", proxy="1.29.1-distroless"),
        pod("other", proxy="1.29.1", revision="canary"),
        pod("chosen", proxy="1.28.3", annotations={"sidecar.istio.io/proxyImage": "mine:1"}),
    )
    assert faults(found) == {"Pod old": (0, 1), "Pod other": (0, 1)}
    assert {one.name: one.other_revision for one in found.workloads} == {"old": 0, "other": 1}
    assert (found.namespaces[0].outdated, found.namespaces[0].other_revision) == (2, 1)
    # Only another revision is restarted without being asked for outdated ones.
    assert [one.name for one in due(found.workloads, outdated=False).reported] == ["other"]


def test_a_sidecar_that_new_pods_would_not_get_is_outdated() -> None:
    def template(*containers: str) -> Object:
        return {"selector": {}, "template": {"spec": {"containers": [{"name": name} for name in containers]}}}

    found = state(
        namespace("shop"),
        deployment("web", spec=template("web")),
        pod("web-5f6c7d-a", owner=("ReplicaSet", "web-5f6c7d"), proxy="1.29.1"),
        # As istioctl kube-inject leaves it: a restart would bring the same proxy again.
        deployment("by-hand", spec=template("web", "istio-proxy")),
        pod("by-hand-5f6c7d-a", owner=("ReplicaSet", "by-hand-5f6c7d"), proxy="1.29.1"),
    )
    assert faults(found) == {"Deployment web": (0, 1)}


def test_the_default_tag_injects_for_the_revision_that_it_points_at() -> None:
    deactivated = injector(
        webhooks=[
            {**one, "namespaceSelector": NEVER_MATCH, "objectSelector": NEVER_MATCH}
            for one in injection_webhooks("default")
        ]
    )
    tag = injector("canary", webhooks=injection_webhooks("default"), name="istio-revision-tag-default")
    cluster = MemoryCluster(
        deactivated, tag, settings(), settings("canary", tag="1.30.0"), ENABLED, pod("web", proxy="1.29.1")
    )
    injectors = Injectors.read(cluster)
    assert injectors.of_namespace(ENABLED) == "canary"
    assert faults(read_state(cluster)) == {"Pod web": (0, 1)}


def test_a_namespace_of_a_revision() -> None:
    canary = make("Namespace", "shop", labels={"istio.io/rev": "canary"})
    cluster = MemoryCluster(injector(), injector("canary"), settings(), settings("canary"), canary, pod("web"))
    found = read_state(cluster)
    assert (found.namespaces[0].injection, found.namespaces[0].revision, found.namespaces[0].injector) == (
        "revision",
        "canary",
        "canary",
    )
    assert faults(found) == {"Pod web": (1, 0)}


def test_a_revision_that_nobody_serves_injects_nothing() -> None:
    found = state(make("Namespace", "shop", labels={"istio.io/rev": "gone"}), pod("web"))
    assert found.namespaces[0].injector == ""
    assert found.workloads == []


def test_the_injectors_own_policy_and_selectors_count() -> None:
    never = "policy: enabled\nneverInjectSelector:\n- matchLabels: {batch: 'yes'}\n"
    labelled = pod("batch", labels={"batch": "yes"})
    assert faults(state(ENABLED, labelled, pod("web"), config=never)) == {"Pod web": (1, 0)}
    disabled = "policy: disabled\nalwaysInjectSelector:\n- matchLabels: {batch: 'yes'}\n"
    assert faults(state(ENABLED, labelled, pod("web"), config=disabled)) == {"Pod batch": (1, 0)}


@pytest.mark.parametrize("key", ["neverInjectSelector", "alwaysInjectSelector"])
@pytest.mark.parametrize(
    "value", ["x", "7", "[x]", "[{matchLabels: [a]}]", "[{matchExpressions: [{key: a}]}]", "{a: b}"]
)
def test_what_is_misshapen_in_the_injectors_configuration_is_left_out(key: str, value: str) -> None:
    found = state(ENABLED, pod("web"), config=f"policy: enabled\n{key}: {value}\n")
    assert faults(found) == {"Pod web": (1, 0)}


@pytest.mark.parametrize("values", ["7", "[]", '{"global": 7}', '{"global": {"proxy": [], "hub": {}, "tag": null}}'])
def test_an_injector_whose_values_are_misshapen_has_no_image(values: str) -> None:
    config = make("ConfigMap", "istio-sidecar-injector", "istio-system", data={"values": values})
    assert Injector.of("default", config).image == ""


@pytest.mark.parametrize(
    "mesh", ["x", "[]", "extensionProviders: x", "extensionProviders: [zipkin, {zipkin: {}}, {name: 7}]"]
)
def test_what_is_misshapen_in_a_meshs_configuration_names_no_provider(mesh: str) -> None:
    config = make("ConfigMap", "istio", "istio-system", data={"mesh": mesh})
    good = make("ConfigMap", "istio-b", "istio-system", data={"mesh": "extensionProviders: [{name: zipkin}]"})
    assert providers_in([config, good]) == {"zipkin"}


@pytest.mark.parametrize(
    ("owner", "workload", "reason"),
    [
        (None, None, "pod without a controller"),
        (("Job", "load"), None, "runs to completion"),
        (("Rollout", "web"), None, "kind Rollout is not supported"),
        (("ReplicaSet", "web-5f6c7d"), deployment("web", spec={"paused": True}), "its rollout is paused"),
        (("ReplicaSet", "web-5f6c7d"), None, "Deployment shop/web & not found"),
        (
            ("DaemonSet", "agent"),
            make("DaemonSet", "agent", "shop", api="apps/v1", spec={"updateStrategy": {"type": "OnDelete"}}),
            "its update strategy is OnDelete",
        ),
        (
            ("StatefulSet", "db"),
            make(
                "StatefulSet", "db", "shop", api="apps/v1", spec={"updateStrategy": {"rollingUpdate": {"partition": 1}}}
            ),
            "its update strategy has a partition",
        ),
    ],
)
def test_what_a_restart_cannot_help_is_reported_with_a_reason(owner: Any, workload: Object | None, reason: str) -> None:
    found = state(ENABLED, pod("one", owner=owner), *([workload] if workload else []))
    [one] = found.workloads
    assert not one.restartable
    assert has_facts(one.reason, reason)


def test_only_the_named_namespaces_are_looked_at() -> None:
    other = namespace("other", istio_injection="enabled")
    found = state(ENABLED, other, pod("a"), pod("b", "other"), namespaces=["other", "missing"])
    assert [one.name for one in found.namespaces] == ["other"]
    assert faults(found) == {"Pod b": (1, 0)}


def test_a_replica_set_of_its_own_is_no_deployment() -> None:
    lone = pod("web-x", labels={}, owner=("StatefulSet", "web"))
    lone["metadata"]["ownerReferences"][0].update(kind="ReplicaSet", name="web-1")
    assert owner_of(lone) == ("ReplicaSet", "shop", "web-1")


def test_a_gateway_is_no_sidecar() -> None:
    gateway = pod("gw", "istio-system", proxy="1.29.1")
    gateway["spec"]["containers"] = gateway["spec"]["containers"][1:]
    found = state(namespace("istio-system"), gateway)
    assert (found.namespaces[0].pods, found.namespaces[0].with_sidecar) == (1, 0)
