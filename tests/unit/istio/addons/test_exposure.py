# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""addons: where their pages are, at the gateway and within, and tracing and access logs of the whole mesh."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.tests.support.mesh_api import Mesh, istio, path_of, secret
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.unit.istio.addons.conftest import SYSTEM, Addons
from ansible_collections.meshops.istio.tests.unit.istio.addons.test_addons import container

HOST = "mesh.example.com"
TELEMETRY = "telemetry.istio.io/v1"


def addressed(mesh: Mesh, address: str = "203.0.113.7") -> None:
    service = mesh.live("Service", "istio-ingressgateway", SYSTEM)
    assert service
    mesh.add({**service, "status": {"loadBalancer": {"ingress": [{"ip": address}]}}})


def routes(mesh: Mesh, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = mesh.spec("VirtualService", name, SYSTEM)["http"]
    return found


# --- pages ---------------------------------------------------------------------------------------------------------


def test_pages_are_told_for_a_port_forward(run: Addons) -> None:
    assert run("prometheus", "kiali", "jaeger")["dashboards"] == {
        "prometheus": {
            "service": "prometheus",
            "namespace": SYSTEM,
            "port": 9090,
            "path": "/",
            "cluster_url": "http://prometheus.istio-system:9090",
            "url": "",
        },
        "kiali": {
            "service": "kiali",
            "namespace": SYSTEM,
            "port": 20001,
            "path": "/kiali",
            "cluster_url": "http://kiali.istio-system:20001/kiali",
            "url": "",
        },
        "jaeger": {
            "service": "tracing",
            "namespace": SYSTEM,
            "port": 80,
            "path": "/jaeger",
            "cluster_url": "http://tracing.istio-system/jaeger",
            "url": "",
        },
    }


def test_all_at_one_host(mesh: Mesh, run: Addons) -> None:
    addressed(mesh)
    result = run("prometheus", "grafana", "kiali", expose=[{"host": HOST}])
    assert {name: page["url"] for name, page in result["dashboards"].items()} == {
        "prometheus": f"http://{HOST}/prometheus",
        "grafana": f"http://{HOST}/grafana",
        "kiali": f"http://{HOST}/kiali",
    }
    (server,) = mesh.spec("Gateway", "addons", SYSTEM)["servers"]
    assert (server["hosts"], server["port"]["number"]) == ([HOST], 80)
    slash, prometheus, grafana, kiali = routes(mesh, "addons-mesh-example-com")
    assert slash["redirect"] == {"uri": "/prometheus/"}
    assert (prometheus["match"], prometheus["rewrite"]) == ([{"uri": {"prefix": "/prometheus/"}}], {"uri": "/"})
    assert kiali["match"] == [{"uri": {"exact": "/kiali"}}, {"uri": {"prefix": "/kiali/"}}]
    assert grafana["route"] == [{"destination": {"host": "grafana", "port": {"number": 3000}}}]


def test_programs_are_told_their_paths(mesh: Mesh, run: Addons) -> None:
    paths = {"prometheus": "/p", "grafana": "/g/", "kiali": "/", "jaeger": "/traces"}
    run(
        *paths, expose=[{"host": f"{name}.example.com", "addons": [name], "path": path} for name, path in paths.items()]
    )
    assert {"--web.external-url=/p/", "--web.route-prefix=/"} <= set(container(mesh, "prometheus")["args"])
    variables = {one["name"]: one["value"] for one in container(mesh, "grafana")["env"]}
    assert variables["GF_SERVER_ROOT_URL"] == "%(protocol)s://%(domain)s:%(http_port)s/g/"
    kiali, jaeger = (mesh.live("ConfigMap", name, SYSTEM) for name in ("kiali", "jaeger"))
    assert kiali
    assert jaeger
    assert yaml.safe_load(kiali["data"]["config.yaml"])["server"]["web_root"] == "/"
    assert container(mesh, "kiali")["readinessProbe"]["httpGet"]["path"] == "/healthz"
    extensions = yaml.safe_load(jaeger["data"]["config.yaml"])["extensions"]
    assert extensions["jaeger_query"]["base_path"] == "/traces"


def test_a_node_port_is_part_of_the_url(mesh: Mesh, run: Addons) -> None:
    service = mesh.live("Service", "istio-ingressgateway", SYSTEM)
    assert service
    service["spec"]["type"] = "NodePort"
    service["spec"]["ports"][0]["nodePort"] = 30080
    address = {"type": "InternalIP", "address": "10.0.0.4"}
    ready = {"conditions": [{"type": "Ready", "status": "True"}], "addresses": [address]}
    mesh.add(service, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "one"}, "status": ready})
    assert run("zipkin", expose=[{}])["dashboards"]["zipkin"]["url"] == "http://10.0.0.4:30080/zipkin"


