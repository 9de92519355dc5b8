# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify asserts of a mesh, and the sentence for each thing that does not hold."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.filter.checks import checks
from ansible_collections.meshops.istio.tests.support.messages import has_facts

GATEWAY = {"name": "istio-ingressgateway", "namespace": "istio-system", "healthy": True}
PLANE = {
    "revision": "default",
    "namespace": "istio-system",
    "version": "1.29.1",
    "healthy": True,
    "message": "1/1 replicas ready",
    "gateways": [GATEWAY],
}
SHOP = {"name": "shop", "injection": "enabled", "injector": "default", "pods": 2, "without_sidecar": 0}
EDGE = {"name": "istio-ingressgateway", "namespace": "istio-system", "type": "LoadBalancer", "pending": False}
PROXY = {"pod": "shop/web-1", "state": "synced", "stale": [], "answers": True}
WEB = {
    "serial": "3f",
    "names": ["spiffe://cluster.local/ns/shop/sa/web"],
    "authority": False,
    "begins": "2026-01-01T00:00:00+00:00",
    "ends": "2026-01-02T00:00:00+00:00",
    "state": "valid",
    "proxy": "shop/web-1",
}
FOUND: dict[str, Any] = {
    "control_planes": [PLANE],
    "skew": [],
    "namespaces": [SHOP],
    "workloads": [],
    "gateways": [EDGE],
    "proxies": [PROXY],
    "certificates": [WEB],
    "analysis": {"ok": True, "messages": []},
}
EXPECTED = {"version": "1.29.1", "revision": None, "namespace": "istio-system", "namespaces": ["shop"]}
READY = [{"item": EDGE, "url": "http://10.0.0.1:15021/healthz/ready", "status": 200}]


def causes(found: dict[str, Any], answers: list[dict[str, Any]] = READY, **expected: Any) -> list[str]:
    return [
        check["cause"] for check in checks({**FOUND, **found}, {**EXPECTED, **expected}, answers) if not check["ok"]
    ]


def test_all_of_a_good_mesh_holds() -> None:
    assert [check["name"] for check in checks(FOUND, EXPECTED, READY)] == [
        "control plane default is installed",
        "control plane default is healthy",
        "control plane default is of version 1.29.1",
        "gateway istio-system/istio-ingressgateway is healthy",
        "proxies fit their control plane",
        "proxies have their configuration",
        "certificates are valid, and for long enough",
        "namespace shop is in the mesh",
        "pods in shop have their sidecar",
        "sidecars in shop are of revision default",
        "the configuration is as Istio's analysis wants it",
        "gateway istio-system/istio-ingressgateway has an address",
        "gateway istio-system/istio-ingressgateway answers",
    ]
    assert causes({}) == []


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            {"control_planes": [{**PLANE, "proxies": {"1.28.0": 2, "1.29.1": 3}}]},
            "The proxies of default are of different versions: 2 of 1.28.0, 3 of 1.29.1; restart those that are outdated.",
        ),
        (
            {"control_planes": []},
            "There is no control plane of revision default in istio-system; there is none.",
        ),
        (
            {"control_planes": [{**PLANE, "revision": "canary"}]},
            "There is no control plane of revision default in istio-system; there is canary in istio-system.",
        ),
        (
            {"control_planes": [{**PLANE, "healthy": False, "message": "0/1 replicas ready"}]},
            "The control plane default is not healthy: 0/1 replicas ready.",
        ),
        (
            {"control_planes": [{**PLANE, "version": "1.28.3"}]},
            "The control plane default is of version 1.28.3, and mesh_version is 1.29.1.",
        ),
        (
            {"control_planes": [{**PLANE, "gateways": [{**GATEWAY, "healthy": False}]}]},
            "Not all pods of gateway istio-system/istio-ingressgateway are ready.",
        ),
        (
            {"skew": [{"pod": "shop/web-1", "version": "1.26.0", "revision": "default"}]},
            "Too far from its version: shop/web-1 (1.26.0 of default).",
        ),
        (
            {
                "findings": [
                    {
                        "code": "end_of_life",
                        "level": "error",
                        "release": "1.29.1",
                        "message": "It ended.",
                        "fix": "Go.",
                    },
                    {"code": "end_of_life_near", "level": "warning", "release": "1.30.8", "message": "", "fix": ""},
                ]
            },
            "It ended. Go.",
        ),
        ({"namespaces": []}, "The namespace shop does not exist."),
        (
            {"namespaces": [{**SHOP, "injector": "", "injection": "disabled"}]},
            "No control plane injects into shop (its injection is disabled).",
        ),
        (
            {
                "namespaces": [{**SHOP, "without_sidecar": 1}],
                "workloads": [{"kind": "Deployment", "namespace": "shop", "name": "web", "missing": 1}],
            },
            "1 of 2 pods in shop lack it: Deployment web.",
        ),
        (
            {"proxies": [PROXY, {**PROXY, "state": "stale", "stale": ["CDS", "LDS"]}]},
            "1 of 2 proxies have not confirmed their configuration: shop/web-1 (CDS, LDS).",
        ),
        (
            {"proxies": [{**PROXY, "pod": f"shop/web-{number}", "state": "disconnected"} for number in range(5)]},
            "5 of 5 proxies have not confirmed their configuration:"
            " shop/web-0 (not connected to its control plane), shop/web-1 (not connected to its control plane),"
            " shop/web-2 (not connected to its control plane) and 2 more.",
        ),
        (
            {"certificates": [{**WEB, "state": "expiring"}]},
            "Not all certificates are valid for long enough:"
            " spiffe://cluster.local/ns/shop/sa/web of shop/web-1 ends at 2026-01-02T00:00:00+00:00.",
        ),
        (
            {"certificates": [{**WEB, "state": "expired", "names": [], "authority": True}]},
            "Not all certificates are valid for long enough:"
            " a certificate authority of shop/web-1 ended at 2026-01-02T00:00:00+00:00.",
        ),
        (
            {"proxies": [{**PROXY, "answers": False}], "certificates": [{**WEB, "state": "not_yet_valid"}]},
            "Not all certificates are valid for long enough:"
            " spiffe://cluster.local/ns/shop/sa/web of shop/web-1 begins at 2026-01-01T00:00:00+00:00,"
            " shop/web-1 (does not tell its own).",
        ),
        (
            {"analysis": {"ok": False, "msg": "The analysis says: VirtualService shop/web: Referenced host not found"}},
            "The analysis says: VirtualService shop/web: Referenced host not found.",
        ),
        (
            {"gateways": [{**EDGE, "pending": True}]},
            "The LoadBalancer Service of istio-system/istio-ingressgateway has no address yet.",
        ),
    ],
)
def test_what_does_not_hold_is_one_sentence(found: dict[str, Any], sentence: str) -> None:
    assert causes(found) == [sentence]


