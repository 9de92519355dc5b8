# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OpenShift: its profile is taken by itself, hosts get Routes, namespaces an SCC, and projects are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.configuration import Options
from ansible_collections.meshops.istio.plugins.module_utils.istio.platforms.detection import OPENSHIFT
from ansible_collections.meshops.istio.plugins.module_utils.istio.platforms.openshift import (
    PROJECT,
    PROJECT_REQUEST,
    ROUTE,
    with_platform,
)
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.builtin_kinds import Resource
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support import mesh_api as meshes
from ansible_collections.meshops.istio.tests.support.kube import api_server
from ansible_collections.meshops.istio.tests.support.kube.api_server import Request, status
from ansible_collections.meshops.istio.tests.support.memory_cluster import MemoryCluster, make
from ansible_collections.meshops.istio.tests.support.mesh_api import Mesh, istio
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run, run_module  # noqa: F401 - a fixture
from ansible_collections.meshops.istio.tests.unit.modules.conftest import _no_surroundings  # noqa: F401 - a fixture

Object = dict[str, Any]

KINDS = {
    OPENSHIFT: Resource("clusterversions", False),
    ROUTE: Resource("routes", True),
    PROJECT: Resource("projects", False),
    PROJECT_REQUEST: Resource("projectrequests", False),
}
BINDING = Kind("rbac.authorization.k8s.io/v1", "RoleBinding")
HTTP = {"number": 80, "name": "http", "protocol": "HTTP"}
HTTPS = {"number": 443, "name": "https", "protocol": "HTTPS"}
SECRET = {"mode": "SIMPLE", "credentialName": "shop"}


class OpenShiftServer(Mesh):
    """One that makes a project of a request, if it makes any, when the request has been answered."""

    makes_projects = True

    def answer(self, request: Request) -> tuple[int, Any]:
        status, body = super().answer(request)
        if request.writes and request.path.endswith("/projectrequests") and self.makes_projects:
            self.add({"apiVersion": PROJECT.api_version, "kind": PROJECT.kind, "metadata": request.body["metadata"]})
        return status, body


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenShiftServer]:
    """An OpenShift with a gateway."""
    for kind, resource in KINDS.items():
        monkeypatch.setitem(meshes.KINDS, kind, resource)
    for kind, resource in {**meshes.KINDS, BINDING: Resource("rolebindings", True)}.items():
        monkeypatch.setitem(api_server.KINDS, f"{kind.api_version}/{resource.plural}", kind.kind)
    server = OpenShiftServer()
    with server:
        ports = [{"name": "http2", "port": 80}, {"name": "https", "port": 443}]
        selector = {"app": "istio-ingressgateway", "istio": "ingressgateway"}
        spec = {"selector": selector, "ports": ports}
        service = make("Service", "istio-ingressgateway", "istio-system", spec=spec)
        server.add(service, meshes.namespace("istio-system"), meshes.namespace("shop"))
        server.add({"apiVersion": PROJECT.api_version, "kind": PROJECT.kind, "metadata": {"name": "shop"}})
        yield server


@pytest.fixture
def run(run_module: Run, cluster: Mesh) -> Run:  # noqa: F811
    """Runs the module."""

    def run(**options: Any) -> dict[str, Any]:
        result = run_module("openshift", host=cluster.url, api_key="swordfish", **options)
        assert not result.get("failed"), result["msg"]
        return result

    return run


def gateway(*servers: Object, name: str = "shop", of: str = "ingressgateway") -> Object:
    return istio("Gateway", name, {"selector": {"istio": of}, "servers": list(servers)})


def routes(cluster: Mesh) -> dict[str, Object]:
    """The specs of Routes by their hosts."""
    return {obj["spec"]["host"]: obj["spec"] for obj in cluster.objects if obj["kind"] == "Route"}


def test_each_host_has_a_route(cluster: Mesh, run: Run) -> None:
    cluster.add(
        gateway(
            {"port": HTTP, "hosts": ["shop.example.com"]}, {"port": HTTPS, "tls": SECRET, "hosts": ["pay.example.com"]}
        ),
        gateway({"port": HTTP, "hosts": ["elsewhere.example.com"]}, name="other", of="partners"),
    )
    result = run()
    assert routes(cluster) == {
        "shop.example.com": {
            "host": "shop.example.com",
            "to": {"kind": "Service", "name": "istio-ingressgateway", "weight": 100},
            "port": {"targetPort": "http2"},
            "wildcardPolicy": "None",
        },
        "pay.example.com": {
            "host": "pay.example.com",
            "to": {"kind": "Service", "name": "istio-ingressgateway", "weight": 100},
            "port": {"targetPort": "https"},
            "wildcardPolicy": "None",
            "tls": {"termination": "passthrough", "insecureEdgeTerminationPolicy": "None"},
        },
    }
    assert {"host": "pay.example.com", "tls": True, "gateway": "shop/shop"} in result["routes"]
    writes = len(cluster.writes)
    assert not run()["changed"]
    assert len(cluster.writes) == writes


