# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""traffic_policy: what becomes of its options, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.mesh_api import Mesh, istio, pod, service
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.unit.istio.traffic.conftest import Refused, warnings_of

REVIEWS = {"name": "reviews", "destination": "reviews"}
SUBSETS = [{"name": "v1", "labels": {"version": "v1"}}]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"algorithm": "least_request"}, {"loadBalancer": {"simple": "LEAST_REQUEST"}}),
        (
            {"algorithm": "round_robin", "warmup": 60},
            {"loadBalancer": {"simple": "ROUND_ROBIN", "warmup": {"duration": "60s"}}},
        ),
        (
            {"session_affinity": {"cookie": {"name": "session"}}},
            {"loadBalancer": {"consistentHash": {"httpCookie": {"name": "session", "ttl": "86400s"}}}},
        ),
        (
            {"session_affinity": {"cookie": {"name": "session", "ttl": "0s", "path": "/"}}},
            {"loadBalancer": {"consistentHash": {"httpCookie": {"name": "session", "ttl": "0s", "path": "/"}}}},
        ),
        (
            {"session_affinity": {"header": "x-user"}},
            {"loadBalancer": {"consistentHash": {"httpHeaderName": "x-user"}}},
        ),
        ({"session_affinity": {"source_ip": True}}, {"loadBalancer": {"consistentHash": {"useSourceIp": True}}}),
        (
            {"connection_pool": {"max_connections": 1, "max_pending_requests": 0, "connect_timeout": "2s"}},
            {
                "connectionPool": {
                    "tcp": {"maxConnections": 1, "connectTimeout": "2s"},
                    "http": {"http1MaxPendingRequests": 0},
                }
            },
        ),
        (
            {"outlier_detection": {"consecutive_5xx_errors": 3, "interval": 5, "max_ejection_percent": 100}},
            {"outlierDetection": {"consecutive5xxErrors": 3, "interval": "5s", "maxEjectionPercent": 100}},
        ),
        (
            {
                "locality": {"failover": [{"from": "west", "to": "east"}]},
                "outlier_detection": {"consecutive_5xx_errors": 1},
            },
            {
                "loadBalancer": {"localityLbSetting": {"enabled": True, "failover": [{"from": "west", "to": "east"}]}},
                "outlierDetection": {"consecutive5xxErrors": 1},
            },
        ),
        ({"tls": {"mode": "simple", "sni": "x"}}, {"tls": {"mode": "SIMPLE", "sni": "x"}}),
    ],
)
def test_settings(mesh: Mesh, run: Run, given: Any, expected: Any) -> None:
    run("traffic_policy", **REVIEWS, **given)
    assert mesh.spec("DestinationRule", "reviews") == {"host": "reviews", "trafficPolicy": expected}


def test_subsets(mesh: Mesh, run: Run) -> None:
    run("traffic_policy", **REVIEWS, subsets=SUBSETS)
    assert mesh.spec("DestinationRule", "reviews") == {"host": "reviews", "subsets": SUBSETS}


def test_a_rate_limit_is_for_the_pods_of_the_host(mesh: Mesh, run: Run) -> None:
    run("traffic_policy", **REVIEWS, rate_limit={"requests": 10, "interval": "1m", "burst": 20})
    spec = mesh.spec("EnvoyFilter", "reviews-rate-limit")
    assert spec["workloadSelector"] == {"labels": {"app": "reviews"}}
    (patch,) = spec["configPatches"]
    assert (patch["applyTo"], patch["match"]["context"]) == ("HTTP_FILTER", "SIDECAR_INBOUND")
    bucket = {"max_tokens": 20, "tokens_per_fill": 10, "fill_interval": "60s"}
    assert patch["patch"]["value"]["typed_config"]["token_bucket"] == bucket
    assert mesh.live("DestinationRule", "reviews") is None


