# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""gateway and traffic_route with `api: kubernetes`: what they say in the words of the Gateway API, and cannot say."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.mesh_api import Mesh, istio, secret, service
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.unit.istio.traffic.conftest import Refused

GROUP = "gateway.networking.k8s.io"
GATEWAY, ROUTE = f"{GROUP}/Gateway", f"{GROUP}/HTTPRoute"
CLASS = {"apiVersion": f"{GROUP}/v1", "kind": "GatewayClass", "metadata": {"name": "istio"}, "spec": {}}
HTTPS = {"port": 443, "protocol": "https", "hosts": ["shop.example.com"], "tls": {"secret": "shop"}}
PROGRAMMED = {"type": "Programmed", "status": "True", "reason": "Programmed", "message": ""}


def gateway(*hostnames: str) -> dict[str, Any]:
    """A Gateway of somebody else."""
    listeners = [{"name": f"l{number}", "port": 80, "hostname": name} for number, name in enumerate(hostnames)]
    return istio("Gateway", "gate", {"listeners": listeners}, api_version=f"{GROUP}/v1")


@pytest.fixture(autouse=True)
def _gateway_api(mesh: Mesh) -> None:
    mesh.gateway_api = True
    mesh.add(CLASS)


@pytest.fixture
def open_gateway(run: Run) -> Run:
    """Open a gateway without waiting for its workload."""
    return lambda **options: run("gateway", api="kubernetes", name="gate", wait=False, **options)


@pytest.fixture
def routed(mesh: Mesh, run: Run) -> Any:
    """The rule of the route that is made of one."""

    def route(**rule: Any) -> Any:
        options = {"api": "kubernetes", "name": "reviews", "hosts": ["reviews"], "http": [{"to": [{}], **rule}]}
        run("traffic_route", **options)
        return mesh.spec(ROUTE, "reviews")["rules"][0]

    return route


# --- gateways ------------------------------------------------------------------------------------------------------


