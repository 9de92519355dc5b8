# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the checks of an upgrade find, and what refuses it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.support import Support
from ansible_collections.meshops.istio.plugins.module_utils.istio.upgrade import checks
from ansible_collections.meshops.istio.plugins.module_utils.istio.upgrade.facts import Facts
from ansible_collections.meshops.istio.plugins.module_utils.istio.upgrade.record import Plane
from ansible_collections.meshops.istio.plugins.module_utils.istio.upgrade.state import Mesh
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.version import Version
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import Refused
from ansible_collections.meshops.istio.tests.support.memory_cluster import deployment, make, pod

Object = dict[str, Any]

NETWORKING = "networking.istio.io/v1"
PROBED = {"containers": [{"name": "app", "readinessProbe": {"httpGet": {"path": "/", "port": 80}}}]}


def facts(
    *owners: Object, old: str = "1.29.1", new: str = "1.31.0", pods: list[Object] | None = None, **objects: Any
) -> Facts:
    if pods is None:
        pods = [_pod_of(one) for one in owners]
    return Facts(
        Plane("default", old),
        Plane(new.replace(".", "-"), new),
        mesh=Mesh(pods=pods, owners=list(owners)),
        objects=objects,
        gateway_api="v1.4.0",
    )


def _pod_of(owner: Object) -> Object:
    name = owner["metadata"]["name"]
    controller = ("ReplicaSet", f"{name}-1") if owner["kind"] == "Deployment" else (owner["kind"], name)
    return pod(f"{name}-1-x", owner=controller, proxy="1.29.1")


def found(given: Facts, *, kubernetes: int = 35, **more: Any) -> dict[str, str]:
    """The levels of the findings by code."""
    version = Version(1, kubernetes, f"v1.{kubernetes}.0")
    return {one["code"]: one["level"] for one in checks.findings(given, Support(), version, **more)}


@pytest.mark.parametrize(
    ("old", "new", "in_place", "level"),
    [
        ("1.29.1", "1.30.4", False, None),
        ("1.29.1", "1.31.0", False, "warning"),
        ("1.28.3", "1.31.0", False, "error"),
        ("1.29.1", "1.31.0", True, "error"),
        ("1.29.1", "1.30.4", True, None),
    ],
)
def test_minor_versions_that_are_skipped(old: str, new: str, in_place: bool, level: str | None) -> None:
    assert found(facts(old=old, new=new), in_place=in_place).get("skipped_minors") == level


def test_versions_of_others_that_do_not_fit() -> None:
    assert found(facts(new="1.31.0"), kubernetes=30)["kubernetes"] == "error"
    assert found(facts(new="1.31.0"))["gateway_api_ignored"] == "warning"
    assert found(facts(old="1.29.1", new="1.30.4"))["hub_moves"] == "warning"
    assert "hub_moves" not in found(facts(new="1.31.0"))


def test_a_release_without_support_and_one_with_bulletins_are_named() -> None:
    codes = found(facts())
    assert {"end_of_life", "security_bulletin"} <= codes.keys()


@pytest.mark.parametrize(
    ("spec", "level"),
    [
        ({"strategy": {"type": "Recreate"}}, "error"),
        ({"replicas": 1, "strategy": {"rollingUpdate": {"maxUnavailable": 1}}}, "error"),
        ({"replicas": 2, "strategy": {"rollingUpdate": {"maxUnavailable": "100%"}}}, "error"),
        ({"replicas": 1, "strategy": {"rollingUpdate": {"maxUnavailable": "25%"}}}, None),
        ({"replicas": 2, "strategy": {"rollingUpdate": {"maxUnavailable": 1}}}, None),
        ({}, None),
    ],
)
def test_a_restart_that_leaves_no_pod_refuses_the_upgrade(spec: Object, level: str | None) -> None:
    web = deployment("web", spec={**spec, "template": {"spec": PROBED}})
    assert found(facts(web)).get("interrupted") == level
    if level:
        assert found(facts(web), interrupt=True)["interrupted"] == "warning"


def test_a_stateful_set_with_one_replica_is_interrupted() -> None:
    store = make("StatefulSet", "store", "shop", api="apps/v1", spec={"replicas": 1})
    assert found(facts(store))["interrupted"] == "error"


def test_a_workload_without_a_readiness_probe_is_named() -> None:
    assert found(facts(deployment("web")))["no_readiness_probe"] == "warning"
    assert "no_readiness_probe" not in found(facts(deployment("web", spec={"template": {"spec": PROBED}})))


