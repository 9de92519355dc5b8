# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""traffic_route: what becomes of its options, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.mesh_api import Mesh, istio, service
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.unit.istio.traffic.conftest import Refused, warnings_of
from ansible_collections.meshops.istio.tests.unit.istio.traffic.routes.conftest import CANARY, SUBSETS

PLAIN = {"name": "reviews", "hosts": ["reviews"], "http": [{"to": [{"host": "reviews"}]}]}


def http(**route: Any) -> dict[str, Any]:
    """Options of a route to reviews with one HTTP rule."""
    return {"name": "reviews", "hosts": ["reviews"], "http": [{"to": [{}], **route}]}


def built(mesh: Mesh, run: Run, **options: Any) -> dict[str, Any]:
    """The first HTTP rule of the VirtualService that is made."""
    run("traffic_route", **options)
    rule: dict[str, Any] = mesh.spec("VirtualService", options["name"])["http"][0]
    return rule


# --- what is built -------------------------------------------------------------------------------------------------


def test_weights_over_subsets(mesh: Mesh, run: Run) -> None:
    run("traffic_route", **CANARY)
    assert mesh.spec("VirtualService", "reviews") == {
        "hosts": ["reviews"],
        "http": [
            {
                "route": [
                    {"destination": {"host": "reviews", "subset": "v1"}, "weight": 80},
                    {"destination": {"host": "reviews", "subset": "v2"}, "weight": 20},
                ]
            }
        ],
    }
    assert mesh.spec("DestinationRule", "reviews-subsets") == {
        "host": "reviews",
        "subsets": [{"name": "v1", "labels": {"version": "v1"}}, {"name": "v2", "labels": {"version": "2"}}],
    }


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ({"path": {"prefix": "/api"}}, {"uri": {"prefix": "/api"}}),
        ({"path": "/login", "method": "POST"}, {"uri": {"exact": "/login"}, "method": {"exact": "POST"}}),
        ({"headers": {"End-User": "jason"}}, {"headers": {"end-user": {"exact": "jason"}}}),
        ({"headers": {"x-canary": True}}, {"headers": {"x-canary": {"exact": "true"}}}),
        ({"headers": {"x-trace": {"present": True}}}, {"headers": {"x-trace": {}}}),
        ({"user_agent": {"regex": ".*Mobile.*"}}, {"headers": {"user-agent": {"regex": ".*Mobile.*"}}}),
        ({"user_agent": {"contains": "iPad; U"}}, {"headers": {"user-agent": {"regex": r".*iPad;\ U.*"}}}),
        ({"cookies": {"group": "beta"}}, {"headers": {"cookie": {"regex": r"(.*;\s*)?group=(beta)(;.*)?"}}}),
        (
            {"cookies": {"group": {"present": True}}},
            {"headers": {"cookie": {"regex": r"(.*;\s*)?group=([^;]*)(;.*)?"}}},
        ),
        ({"query": {"debug": "1"}}, {"queryParams": {"debug": {"exact": "1"}}}),
        ({"without_headers": {"x": {"prefix": "a"}}}, {"withoutHeaders": {"x": {"prefix": "a"}}}),
        (
            {"source_labels": {"app": "web"}, "source_namespace": "shop", "port": 9080},
            {"sourceLabels": {"app": "web"}, "sourceNamespace": "shop", "port": 9080},
        ),
    ],
)
def test_matches(mesh: Mesh, run: Run, match: Any, expected: Any) -> None:
    assert built(mesh, run, **http(match=[match]))["match"] == [expected]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"fault": {"delay": {"percent": 30, "duration": "3s"}, "abort": {"percent": 0.5, "status": 500}}},
            {
                "fault": {
                    "delay": {"fixedDelay": "3s", "percentage": {"value": 30}},
                    "abort": {"httpStatus": 500, "percentage": {"value": 0.5}},
                }
            },
        ),
        (
            {"retries": {"attempts": 3, "per_try_timeout": "250ms", "conditions": ["5xx", "reset"]}},
            {"retries": {"attempts": 3, "perTryTimeout": "250ms", "retryOn": "5xx,reset"}},
        ),
        ({"retries": {"attempts": 0}}, {"retries": {"attempts": 0}}),
        ({"timeout": 2}, {"timeout": "2s"}),
        ({"timeout": "1m30s"}, {"timeout": "1m30s"}),
        ({"rewrite": {"path": "/v2", "host": "other"}}, {"rewrite": {"uri": "/v2", "authority": "other"}}),
        (
            {"mirror": {"percent": 25}},
            {"mirror": {"host": "reviews"}, "mirrorPercentage": {"value": 25}},
        ),
        (
            {"headers": {"response": {"set": {"x-version": 2}, "remove": ["server"]}}},
            {"headers": {"response": {"set": {"x-version": "2"}, "remove": ["server"]}}},
        ),
        (
            {"cors": {"origins": [{"prefix": "https://"}], "methods": ["GET"], "max_age": "24h", "credentials": False}},
            {
                "corsPolicy": {
                    "allowOrigins": [{"prefix": "https://"}],
                    "allowMethods": ["GET"],
                    "maxAge": "24h",
                    "allowCredentials": False,
                }
            },
        ),
    ],
)
def test_what_is_done_with_requests(mesh: Mesh, run: Run, given: Any, expected: Any) -> None:
    rule = built(mesh, run, **http(**given))
    assert {name: value for name, value in rule.items() if name != "route"} == expected