def test_https_with_a_certificate(mesh: Mesh, run: Addons, refused: Addons) -> None:
    addressed(mesh)
    options: dict[str, Any] = {"expose": [{"host": HOST}], "gateway": {"secret": "mesh"}}
    assert "mesh" in refused("zipkin", **options)["msg"]
    mesh.add(secret("mesh", "tls.crt", "tls.key"))
    assert run("zipkin", **options)["dashboards"]["zipkin"]["url"] == f"https://{HOST}/zipkin"


def test_what_is_exposed_no_more_is_not_reached(mesh: Mesh, run: Addons) -> None:
    run("zipkin", expose=[{}])
    result = run("zipkin")
    gone = {(change["kind"], change["name"]) for change in result["changes"] if change["action"] == "delete"}
    assert gone == {("Gateway", "addons"), ("VirtualService", "addons-any")}


@pytest.mark.parametrize(
    ("expose", "words"),
    [
        ([{"addons": ["kiali"]}], "kiali & not one of the selected addons"),
        ([{"addons": ["zipkin"]}, {"addons": ["zipkin"], "host": HOST}], "zipkin & already exposed"),
        ([{"addons": ["zipkin"], "path": "zipkin"}], "path 'zipkin' & starts with a slash"),
        ([{"path": "/all"}], "path & exactly one addon"),
        (
            [{"addons": ["zipkin"], "path": "/x"}, {"addons": ["prometheus"], "path": "/x"}],
            "zipkin & prometheus & conflict & */x",
        ),
    ],
)
def test_places_that_cannot_be_meant(refused: Addons, expose: list[dict[str, Any]], words: str) -> None:
    assert has_facts(refused("zipkin", "prometheus", "grafana", expose=expose)["msg"], words)


def test_no_gateway_to_expose_at(mesh: Mesh, refused: Addons) -> None:
    result = refused("zipkin", expose=[{}], gateway={"selector": {"istio": "other"}})
    assert result["code"] == "workload_missing"


# --- telemetry -----------------------------------------------------------------------------------------------------


def test_tracing_and_access_logs_for_the_whole_mesh(mesh: Mesh, run: Addons) -> None:
    run("zipkin", tracing="zipkin", tracing_sampling=10, access_logs="envoy")
    assert mesh.spec("Telemetry", "mesh-default", SYSTEM) == {
        "tracing": [{"providers": [{"name": "zipkin"}], "randomSamplingPercentage": 10}],
        "accessLogging": [{"providers": [{"name": "envoy"}]}],
    }
    run("zipkin")
    assert mesh.live("Telemetry", "mesh-default", SYSTEM) is None


def test_an_older_mesh_has_an_older_api(mesh: Mesh, run: Addons) -> None:
    mesh.versions = ("v1alpha1", "v1alpha3", "v1beta1")
    run("zipkin", access_logs="envoy", expose=[{}])
    found = mesh.live("Telemetry", "mesh-default", SYSTEM)
    assert found
    assert found["apiVersion"] == "telemetry.istio.io/v1alpha1"


def test_a_provider_that_the_mesh_does_not_have(refused: Addons) -> None:
    result = refused("jaeger", tracing="jaeger")
    assert result["code"] == "provider_missing"
    facts = "provider 'jaeger' of tracing not found & envoy, prometheus, stackdriver, zipkin & extension_providers"
    assert has_facts(result["msg"], facts)
    expected = "{name: jaeger, opentelemetry: {service: jaeger-collector.istio-system.svc.cluster.local, port: 4317}}"
    assert expected in result["msg"]


