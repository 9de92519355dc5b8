# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The release's own addons on the lab: Prometheus is a real one there, the others are stand-ins, which say so."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind
from ansible_collections.meshops.istio.tests.integration.modules.monitors import CRD, MONITORS, definition
from ansible_collections.meshops.istio.tests.support.lab import Lab
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run

ZIPKIN = {"name": "zipkin", "zipkin": {"service": "zipkin.istio-system.svc.cluster.local", "port": 9411}}

pytestmark = pytest.mark.usefixtures("in_mesh")


def eventually(ask: Callable[[], Any], holds: Callable[[Any], bool], limit: float = 90) -> Any:
    """What `ask` says once it holds, which has to be within `limit` seconds."""
    ends, answer = time.monotonic() + limit, None
    while time.monotonic() < ends:
        try:
            answer = ask()
            if holds(answer):
                return answer
        except (OSError, ValueError) as error:
            answer = error
        time.sleep(1)
    pytest.fail(f"within {limit:g} s this was never as it should be: {answer}")


def get(url: str) -> tuple[str, str]:
    """What a URL answers with, after redirects, and whom the answer is from: a stand-in, or nobody."""
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.read().decode(), response.headers.get("x-stand-in", "")


def query(prometheus: str, text: str) -> list[dict[str, Any]]:
    """What Prometheus answers to a query."""
    answer = json.loads(get(f"{prometheus}/api/v1/query?query={urllib.parse.quote(text)}")[0])
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found


OPEN: dict[str, Any] = {"expose": [{}], "allow_http": True, "allow_anonymous": ["all"]}


@pytest.fixture
def options(lab: Lab) -> dict[str, Any]:
    return {**lab.release, **OPEN}


@pytest.fixture(autouse=True)
def _removed(run: Run) -> Iterator[None]:
    yield
    run("addons", state="absent")


@pytest.fixture
def hello(run: Run, lab: Lab, namespace: str) -> str:
    """helloworld in the mesh; returns its namespace."""
    run("injection", namespaces=[namespace])
    run("application", name="hello", namespace=namespace, sample="helloworld", **lab.release)
    return namespace


def test_all_of_them_come_stay_and_go(run: Run, idle: Run, foretold: Run, options: dict[str, Any]) -> None:
    every = {**options, "addons": ["all"], "storage": {"prometheus": "1Gi"}}
    pages = foretold("addons", **every)["dashboards"]
    assert sorted(pages) == ["grafana", "jaeger", "kiali", "prometheus"]
    for name in ("grafana", "jaeger", "kiali"):
        assert eventually(partial(get, pages[name]["url"]), bool)[1] == name
    dashboards = json.loads(get(f"{pages['grafana']['url']}/api/search")[0])
    assert "Istio Mesh Dashboard" in {one["title"] for one in dashboards}
    idle("addons", **every)
    gone = run("addons", **{**every, "addons": ["prometheus", "kiali", "loki"]})
    assert {change["name"] for change in gone["changes"] if change["kind"] == "Deployment"} == {"grafana", "jaeger"}
    left = run("addons", state="absent")["changes"]
    assert {"StatefulSet", "Gateway", "VirtualService", "ClusterRole"} <= {change["kind"] for change in left}
    idle("addons", state="absent")


def test_prometheus_finds_the_proxies_up(run: Run, options: dict[str, Any], hello: str) -> None:
    page = run("addons", addons=["prometheus"], **options)["dashboards"]["prometheus"]

    def up() -> set[str]:
        found = query(page["url"], 'envoy_server_live{job="kubernetes-pods"} == 1')
        return {
            one["metric"]["pod"].rsplit("-", 2)[0]
            for one in found
            if one["metric"]["namespace"] in (hello, "istio-system")
        }

    eventually(up, lambda seen: {"helloworld-v1", "helloworld-v2", "istio-ingressgateway"} <= seen, limit=120)


def test_an_argument_and_a_size_are_changed_in_place(run: Run, cluster: Cluster, options: dict[str, Any]) -> None:
    run("addons", addons=["prometheus"], **options)
    changed = run("addons", addons=["prometheus"], retention={"prometheus": "1h"}, **options)
    assert [change["kind"] for change in changed["changes"]] == ["Deployment"]
    flags = eventually(
        lambda: json.loads(get(f"{changed['dashboards']['prometheus']['url']}/api/v1/status/flags")[0])["data"],
        lambda found: found["storage.tsdb.retention.time"] == "1h",
    )
    assert flags["web.route-prefix"] == "/"