def test_a_listener_for_each_host(mesh: Mesh, open_gateway: Run) -> None:
    open_gateway(servers=[{"port": 80, "hosts": ["a.example.com", "shop/b.example.com", "other/c.example.com"]}])
    spec = mesh.spec(GATEWAY, "gate")
    assert spec["gatewayClassName"] == "istio"
    named = [(one["name"], one["hostname"], one["port"], one["protocol"]) for one in spec["listeners"]]
    assert named == [
        ("http-80-1", "a.example.com", 80, "HTTP"),
        ("http-80-2", "b.example.com", 80, "HTTP"),
        ("http-80-3", "c.example.com", 80, "HTTP"),
    ]
    assert [one["allowedRoutes"]["namespaces"] for one in spec["listeners"]] == [
        {"from": "All"},
        {"from": "Same"},
        {"from": "Selector", "selector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}}},
    ]


def test_every_host(mesh: Mesh, open_gateway: Run) -> None:
    open_gateway(servers=[{"port": 80}], service_type="NodePort")
    (listener,) = mesh.spec(GATEWAY, "gate")["listeners"]
    assert "hostname" not in listener
    made = mesh.live(GATEWAY, "gate")
    assert made is not None
    assert made["metadata"]["annotations"] == {"networking.istio.io/service-type": "NodePort"}


@pytest.mark.parametrize(
    ("tls", "expected"),
    [
        ({"secret": "shop"}, {"mode": "Terminate", "certificateRefs": [{"name": "shop"}]}),
        (
            {"secret": "shop", "mode": "mutual"},
            {
                "mode": "Terminate",
                "certificateRefs": [{"name": "shop"}],
                "options": {"gateway.istio.io/tls-terminate-mode": "MUTUAL"},
            },
        ),
        ({"mode": "passthrough"}, {"mode": "Passthrough"}),
    ],
)
def test_tls(mesh: Mesh, open_gateway: Run, tls: dict[str, Any], expected: Any) -> None:
    mesh.add(secret("shop", "tls.crt", "tls.key", "ca.crt", namespace="shop"))
    protocol = "tls" if tls.get("mode") == "passthrough" else "https"
    open_gateway(servers=[{"port": 443, "protocol": protocol, "tls": tls}])
    assert mesh.spec(GATEWAY, "gate")["listeners"][0]["tls"] == expected


def test_redirects_are_a_route(mesh: Mesh, open_gateway: Run, run: Run) -> None:
    open_gateway(servers=[{"port": 80, "https_redirect": True}])
    assert mesh.spec(ROUTE, "gate-https-redirect") == {
        "parentRefs": [{"name": "gate", "sectionName": "http-80"}],
        "rules": [
            {"filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}]}
        ],
    }
    run("gateway", name="gate", state="absent")
    assert mesh.live(ROUTE, "gate-https-redirect") is None


def test_a_gateway_is_awaited(mesh: Mesh, run: Run) -> None:
    ready = gateway("*")
    ready["status"] = {"conditions": [PROGRAMMED]}
    mesh.add(ready)
    assert run("gateway", api="kubernetes", name="gate", servers=[{"port": 80}], wait_timeout=5)["changed"]


def test_from_one_api_to_the_other(mesh: Mesh, open_gateway: Run, run: Run) -> None:
    open_gateway(servers=[{"port": 80}])
    run("gateway", name="gate", servers=[{"port": 80}], force=True)
    assert mesh.live(GATEWAY, "gate") is None
    assert mesh.live("networking.istio.io/Gateway", "gate") is not None


def test_a_cluster_without_the_gateway_api(mesh: Mesh, refused: Refused) -> None:
    mesh.gateway_api = False
    result = refused("gateway", api="kubernetes", name="gate", servers=[{"port": 80}])
    assert has_facts(result["msg"], "not found & install the Gateway API first (meshops.istio.gateway_api)")


def test_a_class_that_nobody_serves(refused: Refused) -> None:
    result = refused("gateway", api="kubernetes", name="gate", servers=[{"port": 80}], gateway_class="nginx")
    assert has_facts(result["msg"], "GatewayClass nginx & not found & the cluster has istio")


def test_the_secret_belongs_into_the_gateways_own_namespace(mesh: Mesh, refused: Refused) -> None:
    mesh.add(secret("shop", "tls.crt", "tls.key"))
    result = refused("gateway", api="kubernetes", name="gate", servers=[HTTPS])
    assert has_facts(result["msg"], "Secret shop/shop & not found & but in namespace istio-system")


def test_what_the_gateway_api_does_not_know(refused: Refused) -> None:
    tls = {"secret": "shop", "min_version": "1.3"}
    result = refused("gateway", api="kubernetes", name="gate", servers=[{**HTTPS, "tls": tls}])
    assert has_facts(result["msg"], "servers[0].tls.min_version & not supported & Gateway API & set api to istio")


# --- routes --------------------------------------------------------------------------------------------------------


def test_within_the_mesh_a_route_is_for_services(mesh: Mesh, routed: Any) -> None:
    routed()
    assert mesh.spec(ROUTE, "reviews") == {
        "parentRefs": [{"group": "", "kind": "Service", "name": "reviews"}],
        "rules": [{"backendRefs": [{"name": "reviews", "port": 9080}]}],
    }


def test_at_a_gateway_a_route_is_for_hosts(mesh: Mesh, run: Run) -> None:
    mesh.add(gateway("*.example.com"))
    to = [{"host": "reviews", "weight": 90}, {"host": "web", "weight": 10}]
    hosts = ["shop.example.com"]
    run("traffic_route", api="kubernetes", name="shop", hosts=hosts, gateways=["gate"], http=[{"to": to}])
    assert mesh.spec(ROUTE, "shop") == {
        "parentRefs": [{"name": "gate"}],
        "hostnames": ["shop.example.com"],
        "rules": [
            {
                "backendRefs": [
                    {"name": "reviews", "port": 9080, "weight": 90},
                    {"name": "web", "port": 80, "weight": 10},
                ]
            }
        ],
    }


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ({"path": {"prefix": "/api"}}, {"path": {"type": "PathPrefix", "value": "/api"}}),
        ({"path": "/x", "method": "GET"}, {"path": {"type": "Exact", "value": "/x"}, "method": "GET"}),
        ({"headers": {"a": "b"}}, {"headers": [{"type": "Exact", "name": "a", "value": "b"}]}),
        (
            {"headers": {"a": {"present": True}}},
            {"headers": [{"type": "RegularExpression", "name": "a", "value": ".*"}]},
        ),
        (
            {"user_agent": {"prefix": "curl/"}},
            {"headers": [{"type": "RegularExpression", "name": "user-agent", "value": "curl/.*"}]},
        ),
        ({"query": {"debug": 1}}, {"queryParams": [{"type": "Exact", "name": "debug", "value": "1"}]}),
    ],
)
def test_matches(routed: Any, match: Any, expected: Any) -> None:
    assert routed(match=[match])["matches"] == [expected]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            {"rewrite": {"path": "/v2"}},
            {"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/v2"}}},
        ),
        (
            {"match": [{"path": {"prefix": "/api"}}], "rewrite": {"path": "/", "host": "other"}},
            {
                "type": "URLRewrite",
                "urlRewrite": {
                    "hostname": "other",
                    "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"},
                },
            },
        ),
        (
            {"mirror": {"host": "web", "percent": 12.5}},
            {
                "type": "RequestMirror",
                "requestMirror": {
                    "backendRef": {"name": "web", "port": 80},
                    "fraction": {"numerator": 12500, "denominator": 100000},
                },
            },
        ),
        (
            {"headers": {"request": {"set": {"x": "1"}, "remove": ["y"]}}},
            {
                "type": "RequestHeaderModifier",
                "requestHeaderModifier": {"set": [{"name": "x", "value": "1"}], "remove": ["y"]},
            },
        ),
    ],
)
def test_what_is_done_with_requests(routed: Any, rule: Any, expected: Any) -> None:
    assert routed(**rule)["filters"] == [expected]