def test_redirects_and_answers_go_nowhere(mesh: Mesh, run: Run) -> None:
    routes = [
        {"match": [{"path": "/old"}], "redirect": {"path": "/new", "code": 308}},
        {"match": [{"path": "/teapot"}], "respond": {"status": 418, "body": "short and stout"}},
        {"to": [{"host": "reviews"}]},
    ]
    run("traffic_route", **{**PLAIN, "http": routes})
    redirect, answer, _last = mesh.spec("VirtualService", "reviews")["http"]
    assert redirect["redirect"] == {"uri": "/new", "redirectCode": 308}
    assert answer["directResponse"] == {"status": 418, "body": {"string": "short and stout"}}


def test_tls_by_name_and_tcp_by_port(mesh: Mesh, run: Run) -> None:
    run(
        "traffic_route",
        name="vault",
        hosts=["vault.example.com"],
        tls=[{"match": [{"sni_hosts": ["vault.example.com"], "port": 443}], "to": [{"host": "web"}]}],
        tcp=[{"match": [{"port": 5432}], "to": [{"host": "reviews", "port": 9080}]}],
    )
    spec = mesh.spec("VirtualService", "vault")
    assert spec["tls"] == [
        {"match": [{"sniHosts": ["vault.example.com"], "port": 443}], "route": [{"destination": {"host": "web"}}]}
    ]
    assert spec["tcp"][0]["route"] == [{"destination": {"host": "reviews", "port": {"number": 9080}}}]


def test_subsets_of_two_hosts_are_two_rules(mesh: Mesh, run: Run) -> None:
    routes = [
        {"match": [{"path": {"prefix": "/r"}}], "to": [{"host": "reviews", "subset": "v1"}]},
        {"to": [{"host": "web", "subset": "v1"}]},
    ]
    subsets = [{**SUBSETS[0], "host": host} for host in ("reviews", "web")]
    run("traffic_route", name="all", hosts=["shop.example.com"], http=routes, subsets=subsets)
    assert mesh.spec("DestinationRule", "all-subsets-reviews-shop")["host"] == "reviews"
    assert mesh.spec("DestinationRule", "all-subsets-web-shop")["host"] == "web"


def test_a_subset_is_of_the_host_that_is_asked_for_it(mesh: Mesh, run: Run) -> None:
    run("traffic_route", **{**CANARY, "http": [{**CANARY["http"][0], "mirror": {"host": "web"}}]})
    assert mesh.spec("DestinationRule", "reviews-subsets")["host"] == "reviews"


