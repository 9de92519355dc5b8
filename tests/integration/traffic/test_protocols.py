# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a mesh does for any service, without being told to: found, shared out, watched over, written down."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.integration.traffic.shop import MANAGER, MESH, Shop
from ansible_collections.meshops.istio.tests.integration.traffic.traffic import (
    CLUSTERS,
    Door,
    counts,
    eventually,
    tally,
)
from ansible_collections.meshops.istio.tests.integration.traffic.websocket import echoed
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

HELLO = f"http://hello.{MESH}/hello"


def versions(shop: Shop, url: str = HELLO, count: int = 12) -> dict[str, int]:
    """Which versions answered a client in the mesh, each time over a connection of its own."""
    return tally(shop.ask_from(MESH, url).version for _time in range(count))


def counted(shop: Shop, cluster: str, what: str) -> list[int]:
    """What the client's sidecar has counted for each pod of a service."""
    return counts(shop.execute("app=client", "istio-proxy", *CLUSTERS), f"outbound|{cluster}.", what)


@pytest.mark.step("002.5", "load balancing of HTTP")
def test_http_is_shared_out(shop: Shop, seen: Seen) -> None:
    # A shop that has just opened is not known to all proxies yet.
    eventually(lambda: versions(shop), lambda found: set(found) == {"v1", "v2"})
    found = versions(shop, count=30)
    assert set(found) == {"v1", "v2"}, found
    assert min(found.values()) >= 5, found
    seen(f"{found} of 30", "stand-in for helloworld")


@pytest.fixture
def by_tcp(shop: Shop) -> Iterator[str]:
    """The URL of a Service of which Istio knows no more than that it speaks TCP."""
    metadata = {"name": "hello-by-tcp", "namespace": MESH}
    spec = {"selector": {"app": "hello"}, "ports": [{"name": "tcp", "port": 9000, "targetPort": 5000}]}
    shop.cluster.apply({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}, manager=MANAGER)
    yield f"http://hello-by-tcp.{MESH}:9000/hello"
    shop.cluster.delete(Kind("v1", "Service"), "hello-by-tcp", MESH)


@pytest.mark.step("002.5", "load balancing of TCP")
def test_tcp_is_shared_out(shop: Shop, by_tcp: str, seen: Seen) -> None:
    found = eventually(lambda: versions(shop, by_tcp), lambda found: set(found) == {"v1", "v2"})
    connections = counted(shop, "9000||hello-by-tcp", "cx_total")
    assert (len(connections), min(connections) > 0) == (2, True)
    seen(f"{found} of 12, {' and '.join(map(str, connections))} connections", "stand-in for helloworld")


@pytest.mark.step("002.5", "load balancing of WebSocket, through the gateway")
def test_a_websocket_stays_open(run: Run, gate: Door, seen: Seen) -> None:
    name, texts = "httpbin.test", ["one", "two", "three"]
    run("traffic_route", name="httpbin", hosts=[name], gateways=["gate"], http=[{"to": [{"host": "httpbin"}]}])
    eventually(lambda: gate.ask("/get", name=name).status, lambda status: status == 200)
    status, answers = eventually(
        lambda: echoed(gate, "/websocket/echo", texts, name=name), lambda found: found[1] == texts
    )
    seen(f"{status}, {len(answers)} of {len(texts)} texts back", "stand-in for httpbin")


@pytest.mark.step("002.5", "discovery: a pod that is new is found, and one that goes is forgotten")
def test_pods_are_discovered(shop: Shop, seen: Seen) -> None:
    def instances() -> set[str]:
        return {shop.ask_from(MESH, HELLO).text.rpartition("instance: ")[2].strip() for _time in range(12)}

    before = len(eventually(instances, lambda found: len(found) == 2))
    shop.scale("hello-v1", 2)
    try:
        after = len(eventually(instances, lambda found: len(found) == 3, limit=90))
    finally:
        shop.scale("hello-v1", 1)
    again = len(eventually(instances, lambda found: len(found) == 2, limit=60))
    seen(f"{before}, {after}, {again} pods answer", "stand-in for helloworld")


@pytest.mark.step("002.5", "health checks: the kubelet's pass though only mutual TLS is taken")
def test_health_checks_pass(run: Run, shop: Shop, seen: Seen) -> None:
    run("mtls")
    eventually(lambda: shop.ask_from("traffic-it-plain", HELLO).status, lambda status: status == 0)
    pod = shop.pod("app=httpbin")
    probe = next(one for one in pod["spec"]["containers"] if one["name"] == "httpbin")["readinessProbe"]["httpGet"]
    ready = {one["type"]: one["status"] for one in pod["status"]["conditions"]}["Ready"]
    assert probe["path"] == "/app-health/httpbin/readyz"
    assert ready == "True"
    seen(f"Ready {ready} by {probe['path']} at the sidecar, plain text reset")


@pytest.mark.step("002.5", "logs: each request is in the sidecar's access log")
def test_requests_are_logged(shop: Shop, seen: Seen) -> None:
    url = f"http://httpbin.{MESH}:8000/get?logged"
    assert shop.ask_from(MESH, url).status == 200

    def lines() -> list[str]:
        return [line for line in shop.log_of("app=httpbin") if "/get?logged" in line]

    (line,) = eventually(lines, lambda found: found)
    assert '"GET /get?logged HTTP/1.1" 200' in line
    seen(line[line.index('"GET') :][:60])


@pytest.mark.step("002.5", "metrics: each request counts in the sidecar's statistics")
def test_requests_are_counted(shop: Shop, seen: Seen) -> None:
    def requests() -> int:
        return sum(counted(shop, "8000||httpbin", "rq_total"))

    before = requests()
    for _time in range(5):
        shop.ask_from(MESH, f"http://httpbin.{MESH}:8000/get")
    after = eventually(requests, lambda count: count >= before + 5)
    seen(f"{after - before} more after 5 requests")
