# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Routes, seen in the answers of real requests through the ingress gateway."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.integration.traffic.shop import MESH, Shop
from ansible_collections.meshops.istio.tests.integration.traffic.traffic import Client, Door, eventually, tally
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

COUNT = 300
# Five standard deviations of a binomial distribution: wide enough never to fail by chance.
FIFTH, TENTH = (25, 95), (5, 56)

SUBSETS = [{"name": "v1", "labels": {"version": "v1"}}, {"name": "v2", "labels": {"version": "v2"}}]
TO_V1 = [{"host": "hello", "subset": "v1"}]
TO_V2 = [{"host": "hello", "subset": "v2"}]


def route(run: Run, *http: dict[str, Any], **options: Any) -> dict[str, Any]:
    return run(
        "traffic_route", name="hello", hosts=["hello.test"], gateways=["gate"], subsets=SUBSETS, http=http, **options
    )


def to_httpbin(run: Run, **more: Any) -> None:
    run(
        "traffic_route",
        name="httpbin",
        hosts=["httpbin.test"],
        gateways=["gate"],
        http=[{"to": [{"host": "httpbin"}], **more}],
    )


def versions(gate: Door, count: int = 10) -> dict[str, int]:
    return tally(answer.version for answer in gate.ask_often(count, "/hello"))


@pytest.mark.step("002.5", "percentage rollout 80/20, and fault injection: 10 % aborts")
def test_weights_and_aborts(run: Run, gate: Door, seen: Seen) -> None:
    to = [{**TO_V1[0], "weight": 80}, {**TO_V2[0], "weight": 20}]
    route(run, {"to": to, "fault": {"abort": {"percent": 10, "status": 418}}})
    eventually(lambda: gate.ask("/hello").version, lambda version: version == "v2")
    answers = gate.ask_often(COUNT, "/hello")
    statuses = tally(answer.status for answer in answers)
    found = tally(answer.version for answer in answers if answer.status == 200)
    seen(f"{statuses} {found} of {COUNT}")
    assert set(statuses) == {"200", "418"}
    assert TENTH[0] <= statuses["418"] <= TENTH[1], statuses
    assert FIFTH[0] <= found["v2"] <= FIFTH[1], found


@pytest.mark.step("002.5", "canary by 10, 50, 100 % and back: no request is lost")
def test_from_no_subsets_to_all_requests_at_the_new_one_none_is_lost(run: Run, gate: Door, seen: Seen) -> None:
    plain = {"name": "hello", "hosts": ["hello.test"], "gateways": ["gate"], "http": [{"to": [{"host": "hello"}]}]}
    run("traffic_route", **plain)
    eventually(lambda: gate.ask("/hello").status, lambda status: status == 200)
    with Client(gate, "/hello") as client:
        for share in (10, 50, 100):
            route(run, {"to": [{**TO_V1[0], "weight": 100 - share}, {**TO_V2[0], "weight": share}]})
            time.sleep(1)
        eventually(lambda: versions(gate), lambda found: found == {"v2": 10})
        run("traffic_route", **plain)
        eventually(lambda: versions(gate, 20), lambda found: len(found) == 2)
    seen(str(client.seen))
    assert set(client.seen) == {"200"}, client.seen
    assert client.seen["200"] > 50


@pytest.mark.step("002.5", "A/B testing by header, cookie and user agent")
@pytest.mark.parametrize(
    ("match", "headers"),
    [
        ({"headers": {"end-user": "jason"}}, {"end_user": "jason"}),
        ({"cookies": {"group": "beta"}}, {"cookie": "a=1; group=beta; b=2"}),
        ({"user_agent": {"contains": "Mobile"}}, {"user_agent": "Mozilla/5.0 (iPhone) Mobile/15E148"}),
        ({"user_agent": {"regex": ".*Mobile.*"}}, {"user_agent": "Mobile"}),
    ],
    ids=["header", "cookie", "user agent", "user agent by pattern"],
)
def test_a_match_decides(run: Run, gate: Door, match: Any, headers: dict[str, str], seen: Seen) -> None:
    route(run, {"match": [match], "to": TO_V2}, {"to": TO_V1})
    eventually(lambda: gate.ask("/hello", **headers).version, lambda version: version == "v2")
    assert {gate.ask("/hello", **headers).version for _time in range(10)} == {"v2"}
    assert versions(gate) == {"v1": 10}
    assert gate.ask("/hello", cookie="group=betamax").version == "v1"
    seen(f"{match}: 10 of 10 to v2, all others to v1", "stand-in for helloworld")


