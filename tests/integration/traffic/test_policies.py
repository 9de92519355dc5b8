# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policies: affinity, circuit breaking, ejection and rate limits, seen in the answers of real requests."""

from __future__ import annotations

import pytest
from ansible_collections.meshops.istio.tests.integration.traffic.shop import Shop
from ansible_collections.meshops.istio.tests.integration.traffic.traffic import Door, eventually, tally
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

HTTPBIN = "httpbin.test"


def open_up(run: Run, service: str) -> None:
    """Show a service at the gateway."""
    hosts, to = [f"{service}.test"], [{"host": service}]
    run("traffic_route", name=service, hosts=hosts, gateways=["gate"], http=[{"to": to, "retries": {"attempts": 0}}])


@pytest.mark.step("002.5", "load balancing with session affinity by cookie")
def test_a_session_stays_with_its_pod(run: Run, gate: Door, seen: Seen) -> None:
    open_up(run, "hello")
    affinity = {"cookie": {"name": "session", "ttl": "1h"}}
    run("traffic_policy", name="hello", destination="hello", session_affinity=affinity)
    first = eventually(lambda: gate.ask("/hello"), lambda answer: "set-cookie" in answer.headers)
    cookie = first.headers["set-cookie"].partition(";")[0]
    assert {gate.ask("/hello", cookie=cookie).version for _time in range(20)} == {first.version}
    seen(f"20 of 20 to {first.version}", "stand-in for helloworld")


@pytest.mark.step("002.5", "circuit breaking")
def test_what_is_too_much_is_cut_off(run: Run, gate: Door, seen: Seen) -> None:
    open_up(run, "httpbin")
    pool = {"max_connections": 1, "max_pending_requests": 1, "max_requests_per_connection": 1}
    run("traffic_policy", name="httpbin", destination="httpbin", connection_pool=pool)

    def crowd() -> dict[str, int]:
        answers = gate.ask_often(10, "/delay/0.5", at_once=10, name=HTTPBIN)
        return tally(answer.status for answer in answers)

    found = eventually(crowd, lambda found: set(found) == {"200", "503"})
    seen(str(found))
    assert gate.ask("/get", name=HTTPBIN).status == 200


@pytest.mark.step("002.5", "failure recovery: a pod that fails is ejected, and comes back")
def test_what_fails_is_ejected(run: Run, gate: Door, seen: Seen) -> None:
    open_up(run, "httpbin")
    outliers = {
        "consecutive_5xx_errors": 3,
        "interval": "1s",
        "base_ejection_time": "10s",
        "max_ejection_percent": 100,
    }
    run("traffic_policy", name="httpbin", destination="httpbin", outlier_detection=outliers)

    def after_failures() -> str:
        for _time in range(4):
            gate.ask("/status/500", name=HTTPBIN)
        return gate.ask("/get", name=HTTPBIN).text

    eventually(after_failures, lambda text: "no healthy upstream" in text)
    eventually(lambda: gate.ask("/get", name=HTTPBIN).status, lambda status: status == 200)
    seen("503 no healthy upstream, then 200", "stand-in for httpbin")


@pytest.mark.step("002.5", "failover, and back")
def test_others_step_in_when_the_preferred_pods_are_gone(run: Run, gate: Door, shop: Shop, seen: Seen) -> None:
    open_up(run, "hello")
    prefer = {"failover_priority": ["version=v1"]}
    run("traffic_policy", name="hello", destination="hello", locality=prefer, outlier_detection={"interval": "1s"})

    def versions() -> dict[str, int]:
        return tally(answer.version for answer in gate.ask_often(10, "/hello"))

    eventually(versions, lambda found: found == {"v1": 10})
    shop.scale("hello-v1", 0)
    try:
        eventually(versions, lambda found: found == {"v2": 10})
    finally:
        shop.scale("hello-v1", 1)
    eventually(versions, lambda found: found == {"v1": 10}, limit=60)
    seen("10 of 10 to v1, without it 10 of 10 to v2, then v1 again", "stand-in for helloworld")


@pytest.mark.step("002.5", "rate limiting")
def test_a_rate_is_limited_in_each_pod(run: Run, gate: Door, seen: Seen) -> None:
    open_up(run, "httpbin")
    eventually(lambda: gate.ask("/get", name=HTTPBIN).status, lambda status: status == 200)
    run("traffic_policy", name="httpbin", destination="httpbin", rate_limit={"requests": 10, "interval": "1h"})
    # The limit may come in the midst of a crowd: it counts from then on.
    limited = eventually(lambda: gate.ask("/get", name=HTTPBIN), lambda answer: answer.status == 429)
    assert limited.headers["x-local-rate-limit"] == "true"
    found = tally(answer.status for answer in gate.ask_often(20, "/get", name=HTTPBIN))
    seen(str(found))
    assert found == {"429": 20}
    run("traffic_policy", name="httpbin", state="absent")
    eventually(lambda: gate.ask("/get", name=HTTPBIN).status, lambda status: status == 200)
