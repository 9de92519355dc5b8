# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""topology_info: the ways of requests, as data and as a picture."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.mesh_api import Mesh, istio, pod, service
from ansible_collections.meshops.istio.tests.support.modules import Run

WEIGHTED = [
    {"destination": {"host": "reviews", "subset": "v1"}, "weight": 90},
    {"destination": {"host": "reviews", "subset": "v2"}, "weight": 10},
]


@pytest.fixture
def drawn(run_module: Run, mesh: Mesh) -> Any:
    def run(*namespaces: str) -> dict[str, Any]:
        result = run_module("topology_info", host=mesh.url, api_key="swordfish", namespaces=list(namespaces))
        assert not result.get("failed"), result["msg"]
        assert mesh.writes == []
        return result

    return run


def edges(result: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(edge["source"], edge["target"], edge["label"]) for edge in result["edges"]}


def test_from_the_gateway_to_the_workload(mesh: Mesh, drawn: Any) -> None:
    mesh.add(
        istio("Gateway", "front", {"servers": [{"hosts": ["*"], "port": {"number": 80}}]}),
        istio(
            "VirtualService",
            "web",
            {
                "hosts": ["shop.example.com"],
                "gateways": ["front"],
                "http": [{"route": [{"destination": {"host": "web"}}]}],
            },
        ),
    )
    result = drawn("shop")
    assert {
        ("Gateway shop/front", "VirtualService shop/web", "shop.example.com"),
        ("VirtualService shop/web", "Service shop/web", ""),
        ("Service shop/web", "Deployment shop/web", ""),
    } <= edges(result)
    (web,) = (node for node in result["nodes"] if node["id"] == "Deployment shop/web")
    assert web == {"id": web["id"], "kind": "Deployment", "namespace": "shop", "name": "web", "in_mesh": True}


def test_shares_mirrors_and_what_is_outside(mesh: Mesh, drawn: Any) -> None:
    rules = [
        {"route": WEIGHTED, "mirror": {"host": "web"}},
        {"route": [{"destination": {"host": "api.example.com"}}]},
    ]
    mesh.add(istio("VirtualService", "reviews", {"hosts": ["reviews"], "http": rules}))
    assert {
        ("VirtualService shop/reviews", "Service shop/reviews", "v1 90 %"),
        ("VirtualService shop/reviews", "Service shop/reviews", "v2 10 %"),
        ("VirtualService shop/reviews", "Service shop/web", "mirrored"),
        ("VirtualService shop/reviews", "Host api.example.com", ""),
    } <= edges(drawn("shop"))


def test_routes_of_the_gateway_api(mesh: Mesh, drawn: Any) -> None:
    mesh.gateway_api = True
    backends = [{"name": "reviews", "port": 9080, "weight": 3}, {"name": "web", "port": 80, "weight": 1}]
    route = {"parentRefs": [{"name": "front"}], "hostnames": ["a.example.com"], "rules": [{"backendRefs": backends}]}
    mesh.add(istio("HTTPRoute", "shop", route, api_version="gateway.networking.k8s.io/v1"))
    assert {
        ("Gateway shop/front", "HTTPRoute shop/shop", "a.example.com"),
        ("HTTPRoute shop/shop", "Service shop/reviews", "75 %"),
        ("HTTPRoute shop/shop", "Service shop/web", "25 %"),
    } <= edges(drawn("shop"))


def test_what_a_route_leads_to_elsewhere_is_drawn_too(mesh: Mesh, drawn: Any) -> None:
    there = "stock.store.svc.cluster.local"
    mesh.add(
        service("stock", namespace="store"),
        service("hidden", namespace="store"),
        pod("stock", namespace="store", sidecar=False),
        istio("VirtualService", "stock", {"hosts": [there], "http": [{"route": [{"destination": {"host": there}}]}]}),
    )
    result = drawn("shop")
    assert ("Service store/stock", "Deployment store/stock", "") in edges(result)
    assert "Service store/hidden" not in {node["id"] for node in result["nodes"]}
    assert "Service store/hidden" in {node["id"] for node in drawn()["nodes"]}


def test_what_is_misshapen_in_a_route_is_left_out(mesh: Mesh, drawn: Any) -> None:
    good, nameless, number = (
        {"destination": {"host": "web"}},
        {"destination": {"subset": "v1"}},
        {"destination": {"host": 1.5}},
    )
    rules = [None, {"route": [number, nameless, "web", good, {}], "mirror": {"host": None}}, {"route": {"x": 1}}]
    mesh.add(istio("VirtualService", "odd", {"hosts": ["odd", 7], "gateways": [None, "shop/front"], "http": rules}))
    found = drawn("shop")
    assert {edge[1:] for edge in edges(found) if edge[0] == "VirtualService shop/odd"} == {("Service shop/web", "")}
    assert ("Gateway shop/front", "VirtualService shop/odd", "odd") in edges(found)


def test_a_workload_without_a_service_is_drawn_too(mesh: Mesh, drawn: Any) -> None:
    mesh.add(pod("worker"))
    result = drawn("shop")
    assert "Deployment shop/worker" in {node["id"] for node in result["nodes"]}
    assert "Deployment shop/worker" not in {edge["target"] for edge in result["edges"]}


def test_the_picture(mesh: Mesh, drawn: Any) -> None:
    mesh.add(service("alone", namespace="store"), pod("alone", namespace="store", sidecar=False))
    assert drawn("store")["mermaid"] == (
        "flowchart LR\n"
        '  n0["Deployment<br/>store/alone<br/>no sidecar"]\n'
        '  n1["Service<br/>store/alone"]\n'
        "  n1 --> n0\n"
    )