# --- what is refused without a cluster -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        ([80, 30], "http[0] & weights 80 + 30 add up to 110 & 100"),
        ([50], "http[0] & weights 50 add up to 50 & 100"),
        ([120, -20], "http[0] & weight & from 0 to 100"),
        ([80, None], "http[0] & weight is missing"),
    ],
)
def test_weights_that_do_not_add_up(refused: Refused, weights: list[int | None], sentence: str) -> None:
    to = [{"host": "reviews", "weight": weight} for weight in weights]
    assert has_facts(refused("traffic_route", **{**PLAIN, "http": [{"to": to}]})["msg"], sentence)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"http": []}, "at least one of http, tls and tcp"),
        ({"http": [{"match": [{"path": "/"}]}]}, "http[0] & one of to, redirect and respond"),
        ({"http": [{"to": [{}]}, {"to": [{}]}]}, "http[1] is never used & http[0]"),
        ({"http": [{"to": [{}], "timeout": "soon"}]}, "http[0].timeout 'soon' & duration"),
        ({"http": [{"to": [{}], "mirror": {"percent": 120}}]}, "http[0].mirror.percent 120 & percentage"),
        (
            {"http": [{"to": [{}], "fault": {"abort": {"percent": 1}}}]},
            "http[0].fault.abort & one of status and grpc_status",
        ),
        ({"http": [{"to": [{}], "match": [{"path": {"like": "x"}}]}]}, "http[0].match[0].path & text"),
        (
            {"http": [{"to": [{}], "match": [{"headers": {"user-agent": "a"}, "user_agent": "b"}]}]},
            "header user-agent & more than one",
        ),
        ({"http": [{"to": [{}], "match": [{"cookies": {"a": "1", "b": "2"}}]}]}, "cookies & only one cookie"),
        ({"hosts": ["*.example.com"], "http": [{"to": [{}]}]}, "http[0].to[0] & set host"),
        ({"subsets": [SUBSETS[0], SUBSETS[0]]}, "subset 'v1' & duplicate"),
        (
            {"subsets": SUBSETS, "http": [{"to": [{"host": "reviews"}], "mirror": {"host": "web"}}]},
            "subsets[0] & ambiguous & host",
        ),
    ],
)
def test_options_that_make_no_sense(refused: Refused, options: dict[str, Any], words: str) -> None:
    result = refused("traffic_route", **{**PLAIN, **options})
    assert has_facts(result["msg"], words)


# --- what is refused by a look at the cluster ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("destination", "code", "words"),
    [
        ({"host": "reviewz"}, "host_missing", "not found & Service shop/reviewz"),
        ({"host": "reviews.other"}, "host_missing", "not found & reviews.other.svc.cluster.local"),
        ({"host": "api.example.com"}, "host_missing", "not found & ServiceEntry & 'api.example.com'"),
        ({"host": "reviews", "port": 81}, "port_missing", "port 81 & not found & reviews.shop & 9080"),
        ({"host": "reviews", "subset": "v3"}, "subset_missing", "subset 'v3' & not found & DestinationRule"),
    ],
)
def test_destinations_that_do_not_exist(refused: Refused, destination: dict[str, Any], code: str, words: str) -> None:
    result = refused("traffic_route", **{**PLAIN, "http": [{"to": [destination]}]})
    assert (result["code"], has_facts(result["msg"], words)) == (code, True)
    assert "http[0].to[0]" in result["msg"]


def test_a_mirror_that_does_not_exist(refused: Refused) -> None:
    result = refused("traffic_route", **http(mirror={"host": "copy"}))
    assert has_facts(result["msg"], "http[0].mirror & not found & Service shop/copy")


def test_a_service_with_several_ports_needs_one(mesh: Mesh, refused: Refused) -> None:
    mesh.add(service("cart", 80, 9090))
    result = refused("traffic_route", name="cart", hosts=["cart"], http=[{"to": [{}]}])
    assert has_facts(result["msg"], "http[0].to[0] & Service cart.shop & 80, 9090 & set port")


def test_everything_that_is_wrong_is_in_the_details(refused: Refused) -> None:
    to = [{"host": "reviewz", "weight": 50}, {"host": "webb", "weight": 50}]
    result = refused("traffic_route", **{**PLAIN, "http": [{"to": to}]})
    assert len(result["details"]["problems"]) == 2


def test_force_goes_on_with_a_warning(mesh: Mesh, run: Run) -> None:
    result = run("traffic_route", **{**PLAIN, "http": [{"to": [{"host": "later"}]}], "force": True})
    assert result["changed"]
    assert has_facts(warnings_of(result), "not found & Service shop/later")


def test_a_subset_of_another_rule_will_do(mesh: Mesh, run: Run) -> None:
    mesh.add(istio("DestinationRule", "policy", {"host": "reviews.shop.svc.cluster.local", "subsets": SUBSETS}))
    assert run("traffic_route", **http(to=[{"subset": "v2"}]))["changed"]


def test_hosts_of_service_entries_will_do(mesh: Mesh, run: Run) -> None:
    entry = {"hosts": ["*.example.com"], "ports": [{"number": 443, "name": "https", "protocol": "HTTPS"}]}
    mesh.add(istio("ServiceEntry", "outside", entry))
    assert run("traffic_route", **http(to=[{"host": "api.example.com", "port": 443}]))["changed"]