@pytest.mark.parametrize(
    ("answer", "said"),
    [({"status": 503}, "status 503"), ({"status": -1, "msg": "Connection refused."}, "nothing (Connection refused)")],
)
def test_a_gateway_that_does_not_answer(answer: dict[str, Any], said: str) -> None:
    url = "http://10.0.0.1:15021/healthz/ready"
    assert causes({}, [{**READY[0], **answer}]) == [f"{url} answers {said} instead of status 200."]


def test_what_was_not_read_is_not_judged() -> None:
    some = {name: value for name, value in FOUND.items() if name not in ("proxies", "certificates", "analysis")}
    assert len(checks(some, EXPECTED, READY)) == len(checks(FOUND, EXPECTED, READY)) - 3


def test_a_gateway_that_was_not_asked_has_not_failed() -> None:
    assert causes({}, []) == []


def test_gateways_of_one_name_are_told_apart() -> None:
    edges = [{**EDGE, "namespace": one} for one in ("edge-a", "edge-b")]
    answers = [
        {"item": edges[0], "url": "http://a", "status": 200},
        {"item": edges[1], "url": "http://b", "status": 503},
    ]
    assert causes({"gateways": edges}, answers) == ["http://b answers status 503 instead of status 200."]


# --- drift ---------------------------------------------------------------------------------------------------------

APPLICATION = {"name": "shop", "namespace": "shop", "changes": [], "unready": []}
INGRESS = {**EDGE, "kind": "Deployment", "component": "IngressGateways"}
PARTS: dict[str, Any] = {
    "control_plane": {"changes": [], "unready": [], "gateways": [INGRESS]},
    "revision_tags": [{"name": "prod", "changes": []}],
    "injection": {"changes": []},
    "addons": {
        "addons": ["kiali"],
        "objects": {"kiali": [{"kind": "Deployment", "namespace": "istio-system", "name": "kiali"}]},
        "changes": [],
        "unready": [],
    },
    "applications": [APPLICATION],
}