def test_a_rate_limit_at_a_gateway(mesh: Mesh, run: Run) -> None:
    limit = {"requests": 10, "gateway": True, "selector": {"istio": "ingressgateway"}, "port": 8080}
    run("traffic_policy", name="gate", rate_limit=limit)
    match = mesh.spec("EnvoyFilter", "gate-rate-limit")["configPatches"][0]["match"]
    assert (match["context"], match["listener"]["portNumber"]) == ("GATEWAY", 8080)


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"destination": "reviews"}, "policy & empty"),
        ({"algorithm": "random"}, "set destination"),
        ({"rate_limit": {"requests": 1}}, "rate_limit & set rate_limit.selector & destination"),
        ({"destination": "reviews", "rate_limit": {"requests": 0}}, "rate_limit.requests 0 & 1 or more"),
        (
            {"destination": "reviews", "rate_limit": {"requests": 1, "interval": "10ms"}},
            "rate_limit.interval & 0.05 s or more",
        ),
        (
            {"destination": "reviews", "algorithm": "random", "session_affinity": {"header": "x"}},
            "algorithm & session_affinity & conflict",
        ),
        (
            {"destination": "reviews", "session_affinity": {"header": "x", "source_ip": True}},
            "session_affinity & header & source_ip & conflict",
        ),
        (
            {"destination": "reviews", "locality": {"failover": [{"from": "a", "to": "b"}]}},
            "locality needs outlier_detection",
        ),
        (
            {
                "destination": "reviews",
                "outlier_detection": {"interval": "1s"},
                "locality": {"distribute": [{"from": "a/*", "to": {"a/*": 80, "b/*": 30}}]},
            },
            "locality.distribute[0] & add up to 110 & 100",
        ),
        ({"destination": "reviews", "subsets": SUBSETS * 2}, "subset 'v1' & duplicate"),
        ({"destination": "reviews", "warmup": "long"}, "warmup 'long' & duration"),
    ],
)
def test_options_that_make_no_sense(refused: Refused, options: dict[str, Any], words: str) -> None:
    result = refused("traffic_policy", name="reviews", **options)
    assert has_facts(result["msg"], words)


def test_a_host_that_does_not_exist(refused: Refused) -> None:
    result = refused("traffic_policy", name="reviews", destination="reviewz", algorithm="random")
    assert has_facts(result["msg"], "host reviewz.shop.svc.cluster.local & not found & destination")


def test_a_rate_limit_for_a_service_elsewhere(mesh: Mesh, refused: Refused) -> None:
    mesh.add(service("ratings", namespace="other"))
    options = {"destination": "ratings.other.svc.cluster.local", "rate_limit": {"requests": 1}}
    assert has_facts(refused("traffic_policy", name="r", **options)["msg"], "set namespace to other")


def test_a_second_policy_for_a_host(mesh: Mesh, refused: Refused) -> None:
    policy = {"host": "reviews.shop.svc.cluster.local", "trafficPolicy": {"loadBalancer": {"simple": "RANDOM"}}}
    mesh.add(istio("DestinationRule", "older", policy))
    result = refused("traffic_policy", **REVIEWS, algorithm="random")
    assert result["code"] == "policy_taken"
    assert has_facts(result["msg"], "already exists & DestinationRule shop/older & merge")


def test_subsets_of_a_route_go_together_with_a_policy(mesh: Mesh, run: Run) -> None:
    run("traffic_route", name="reviews", hosts=["reviews"], subsets=SUBSETS, http=[{"to": [{"subset": "v1"}]}])
    assert run("traffic_policy", **REVIEWS, algorithm="random")["changed"]


def test_a_subset_that_a_route_goes_to(mesh: Mesh, run: Run, refused: Refused) -> None:
    run("traffic_policy", **REVIEWS, algorithm="random", subsets=SUBSETS)
    run("traffic_route", name="reviews", hosts=["reviews"], http=[{"to": [{"subset": "v1"}]}])
    mesh.requests.clear()
    assert refused("traffic_policy", **REVIEWS, algorithm="random")["code"] == "subset_in_use"
    assert refused("traffic_policy", name="reviews", state="absent")["code"] == "subset_in_use"


def test_a_limit_where_no_sidecar_enforces_it(mesh: Mesh, run: Run) -> None:
    mesh.add(pod("reviews", sidecar=False))
    result = run("traffic_policy", **REVIEWS, rate_limit={"requests": 1})
    assert "The rate limit has no effect on Deployment shop/reviews" in warnings_of(result)