def test_a_service_entry_bound_to_another_namespace_will_not(mesh: Mesh, refused: Refused) -> None:
    entry = {"hosts": ["api.example.com"], "exportTo": ["."], "ports": [{"number": 443}]}
    mesh.add(istio("ServiceEntry", "outside", entry, namespace="elsewhere"))
    assert refused("traffic_route", **http(to=[{"host": "api.example.com"}]))["code"] == "host_missing"


def test_a_second_route_for_a_host(mesh: Mesh, refused: Refused) -> None:
    other = {"hosts": ["reviews.shop.svc.cluster.local"], "http": [{"route": [{"destination": {"host": "reviews"}}]}]}
    mesh.add(istio("VirtualService", "older", other))
    result = refused("traffic_route", **PLAIN)
    assert result["code"] == "host_taken"
    assert has_facts(result["msg"], "host 'reviews.shop' in the mesh & already exists & VirtualService shop/older")


@pytest.mark.parametrize(
    "other",
    [
        {"hosts": ["ratings"]},
        {"hosts": ["reviews.shop.svc.cluster.local"], "gateways": ["shop/gate"]},
        {"hosts": ["reviews.shop.svc.cluster.local"], "exportTo": ["."]},
    ],
    ids=["another host", "at a gateway only", "for another namespace only"],
)
def test_routes_that_do_not_get_in_the_way(mesh: Mesh, run: Run, other: dict[str, Any]) -> None:
    mesh.add(istio("VirtualService", "other", other, namespace="elsewhere"))
    assert run("traffic_route", **{**PLAIN, "export_to": ["."]})["changed"]


GATE = {"selector": {"istio": "ingressgateway"}, "servers": [{"port": {"number": 80}, "hosts": ["*.example.com"]}]}


def test_a_route_at_a_gateway(mesh: Mesh, run: Run) -> None:
    mesh.add(istio("Gateway", "gate", GATE))
    run("traffic_route", **{**PLAIN, "hosts": ["shop.example.com"], "gateways": ["gate"]})
    assert mesh.spec("VirtualService", "reviews")["gateways"] == ["gate"]


def test_a_gateway_that_does_not_exist(mesh: Mesh, refused: Refused) -> None:
    mesh.add(istio("Gateway", "gate", GATE))
    result = refused("traffic_route", **{**PLAIN, "gateways": ["other/gate"]})
    assert has_facts(result["msg"], "Gateway other/gate & not found & shop/gate")


def test_a_host_that_the_gateway_does_not_take(mesh: Mesh, refused: Refused) -> None:
    mesh.add(istio("Gateway", "gate", GATE))
    result = refused("traffic_route", **{**PLAIN, "hosts": ["shop.example.org"], "gateways": ["gate"]})
    assert has_facts(result["msg"], "host 'shop.example.org' & not found & Gateway shop/gate & *.example.com")


def test_a_subset_that_another_route_still_goes_to(mesh: Mesh, run: Run, refused: Refused) -> None:
    run("traffic_route", **CANARY)
    other = {"hosts": ["r.example.com"], "http": [{"route": [{"destination": {"host": "reviews", "subset": "v2"}}]}]}
    mesh.add(istio("VirtualService", "other", other))
    mesh.requests.clear()
    one = {**CANARY, "subsets": SUBSETS[:1], "http": [{"to": [{"subset": "v1"}]}]}
    for options in (one, {"name": "reviews", "state": "absent"}):
        result = refused("traffic_route", **options)
        assert result["code"] == "subset_in_use"
        assert has_facts(result["msg"], "subset 'v2' of reviews.shop & in use & VirtualService shop/other")


def test_a_subset_goes_with_the_route_to_it(mesh: Mesh, run: Run) -> None:
    run("traffic_route", **CANARY)
    run("traffic_route", **{**CANARY, "subsets": SUBSETS[:1], "http": [{"to": [{"subset": "v1"}]}]})
    assert [subset["name"] for subset in mesh.spec("DestinationRule", "reviews-subsets")["subsets"]] == ["v1"]


def test_subsets_of_a_service_elsewhere(mesh: Mesh, refused: Refused) -> None:
    mesh.add(service("ratings", 9080, namespace="other"))
    host = "ratings.other.svc.cluster.local"
    options = {"name": "r", "hosts": [host], "subsets": SUBSETS, "http": [{"to": [{"subset": "v1"}]}]}
    assert has_facts(refused("traffic_route", **options)["msg"], "define them with traffic_policy in namespace other")