@pytest.mark.parametrize(
    "alone",
    [
        pod("shell", proxy="1.29.1"),
        pod("task-x", owner=("Job", "task"), proxy="1.29.1"),
    ],
)
def test_what_is_not_restarted_is_named(alone: Object) -> None:
    assert found(facts(pods=[alone]))["not_restarted"] == "warning"


def test_a_paused_deployment_and_a_pinned_one_are_named() -> None:
    template = {"metadata": {"labels": {"istio.io/rev": "default"}}, "spec": PROBED}
    codes = found(facts(deployment("web", spec={"paused": True, "template": template})))
    assert codes["not_restarted"] == codes["pinned"] == "warning"


def test_an_ambient_mesh_is_upgraded_in_place() -> None:
    labels = {"operator.istio.io/component": "Ztunnel"}
    ztunnel = make("DaemonSet", "ztunnel", "istio-system", api="apps/v1", labels=labels)
    assert found(facts(DaemonSet=[ztunnel]))["node_agents"] == "error"
    assert "node_agents" not in found(facts(DaemonSet=[ztunnel]), in_place=True)


def test_an_old_proxy_is_named() -> None:
    assert found(facts(pods=[pod("web", owner=("ReplicaSet", "web-1"), proxy="1.28.3")]))["outdated_proxy"] == "warning"


def test_envoy_filters_are_named_and_those_for_other_versions_told_apart() -> None:
    def filtered(version: str) -> Object:
        match = {"proxy": {"proxyVersion": version}} if version else {}
        patches = [{"applyTo": "HTTP_FILTER", "match": match}]
        return make("EnvoyFilter", "lua", "shop", api="networking.istio.io/v1alpha3", spec={"configPatches": patches})

    assert "envoy_filter" in found(facts(EnvoyFilter=[filtered("")]))
    assert "envoy_filter" in found(facts(EnvoyFilter=[filtered(r"^1\.3.*")]))
    assert "envoy_filter_excluded" in found(facts(EnvoyFilter=[filtered(r"^1\.29.*")]))


def rule(**policy: Any) -> Object:
    return make("DestinationRule", "web", "shop", api=NETWORKING, spec={"trafficPolicy": policy})


@pytest.mark.parametrize(
    ("code", "objects"),
    [
        ("circuit_breaker_metrics", {"DestinationRule": [rule(connectionPool={})]}),
        ("unhealthy_endpoints", {"DestinationRule": [rule(outlierDetection={})]}),
        ("unhealthy_endpoints", {"DestinationRule": [rule(portLevelSettings=[{"outlierDetection": {}}])]}),
        ("debug_endpoints", {"Deployment": [deployment("kiali", "tools", labels={"app": "kiali"})]}),
        ("cni_file_mode", {"DaemonSet": [make("DaemonSet", "istio-cni-node", "istio-system", api="apps/v1")]}),
        (
            "workload_entries",
            {
                "WorkloadEntry": [
                    make(
                        "WorkloadEntry",
                        "vm",
                        "shop",
                        api=NETWORKING,
                        metadata={"annotations": {"istio.io/autoRegistrationGroup": "vms"}},
                    )
                ]
            },
        ),
        (
            "service_of_host",
            {
                "ServiceEntry": [
                    make("ServiceEntry", "a", place, api=NETWORKING, spec={"hosts": ["api.example.com"]})
                    for place in ("shop", "cart")
                ]
            },
        ),
    ],
)
def test_what_releases_change_is_named_where_the_mesh_uses_it(code: str, objects: dict[str, list[Object]]) -> None:
    assert found(facts(old="1.28.3", new="1.31.0", **objects))[code] == "warning"
    assert code not in found(facts(old="1.28.3", new="1.31.0"))
    assert code not in found(facts(old="1.31.0", new="1.31.4", **objects))


def test_flags_of_istiod_that_no_longer_exist_are_named() -> None:
    flags = [{"name": "PILOT_SPAWN_UPSTREAM_SPAN_FOR_GATEWAY", "value": "false"}]
    spec = {"template": {"spec": {"containers": [{"name": "discovery", "env": flags}]}}}
    istiod = deployment("istiod", "istio-system", labels={"app": "istiod"}, spec=spec)
    assert "upstream_spans" in found(facts(Deployment=[istiod]))


def test_the_first_error_refuses_and_says_what_to_do() -> None:
    given = checks.findings(facts(old="1.28.3"), Support(), Version(1, 35, "v1.35.0"))
    with pytest.raises(Refused, match=r"1\.30") as refused:
        checks.refuse(given)
    assert refused.value.code == "skipped_minors"
    checks.refuse(checks.findings(facts(), Support(), Version(1, 35, "v1.35.0")))
