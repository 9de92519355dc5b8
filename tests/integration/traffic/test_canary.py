# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A canary under real traffic, asking how requests are answered, and a stand-in for Prometheus' API on the loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.integration.traffic.shop import MESH
from ansible_collections.meshops.istio.tests.integration.traffic.traffic import Client, Door, eventually, tally
from ansible_collections.meshops.istio.tests.support.lab import Lab
from ansible_collections.meshops.istio.tests.support.modules import Run

SUBSETS = [{"name": "v1", "labels": {"version": "v1"}}, {"name": "v2", "labels": {"version": "v2"}}]


class PrometheusStandIn(ThreadingHTTPServer):
    """Answers each query with the next of `values`, the last one for ever; None is an empty result."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Query)
        self.values: list[float | None] = [0.0]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Query(BaseHTTPRequestHandler):
    server: PrometheusStandIn

    def do_GET(self) -> None:
        values = self.server.values
        value = values.pop(0) if len(values) > 1 else values[0]
        series = [] if value is None else [{"metric": {}, "value": [0, str(value)]}]
        body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": series}}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Nothing."""


@pytest.fixture
def prometheus() -> Iterator[PrometheusStandIn]:
    server = PrometheusStandIn()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def routed(run: Run, gate: Door) -> Door:
    """All requests go to version 1, and version 2 stands beside it with the weight 0."""
    to = [{"host": "hello", "subset": "v1", "weight": 100}, {"host": "hello", "subset": "v2", "weight": 0}]
    run("traffic_route", name="hello", hosts=["hello.test"], gateways=["gate"], subsets=SUBSETS, http=[{"to": to}])
    eventually(lambda: versions(gate), lambda found: found == {"v1": 10})
    return gate


def versions(gate: Door) -> dict[str, int]:
    return tally(answer.version for answer in gate.ask_often(10, "/hello"))


def options(lab: Lab, server: PrometheusStandIn, **more: Any) -> dict[str, Any]:
    query = {"url": server.url, "query": "errors", "max": 0.01}
    wanted = {"name": "hello", "namespace": MESH, "subset": "v2", "steps": [10, 50, 100], "interval": 1}
    return {"kubeconfig": lab.kubeconfig, **wanted, "prometheus": query, **more}


def test_it_gets_to_the_new_version_and_no_request_is_lost(
    run_module: Run, lab: Lab, routed: Door, prometheus: PrometheusStandIn
) -> None:
    wanted = options(lab, prometheus)
    assert run_module("canary", check=True, **wanted)["changed"]
    assert versions(routed) == {"v1": 10}
    with Client(routed, "/hello") as client:
        done = run_module("canary", **wanted)
        eventually(lambda: versions(routed), lambda found: found == {"v2": 10})
    assert (done["changed"], done["weight"], len(done["changes"])) == (True, 100, 4)
    assert set(client.seen) == {"200"}, client.seen
    assert run_module("canary", **wanted)["changes"] == []


@pytest.mark.parametrize(("said", "code"), [(0.5, "gate_failed"), (None, "no_data")])
def test_it_goes_back(
    said: float | None, code: str, run_module: Run, lab: Lab, routed: Door, prometheus: PrometheusStandIn
) -> None:
    prometheus.values = [0.0, said]
    failed = run_module("canary", **options(lab, prometheus))
    assert (failed["failed"], failed["code"], failed["details"]["weight"]) == (True, code, 50)
    eventually(lambda: versions(routed), lambda found: found == {"v1": 10})


def test_answers_are_counted(run_module: Run, lab: Lab, routed: Door, prometheus: PrometheusStandIn) -> None:
    asked = {"url": f"http://{routed.host}:{routed.port}/hello", "host": "hello.test", "count": 20}
    done = run_module("canary", **{**options(lab, prometheus, answers=asked), "prometheus": None, "steps": [50, 100]})
    assert (done["changed"], done["weight"]) == (True, 100)
    failing = {**asked, "url": f"http://{routed.host}:1/hello", "count": 2}
    again = {**options(lab, prometheus, answers=failing), "prometheus": None, "subset": "v1", "steps": [50]}
    failed = run_module("canary", **again)
    assert failed["code"] == "gate_failed"
    eventually(lambda: versions(routed), lambda found: found == {"v2": 10})