@pytest.mark.step("002.5", "mirroring")
def test_a_mirror_gets_each_request_and_answers_none(run: Run, gate: Door, shop: Shop, seen: Seen) -> None:
    route(run, {"to": TO_V1, "mirror": {"host": "hello", "subset": "v2"}})
    eventually(lambda: versions(gate), lambda found: found == {"v1": 10})

    def mirrored() -> int:
        return sum("/hello?mirrored" in line for line in shop.log_of("app=hello,version=v2"))

    answers = gate.ask_often(30, "/hello?mirrored")
    copies = eventually(mirrored, lambda count: count >= 30)
    seen(f"{tally(answer.version for answer in answers)}, {copies} copies")
    assert tally(answer.version for answer in answers) == {"v1": 30}
    assert copies == 30


@pytest.mark.step("002.5", "timeouts: what takes 3 s is cut off after 500 ms")
def test_a_delay_and_a_timeout(run: Run, gate: Door, seen: Seen) -> None:
    to_httpbin(run, timeout="500ms")
    eventually(lambda: gate.ask("/get", name="httpbin.test").status, lambda status: status == 200)
    assert gate.ask("/delay/3", name="httpbin.test").status == 504
    seen("504", "stand-in for httpbin")


@pytest.mark.step("002.5", "retries, seen in the sidecar's access log")
def test_retries_make_up_for_failures(run: Run, gate: Door, shop: Shop, seen: Seen) -> None:
    to_httpbin(run, retries={"attempts": 2, "conditions": ["5xx"]})
    eventually(lambda: gate.ask("/get", name="httpbin.test").status, lambda status: status == 200)
    assert gate.ask("/status/503?retried", name="httpbin.test").status == 503

    def attempts() -> int:
        return sum("/status/503?retried" in line for line in shop.log_of("app=httpbin"))

    assert eventually(attempts, lambda count: count >= 3) == 3
    seen("3 attempts of one request", "stand-in for httpbin")


def test_rewrites_redirects_and_answers(run: Run, gate: Door) -> None:
    run(
        "traffic_route",
        name="httpbin",
        hosts=["httpbin.test"],
        gateways=["gate"],
        http=[
            {"match": [{"path": {"prefix": "/old"}}], "redirect": {"path": "/new", "code": 308}},
            {"match": [{"path": "/teapot"}], "respond": {"status": 418, "body": "short and stout"}},
            {
                "match": [{"path": {"prefix": "/api/"}}],
                "rewrite": {"path": "/"},
                "to": [{"host": "httpbin"}],
                "headers": {"response": {"set": {"x-by": "route"}}},
            },
        ],
    )
    teapot = eventually(lambda: gate.ask("/teapot", name="httpbin.test"), lambda answer: answer.status == 418)
    assert teapot.text == "short and stout"
    moved = gate.ask("/old/page", name="httpbin.test")
    assert (moved.status, moved.headers["location"]) == (308, "http://httpbin.test/new")
    rewritten = gate.ask("/api/get", name="httpbin.test")
    assert (rewritten.status, rewritten.headers["x-by"]) == (200, "route")
    assert gate.ask("/get", name="httpbin.test").status == 404


def test_a_route_within_the_mesh(run: Run, shop: Shop) -> None:
    run("traffic_route", name="hello", hosts=["hello"], subsets=SUBSETS, http=[{"to": [{"subset": "v2"}]}])
    url = f"http://hello.{MESH}/hello"
    eventually(lambda: {shop.ask_from(MESH, url).version for _time in range(4)}, lambda found: found == {"v2"})


def test_what_does_not_exist_is_refused_and_routes_stay(run: Run, gate: Door) -> None:
    route(run, {"to": TO_V1})
    eventually(lambda: versions(gate), lambda found: found == {"v1": 10})
    for http, code in (
        ({"to": [{"host": "hello", "subset": "v3"}]}, "subset_missing"),
        ({"to": [{"host": "goodbye"}]}, "host_missing"),
        ({"to": [{**TO_V1[0], "weight": 80}, {**TO_V2[0], "weight": 30}]}, "weights"),
    ):
        assert route(run, http, fails=True)["code"] == code
    second = {"name": "second", "hosts": ["hello.test"], "gateways": ["gate"], "http": [{"to": TO_V2}]}
    assert run("traffic_route", **second, fails=True)["code"] == "host_taken"
    assert versions(gate) == {"v1": 10}


def test_istios_webhook_has_the_last_word(run: Run, gate: Door) -> None:
    result = route(run, {"to": TO_V1, "fault": {"abort": {"status": 9000}}}, fails=True)
    assert has_facts(result["msg"], f"API server & VirtualService {MESH}/hello: ")
