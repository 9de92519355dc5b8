# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module addons against an API server with a mesh, with addons in the shape of a release's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.tests.support.kube import api_server
from ansible_collections.meshops.istio.tests.support.mesh_api import KINDS, Mesh, Object, ingress_gateway, namespace
from ansible_collections.meshops.istio.tests.support.modules import Run, run_module  # noqa: F401 - a fixture
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease
from ansible_collections.meshops.istio.tests.unit.modules.conftest import _no_surroundings  # noqa: F401 - a fixture

SYSTEM = "istio-system"
MESH_CONFIG = {"extensionProviders": [{"name": "zipkin", "zipkin": {"service": "zipkin", "port": 9411}}]}


def obj(kind: str, name: str, api_version: str = "v1", **more: Any) -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": SYSTEM}, **more}


def workload(name: str, *containers: Object, volumes: Any = (), kind: str = "Deployment", **spec: Any) -> Object:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers, "volumes": [*volumes]}}
    return obj(kind, name, "apps/v1", spec={"selector": {"matchLabels": {"app": name}}, "template": template, **spec})


def service(name: str, app: str, port: int, port_name: str = "http") -> Object:
    return obj("Service", name, spec={"ports": [{"name": port_name, "port": port}], "selector": {"app": app}})


def config(name: str, **texts: Any) -> Object:
    return obj("ConfigMap", name, data={key.replace("_", "."): yaml.safe_dump(text) for key, text in texts.items()})


def probe(path: str) -> Object:
    return {"httpGet": {"path": path, "port": 20001}}


ADDONS: dict[str, list[Object]] = {
    "kiali": [
        config("kiali", config_yaml={"auth": {"strategy": "anonymous"}, "server": {"web_root": "/kiali"}}),
        service("kiali", "kiali", 20001),
        workload(
            "kiali", {"name": "kiali", "image": "quay.io/kiali/kiali:v2", "readinessProbe": probe("/kiali/healthz")}
        ),
    ],
    "prometheus": [
        service("prometheus", "prometheus", 9090),
        workload(
            "prometheus",
            {"name": "reload", "image": "ghcr.io/reloader:v1"},
            {"name": "prometheus-server", "image": "prom/prometheus:v3", "args": ["--storage.tsdb.retention.time=15d"]},
            volumes=[{"name": "storage-volume", "emptyDir": {}}],
        ),
    ],
    "grafana": [
        config("grafana", datasources_yaml={"datasources": [{"type": "prometheus", "url": "http://prometheus:9090"}]}),
        service("grafana", "grafana", 3000),
        workload(
            "grafana",
            {
                "name": "grafana",
                "image": "grafana/grafana:12",
                "env": [
                    {"name": "GF_AUTH_ANONYMOUS_ORG_ROLE", "value": "Admin"},
                    {"name": "GF_SECURITY_ADMIN_PASSWORD", "value": "admin"},
                ],
            },
            volumes=[{"name": "storage", "emptyDir": {}}],
        ),
    ],
    "jaeger": [
        config("jaeger", config_yaml={"extensions": {"jaeger_query": {"base_path": "/jaeger"}}}),
        service("tracing", "jaeger", 80),
        workload("jaeger", {"name": "jaeger", "image": "jaegertracing/jaeger:2"}),
    ],
    "extras/zipkin": [
        service("tracing", "zipkin", 80),
        workload("zipkin", {"name": "zipkin", "image": "openzipkin/zipkin:3"}),
    ],
    "extras/prometheus-operator": [obj("PodMonitor", "envoy-stats-monitor", "monitoring.coreos.com/v1", spec={})],
}
OPEN = {"allow_http": True, "allow_anonymous": ["all"]}
Addons = Callable[..., dict[str, Any]]


@pytest.fixture
def mesh(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mesh]:
    """A mesh with an ingress gateway and the provider zipkin."""
    for kind, resource in KINDS.items():
        monkeypatch.setitem(api_server.KINDS, f"{kind.api_version}/{resource.plural}", kind.kind)
    server = Mesh()
    with server:
        server.add(namespace(SYSTEM), *ingress_gateway(), config("istio", mesh=MESH_CONFIG))
        yield server


@pytest.fixture
def release(tmp_path: Path) -> MadeRelease:
    """A release with ADDONS."""
    made = MadeRelease(tmp_path / "istio-1.29.1")
    made.write("manifest.yaml", "version: 1.29.1\n")
    for name, objects in ADDONS.items():
        made.write(f"samples/addons/{name}.yaml", yaml.safe_dump_all(objects))
    return made


@pytest.fixture
def run(run_module: Run, mesh: Mesh, release: MadeRelease) -> Addons:  # noqa: F811
    """Run the module, which does not wait: nothing here becomes ready."""

    def run(*addons: str, **options: Any) -> dict[str, Any]:
        given = {
            "addons": list(addons),
            "version": "1.29.1",
            "source": [str(release.root)],
            "wait": False,
            **OPEN,
            **options,
        }
        result = run_module("addons", host=mesh.url, api_key="swordfish", **given)
        assert not result.get("failed"), result["msg"]
        return result

    return run


@pytest.fixture
def refused(run_module: Run, mesh: Mesh, release: MadeRelease) -> Addons:  # noqa: F811
    """Run the module, which has to fail with one sentence, without a write."""

    def run(*addons: str, **options: Any) -> dict[str, Any]:
        given = {
            "addons": list(addons),
            "version": "1.29.1",
            "source": [str(release.root)],
            "wait": False,
            **OPEN,
            **options,
        }
        before = len(mesh.writes)
        result = run_module("addons", host=mesh.url, api_key="swordfish", **given)
        assert result.get("failed"), result
        assert len(mesh.writes) == before
        assert result["msg"].endswith(".")
        assert "\n" not in result["msg"]
        return result

    return run
