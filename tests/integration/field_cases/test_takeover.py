# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take-over of what other tools have installed: fields that nobody wants any more go, or the run says whose they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.configuration import Options
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.revision import ControlPlane
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.find import find_release
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.lab import Lab
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

Object = dict[str, Any]

DEPLOYMENT, VIRTUAL_SERVICE = Kind("apps/v1", "Deployment"), Kind("networking.istio.io/v1", "VirtualService")
REVISION = "taken"


def deployment(port: int = 80, **env: str) -> Object:
    container = {
        "name": "c",
        "image": "docker.io/istio/examples-helloworld-v1:1.0",
        "ports": [{"name": "http", "containerPort": port}],
        "env": [{"name": name, "value": value} for name, value in env.items()],
    }
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def container_of(cluster: Cluster, name: str, namespace: str) -> Object:
    found = cluster.get(DEPLOYMENT, name, namespace)
    assert found is not None
    container: Object = found["spec"]["template"]["spec"]["containers"][0]
    return container


# Who creates and updates, and who applies on the server.
WAYS = [
    ("OpenAPI-Generator", False),
    ("HashiCorp", False),
    ("pulumi-kubernetes-1a2b3c4d", True),
    ("Terraform", True),
    ("kubectl", True),
    ("helm", False),
    ("kubectl-create", False),
]


@pytest.mark.parametrize(("manager", "applies"), WAYS, ids=[name for name, _applies in WAYS])
@pytest.mark.step("takeover 26", "a variable goes and a port moves, whoever had set them")
def test_an_application(
    manager: str, applies: bool, cluster: Cluster, namespace: str, run: Run, idle: Run, seen: Seen
) -> None:
    old = deployment(80, OLD="1")
    old["metadata"]["namespace"] = namespace
    (cluster.apply if applies else cluster.create)(old, manager=manager)
    app = {"name": "web", "namespace": namespace, "definition": [deployment(8080, NEW="1")]}
    result = run("application", **app)
    assert result["warnings"] == []
    found = container_of(cluster, "web", namespace)
    assert [one["name"] for one in found["env"]] == ["NEW"]
    assert [one["containerPort"] for one in found["ports"]] == [8080]
    idle("application", **app)
    seen("OLD is gone, 8080 is the port, and a second run writes nothing")


@pytest.mark.step("takeover 27", "what a tool that is not known has set beside is named")
def test_what_remains_is_said(cluster: Cluster, namespace: str, run: Run, idle: Run, seen: Seen) -> None:
    old = deployment(80, NEW="1", OLD="1")
    old["metadata"]["namespace"] = namespace
    cluster.apply(old, manager="deploy-bot")
    app = {"name": "web", "namespace": namespace, "definition": [deployment(80, NEW="1")]}
    run("application", **app)
    for result in (run("application", **app), idle("application", **app)):
        [warning] = result["warnings"]
        assert "deploy-bot" in warning
        assert "env[name=OLD]" in warning
    seen(warning)


@pytest.fixture
def revision(lab: Lab, run: Run) -> Iterator[Object]:
    """The options of a control plane that is not waited for, and that goes after the test."""
    yield {**lab.control_plane, "profile": "minimal", "revision": REVISION, "wait": False}
    run("control_plane", state="absent", revision=REVISION, force=True, wait=False)


@pytest.mark.parametrize(("manager", "applies"), [("kubectl", True), ("OpenAPI-Generator", False)])
@pytest.mark.step("takeover 28", "istioctl manifest generate, applied by kubectl on the server or the Python client")
def test_a_control_plane(
    manager: str, applies: bool, lab: Lab, cluster: Cluster, revision: Object, run: Run, idle: Run, seen: Seen
) -> None:
    release, _fetched = find_release(**lab.release)
    given = {**revision, "set": {"values.pilot.env.UNSAFE_EXTRA": "7"}}
    istiod = f"istiod-{REVISION}"
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}}
    cluster.apply(namespace, manager="tests")
    for obj in ControlPlane(release, Options.of(given)).rendered:
        if obj["metadata"]["name"] == istiod and obj["kind"] == "Deployment":
            (cluster.apply if applies else cluster.create)(obj, manager=manager)
    assert "UNSAFE_EXTRA" in str(container_of(cluster, istiod, "istio-system")["env"])
    result = run("control_plane", **revision)
    assert {"update", "create"} == {one["action"] for one in result["changes"]}
    assert "UNSAFE_EXTRA" not in str(container_of(cluster, istiod, "istio-system")["env"])
    idle("control_plane", **revision)
    seen("UNSAFE_EXTRA is gone")