def test_a_host_of_both_is_sent_to_https(cluster: Mesh, run: Run) -> None:
    both = ["shop.example.com"]
    plain = {"port": HTTP, "tls": {"httpsRedirect": True}, "hosts": both}
    cluster.add(gateway(plain, {"port": HTTPS, "tls": SECRET, "hosts": both}))
    run()
    tls = {"termination": "passthrough", "insecureEdgeTerminationPolicy": "Redirect"}
    assert routes(cluster)["shop.example.com"]["tls"] == tls


def test_a_wildcard_is_said_as_openshift_has_it(cluster: Mesh, run: Run) -> None:
    cluster.add(gateway({"port": HTTP, "hosts": ["shop/*.example.com", "*"]}))
    result = run()
    assert routes(cluster)["wildcard.example.com"]["wildcardPolicy"] == "Subdomain"
    assert len(routes(cluster)) == 1
    assert any(has_facts(warning, "No Route for * & Gateway shop/shop") for warning in result["warnings"])


def test_what_is_no_host_any_more_loses_its_route(cluster: Mesh, run: Run) -> None:
    cluster.add(gateway({"port": HTTP, "hosts": ["shop.example.com", "old.example.com"]}))
    run()
    cluster.add(gateway({"port": HTTP, "hosts": ["shop.example.com"]}))
    run()
    assert list(routes(cluster)) == ["shop.example.com"]
    run(state="absent")
    assert routes(cluster) == {}


def test_pods_of_a_namespace_may_run_under_an_scc(cluster: Mesh, run: Run) -> None:
    run(routes=False, scc="anyuid", scc_namespaces=["shop"])
    (binding,) = [obj for obj in cluster.objects if obj["kind"] == "RoleBinding"]
    assert (binding["metadata"]["namespace"], binding["roleRef"]["name"]) == ("shop", "system:openshift:scc:anyuid")
    assert binding["subjects"][0]["name"] == "system:serviceaccounts:shop"


def test_a_project_that_is_not_there_is_asked_for(cluster: Mesh, run: Run) -> None:
    assert run(routes=False, projects=["shop", "billing"])["projects"] == ["billing"]
    requested = [obj["metadata"]["name"] for obj in cluster.objects if obj["kind"] == "ProjectRequest"]
    assert requested == ["billing"]


def test_a_project_of_somebody_else_is_refused(cluster: Mesh, run_module: Run) -> None:  # noqa: F811
    taken = status(409, "AlreadyExists", "projectrequests billing already exists")
    cluster.fault = lambda request: taken if request.writes else None
    result = run_module("openshift", host=cluster.url, api_key="swordfish", routes=False, projects=["billing"])
    assert has_facts(result["msg"], "Project billing & already exists & no access")


def test_a_project_that_does_not_come_is_named(cluster: OpenShiftServer, run_module: Run) -> None:  # noqa: F811
    cluster.makes_projects = False
    asked = {"routes": False, "projects": ["billing"], "wait_timeout": 1}
    result = run_module("openshift", host=cluster.url, api_key="swordfish", **asked)
    assert has_facts(result["msg"], "timed out waiting for & Project billing & 1 s & wait_timeout")


@pytest.mark.parametrize(
    ("options", "denied", "right"),
    [
        ({"routes": False, "projects": ["billing"]}, "projectrequests", "create projectrequests.project.openshift.io"),
        ({}, "custom-host", "create routes.route.openshift.io/custom-host in namespace istio-system"),
    ],
)
def test_forbidden_changes_are_refused_before_the_first_write(
    cluster: Mesh,
    run_module: Run,  # noqa: F811
    options: Object,
    denied: str,
    right: str,
) -> None:
    cluster.add(gateway({"port": HTTP, "hosts": ["shop.example.com"]}))
    cluster.forbidden = lambda attributes: denied in attributes.values()
    result = run_module("openshift", host=cluster.url, api_key="swordfish", **options)
    assert (right in result["msg"], cluster.writes) == (True, []), result["msg"]


def test_check_mode_asks_for_nothing(cluster: Mesh, run: Run) -> None:
    cluster.add(gateway({"port": HTTP, "hosts": ["shop.example.com"]}))
    result = run(projects=["billing"], check=True)
    assert (result["changed"], result["projects"], cluster.writes) == (True, ["billing"], [])


def test_another_cluster_is_refused(run_module: Run) -> None:  # noqa: F811
    with Mesh() as plain:
        result = run_module("openshift", host=plain.url, api_key="swordfish")
        assert has_facts(result["msg"], "kind Route & not found & OpenShift")
        assert plain.writes == []


class OpenShift(MemoryCluster):
    def serves(self, kind: Kind) -> bool:
        return kind == OPENSHIFT


@pytest.mark.parametrize(
    ("given", "profile", "platform"),
    [
        ({}, "openshift", ""),
        ({"profile": "default"}, "openshift", ""),
        ({"profile": "ambient"}, "openshift-ambient", ""),
        ({"profile": "openshift"}, "openshift", ""),
        ({"profile": "minimal"}, "minimal", "openshift"),
        ({"profile": "default", "platform": "gke"}, "default", "gke"),
    ],
)
def test_the_profile_is_openshifts_own(given: dict[str, str], profile: str, platform: str) -> None:
    found = with_platform(Options.of(given), OpenShift())
    assert (found.profile, found.platform) == (profile, platform)
    assert with_platform(Options.of({}), MemoryCluster()).profile == ""