def test_traces_and_access_logs_by_the_telemetry_api(
    run: Run, refused: Run, cluster: Cluster, mesh: dict[str, Any], options: dict[str, Any], hello: str
) -> None:
    wanted = {**options, "addons": ["zipkin"], "tracing": "zipkin", "tracing_sampling": 100, "access_logs": "envoy"}
    run("control_plane", **mesh)
    assert refused("addons", **wanted)["code"] == "provider_missing"
    run("control_plane", **mesh, extension_providers=[ZIPKIN])
    try:
        page = run("addons", **wanted)["dashboards"]["zipkin"]["url"]
        host = page.removesuffix("/zipkin")

        def traced() -> list[str]:
            get(f"{host}/hello")
            services: list[str] = json.loads(get(f"{page}/api/v2/services")[0])
            return services

        eventually(traced, lambda seen: any(name.startswith("helloworld") for name in seen))
        (pod, *_more) = cluster.list(Kind("v1", "Pod"), hello, label_selector="app=helloworld,version=v1")
        path = f"/api/v1/namespaces/{hello}/pods/{pod['metadata']['name']}/log"
        log = {"container": "istio-proxy", "tailLines": "50"}
        eventually(
            lambda: (get(f"{host}/hello"), cluster.raw("GET", path, query=log, accept="*/*"))[1],
            lambda text: '"GET /hello' in text,
        )
    finally:
        run("addons", state="absent")
        run("control_plane", **mesh)


def test_zipkin_takes_jaeger_s_place(run: Run, idle: Run, gone: Callable[[Key], None], options: dict[str, Any]) -> None:
    run("addons", addons=["jaeger"], **options)
    page = run("addons", addons=["zipkin"], **options)["dashboards"]["zipkin"]["url"]
    gone(Key("apps/v1", "Deployment", "istio-system", "jaeger"))
    eventually(lambda: get(f"{page}/")[1], lambda standing_in: standing_in == "zipkin-slim")
    idle("addons", addons=["zipkin"], **options)


def test_the_monitors_need_their_operator(
    run: Run, refused: Run, cluster: Cluster, lab: Lab, namespace: str, gone: Callable[[Key], None]
) -> None:
    monitors: dict[str, Any] = {**lab.release, "addons": ["prometheus-operator"]}
    assert has_facts(refused("addons", **monitors)["msg"], "not found & install the Prometheus operator or its CRDs")
    run("application", name="monitors", namespace=namespace, definition=[definition(kind) for kind in MONITORS])
    try:
        made = run("addons", **monitors)["changes"]
        assert {(one["kind"], one["name"]) for one in made} == {
            ("PodMonitor", "envoy-stats-monitor"),
            ("ServiceMonitor", "istio-component-monitor"),
        }
        run("addons", state="absent")
    finally:
        run("application", name="monitors", namespace=namespace, state="absent")
        for kind in MONITORS:
            gone(Key(*CRD, "", definition(kind)["metadata"]["name"]))


@pytest.mark.parametrize(
    ("addons", "settings", "code"),
    [
        (["jaeger", "zipkin"], {}, "addons_exclude_each_other"),
        (["jaeger", "skywalking"], {}, "addons_exclude_each_other"),
        (["zipkin", "skywalking"], {}, "addons_exclude_each_other"),
        (["kiali", "mixer"], {}, "unknown_addon"),
        (["zipkin"], {"tracing": "nobody"}, "provider_missing"),
        (["zipkin"], {"expose": [{}]}, "open_dashboards"),
        (["zipkin"], {**OPEN, "gateway": {"selector": {"istio": "nobody"}}}, "workload_missing"),
        (["zipkin"], {**OPEN, "gateway": {"secret": "nobody"}}, "secret_missing"),
    ],
)
def test_what_cannot_work_is_refused(
    refused: Run, lab: Lab, addons: list[str], settings: dict[str, Any], code: str
) -> None:
    assert refused("addons", addons=addons, **lab.release, **settings)["code"] == code


def test_a_dashboard_is_at_a_local_port_for_a_while(run: Run, lab: Lab, options: dict[str, Any]) -> None:
    assert has_facts(run("dashboard", addon="zipkin", fails=True)["msg"], "zipkin & not found & install the addon")
    run("addons", addons=["zipkin"], **lab.release)
    shown = run("dashboard", addon="zipkin", port=0, duration=1)
    assert shown["url"].startswith("http://localhost:")
    assert shown["url"].endswith("/zipkin")