def test_in_check_mode_the_provider_may_have_been_planned_only(run: Addons) -> None:
    assert run("jaeger", tracing="jaeger", check=True)["changed"]


COMING = {"gateway_namespaces": [SYSTEM], "providers": ["jaeger"]}
"""What the control plane, planned before, is going to bring."""


def test_in_check_mode_what_is_to_come_may_be_told(mesh: Mesh, run: Addons, refused: Addons) -> None:
    for pod in [one for one in mesh.objects if one["kind"] == "Pod"]:
        mesh.remove(path_of(pod))
    at = {"expose": [{"host": HOST}], "gateway": {"secret": "mesh"}, "assume": COMING, "check": True}
    assert refused("jaeger", tracing="jaegger", **at)["code"] == "provider_missing"
    missing = refused("jaeger", tracing="jaeger", **at)
    assert has_facts(missing["msg"], "Secret istio-system/mesh & not found & create it")
    elsewhere = {**at, "assume": {**COMING, "gateway_namespaces": ["shop", SYSTEM]}}
    mesh.add(secret("mesh", "tls.crt", "tls.key"))
    assert run("jaeger", tracing="jaeger", **at)["changed"]
    assert run("jaeger", tracing="jaeger", **elsewhere)["changed"]
    nothing = refused("jaeger", tracing="jaeger", **{**at, "assume": {"providers": ["jaeger"]}})
    assert nothing["code"] == "workload_missing"


def test_another_telemetry_of_the_whole_mesh(mesh: Mesh, refused: Addons) -> None:
    mesh.add(istio("Telemetry", "ours", {"tracing": []}, SYSTEM, TELEMETRY))
    message = refused("zipkin", tracing="zipkin")["msg"]
    assert has_facts(message, "Telemetry istio-system/ours & already exists & mesh-wide")


@pytest.mark.parametrize("sampling", [-1, 100.5])
def test_sampling_is_a_percentage(refused: Addons, sampling: float) -> None:
    assert "from 0 to 100" in refused("zipkin", tracing="zipkin", tracing_sampling=sampling)["msg"]


def test_before_istio_is_there(mesh: Mesh, run: Addons, refused: Addons) -> None:
    mesh.versions = ()
    assert run("zipkin", access_logs="envoy", expose=[{}], check=True)["changed"]
    assert refused("zipkin", access_logs="envoy")["code"] == "not_installed"


# --- a page at a local port ----------------------------------------------------------------------------------------


def ready(name: str, **status: Any) -> dict[str, Any]:
    metadata = {"name": f"{name}-1", "namespace": SYSTEM, "labels": {"app": name}}
    conditions = [{"type": "Ready", "status": "True"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": []},
        "status": {"conditions": conditions, **status},
    }


def test_a_dashboard_is_where_the_addon_was_told(mesh: Mesh, run: Addons, run_module: Run) -> None:
    run("kiali", "prometheus", expose=[{"addons": ["kiali"], "path": "/graph"}])
    mesh.add(ready("kiali"))
    connection = {"host": mesh.url, "api_key": "swordfish"}
    shown = run_module("dashboard", addon="kiali", check=True, **connection)
    assert shown["url"] == "http://localhost:20001/graph"
    shown = run_module("dashboard", addon="kiali", port=0, duration=0, **connection)
    assert shown["url"].endswith("/graph")
    assert not shown["changed"]


@pytest.mark.parametrize(
    ("addon", "options", "words"),
    [
        ("grafana", {}, "grafana & Service istio-system/grafana & not found & install"),
        ("prometheus", {}, "cannot connect to Service istio-system/prometheus & no ready pod"),
        ("kiali", {"port": 70000}, "cannot listen on port 70000 & localhost"),
    ],
)
def test_a_dashboard_that_cannot_be_shown(
    mesh: Mesh,
    run: Addons,
    run_module: Run,
    addon: str,
    options: dict[str, Any],
    words: str,
) -> None:
    run("kiali", "prometheus")
    mesh.add(ready("kiali"))
    before = len(mesh.writes)
    result = run_module("dashboard", addon=addon, host=mesh.url, api_key="swordfish", **options)
    assert has_facts(result["msg"], words)
    assert len(mesh.writes) == before