def test_a_timeout(routed: Any) -> None:
    assert routed(timeout="1.5s")["timeouts"] == {"request": "1500ms"}


def test_a_redirect(mesh: Mesh, run: Run) -> None:
    http = [{"redirect": {"host": "new.example.com", "code": 302}}]
    run("traffic_route", api="kubernetes", name="reviews", hosts=["reviews"], http=http)
    (rule,) = mesh.spec(ROUTE, "reviews")["rules"]
    redirect = {"hostname": "new.example.com", "statusCode": 302}
    assert rule == {"filters": [{"type": "RequestRedirect", "requestRedirect": redirect}]}


SUBSETS = [{"name": "v1", "labels": {"version": "v1"}}]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"http": [{"to": [{}], "fault": {"abort": {"status": 500}}}]}, "http[0].fault is not supported"),
        ({"http": [{"to": [{}], "retries": {"attempts": 1}}]}, "http[0].retries is not supported"),
        ({"http": [{"respond": {"status": 200}}]}, "http[0].respond is not supported"),
        (
            {"http": [{"to": [{}], "match": [{"source_labels": {"app": "web"}}]}]},
            "http[0].match[0].source_labels is not supported",
        ),
        ({"tcp": [{"to": [{}]}]}, "tcp is not supported"),
        ({"export_to": ["."], "http": [{"to": [{}]}]}, "export_to is not supported"),
        ({"subsets": SUBSETS, "http": [{"to": [{"subset": "v1"}]}]}, "subsets are not supported"),
        ({"http": [{"to": [{"subset": "v1"}]}]}, "http[0].to[0].subset & not supported"),
        ({"http": [{"to": [{"host": "example.com"}]}]}, "must be a Service & 'example.com'"),
        ({"gateways": ["gate", "mesh"], "http": [{"to": [{}]}]}, "create two routes"),
        ({"hosts": ["example.com"], "http": [{"to": [{"host": "web"}]}]}, "must be a Service & 'example.com'"),
        ({"http": [{"to": [{"weight": 30}]}]}, "add up to 30 & 100"),
    ],
)
def test_what_the_gateway_api_has_no_words_for(refused: Refused, options: dict[str, Any], words: str) -> None:
    given = {"api": "kubernetes", "name": "reviews", "hosts": ["reviews"], **options}
    assert has_facts(refused("traffic_route", **given)["msg"], words)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"hosts": ["a.example.com"], "gateways": ["nowhere"]}, "gateway_missing"),
        ({"hosts": ["a.example.org"], "gateways": ["gate"]}, "host_not_in_gateway"),
        ({"hosts": ["reviews"], "http": [{"to": [{"host": "reviewz", "port": 80}]}]}, "host_missing"),
        ({"hosts": ["reviews"], "http": [{"to": [{"host": "reviews", "port": 81}]}]}, "port_missing"),
        ({"hosts": ["reviews"], "http": [{"to": [{"host": "web.other.svc.cluster.local"}]}]}, "grant_missing"),
    ],
)
def test_what_does_not_exist(mesh: Mesh, refused: Refused, options: dict[str, Any], code: str) -> None:
    mesh.add(gateway("*.example.com"), service("web", namespace="other"))
    given = {"api": "kubernetes", "name": "reviews", "http": [{"to": [{"host": "reviews"}]}], **options}
    assert refused("traffic_route", **given)["code"] == code


def test_a_service_elsewhere_that_may_be_used(mesh: Mesh, run: Run) -> None:
    mesh.add(service("web", namespace="other"))
    spec = {
        "from": [{"group": GROUP, "kind": "HTTPRoute", "namespace": "shop"}],
        "to": [{"group": "", "kind": "Service", "name": "web"}],
    }
    mesh.add(istio("ReferenceGrant", "shop", spec, namespace="other", api_version=f"{GROUP}/v1beta1"))
    http = [{"to": [{"host": "web.other.svc.cluster.local"}]}]
    run("traffic_route", api="kubernetes", name="reviews", hosts=["reviews"], http=http)
    (backend,) = mesh.spec(ROUTE, "reviews")["rules"][0]["backendRefs"]
    assert backend == {"name": "web", "namespace": "other", "port": 80}