def change(action: str, kind: str, namespace: str, name: str) -> dict[str, str]:
    return {"action": action, "kind": kind, "namespace": namespace, "name": name}


def failed(part: str, value: Any) -> list[str]:
    found = {**FOUND, "parts": {**PARTS, part: value}}
    return [check["name"] for check in checks(found, EXPECTED, READY) if not check["ok"]]


def test_each_declared_thing_has_a_check() -> None:
    names = [check["name"] for check in checks({**FOUND, "parts": PARTS}, EXPECTED, READY)]
    assert [name for name in names if "declared" in name or name.startswith(("addon", "application", "the mesh"))] == [
        "the mesh of the variables can be planned",
        "the control plane is as declared",
        "gateway istio-system/istio-ingressgateway is as declared",
        "revision tag prod is as declared",
        "injection labels are as declared",
        "addon kiali is as declared",
        "addon kiali is ready",
        "routes and telemetry of the addons are as declared",
        "application shop/shop is as declared",
        "application shop/shop is ready",
    ]


@pytest.mark.parametrize(
    ("part", "value", "names"),
    [
        (
            "control_plane",
            {
                **PARTS["control_plane"],
                "changes": [change("update", "Service", "istio-system", "istio-ingressgateway")],
            },
            ["gateway istio-system/istio-ingressgateway is as declared"],
        ),
        (
            "control_plane",
            {**PARTS["control_plane"], "changes": [change("create", "ConfigMap", "istio-system", "istio")]},
            ["the control plane is as declared"],
        ),
        (
            "addons",
            {**PARTS["addons"], "changes": [change("create", "Deployment", "istio-system", "kiali")]},
            ["addon kiali is as declared"],
        ),
        (
            "applications",
            [{**APPLICATION, "changes": [change("create", "VirtualService", "shop", "shop")]}],
            ["application shop/shop is as declared"],
        ),
        (
            "applications",
            [{**APPLICATION, "unready": [change("", "Deployment", "shop", "web")]}],
            ["application shop/shop is ready"],
        ),
    ],
    ids=["gateway", "istiod", "addon", "route", "pods"],
)
def test_what_differs_from_the_variables_fails_its_check(part: str, value: Any, names: list[str]) -> None:
    assert failed(part, value) == names


def test_a_plan_that_cannot_be_made_is_a_check_that_fails() -> None:
    assert causes({"parts": {}, "failure": "Istio 1.2.3 was not found."}) == ["Istio 1.2.3 was not found."]


def test_a_check_of_a_gateway_that_is_gone_does_not_disappear() -> None:
    found = {**FOUND, "gateways": [], "parts": PARTS}
    assert [check["name"] for check in checks(found, EXPECTED, []) if not check["ok"]] == [
        "gateway istio-system/istio-ingressgateway has an address",
        "gateway istio-system/istio-ingressgateway answers",
    ]


def test_a_sidecar_of_another_revision_is_not_the_sidecar_of_the_namespace() -> None:
    moved = {**SHOP, "injector": "blue", "other_revision": 2, "outdated": 2}
    web = {"kind": "Deployment", "namespace": "shop", "name": "web", "missing": 0, "other_revision": 2}
    (cause,) = causes({"namespaces": [moved], "workloads": [web]})
    assert "2 of 2 pods in shop" in cause
    assert "Deployment web" in cause


def test_a_namespace_is_out_of_the_mesh_without_injection_and_sidecars() -> None:
    out = {"name": "old", "injection": "none", "injector": "", "pods": 2, "with_sidecar": 0, "without_sidecar": 0}
    assert causes({"namespaces": [SHOP, out]}, outside=["old", "gone"]) == []
    (owed,) = causes({"namespaces": [SHOP, {**out, "with_sidecar": 1}]}, outside=["old"])
    assert has_facts(owed, "1 of 2 pods & old & restart")
    (labelled,) = causes({"namespaces": [SHOP, {**out, "injector": "default"}]}, outside=["old"])
    assert has_facts(labelled, "default injects into old & meshops.istio.site")


def test_what_is_to_be_pruned_is_a_failed_check() -> None:
    change = {"action": "delete", "kind": "ConfigMap", "namespace": "shop", "name": "settings"}
    (cause,) = causes({"parts": {"prune": {"changes": [change]}}})
    assert has_facts(cause, "ConfigMap shop/settings & left over & meshops.istio.site")
    assert causes({"parts": {"prune": {"changes": []}}}) == []
