# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Into the mesh and out again: labels, restarts, and what the info modules tell of both."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.lab import Lab
from ansible_collections.meshops.istio.tests.support.modules import Run

CURL = "docker.io/curlimages/curl:8.16.0"

pytestmark = pytest.mark.usefixtures("in_mesh")


def told(run: Run, namespace: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    info = run("injection_info", namespaces=[namespace])
    (state,) = info["namespaces"]
    return state, info["workloads"]


def test_into_the_mesh_and_out_again(
    run: Run, idle: Run, foretold: Run, namespace: str, lab: Lab, cluster: Cluster
) -> None:
    run("application", name="helloworld", namespace=namespace, sample="helloworld", gateway=False, **lab.release)
    idle("restart", namespaces=[namespace])  # nothing asks for sidecars yet

    foretold("injection", namespaces=[namespace])
    idle("injection", namespaces=[namespace])
    state, workloads = told(run, namespace)
    assert (state["injection"], state["pods"], state["with_sidecar"], state["without_sidecar"]) == ("enabled", 2, 0, 2)
    assert {(one["kind"], one["name"], one["missing"]) for one in workloads} == {
        ("Deployment", "helloworld-v1", 1),
        ("Deployment", "helloworld-v2", 1),
    }

    restarted = foretold("restart", namespaces=[namespace])
    assert [one["name"] for one in restarted["restarted"]] == ["helloworld-v1", "helloworld-v2"]
    state, workloads = told(run, namespace)
    assert (state["with_sidecar"], state["without_sidecar"], workloads) == (state["pods"], 0, [])
    idle("restart", namespaces=[namespace])
    # The restart is no drift to who applied the workloads.
    idle("application", name="helloworld", namespace=namespace, sample="helloworld", gateway=False, **lab.release)

    foretold("injection", namespaces=[namespace], state="absent")
    idle("injection", namespaces=[namespace], state="absent")
    assert told(run, namespace)[0]["injection"] == "none"


def test_what_a_restart_would_not_help_is_left_alone_and_named(run: Run, idle: Run, namespace: str) -> None:
    container = {"name": "curl", "image": CURL, "command": ["/bin/sleep", "3600"]}
    bare = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bare"}, "spec": {"containers": [container]}}
    run("application", name="bare", namespace=namespace, definition=[bare], wait=False)
    run("injection", namespaces=[namespace])
    result = idle("restart", namespaces=[namespace])
    assert [(one["kind"], one["name"]) for one in result["reported"]] == [("Pod", "bare")]
    assert result["reported"][0]["reason"]


def test_a_namespace_is_made_where_that_is_asked_for(foretold: Run, idle: Run, cluster: Cluster) -> None:
    from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.kinds import NAMESPACE

    name = "it-made-by-injection"
    try:
        made = foretold("injection", namespaces=[name], create_namespaces=True)
        assert [(one["action"], one["kind"], one["name"]) for one in made["changes"]] == [("create", "Namespace", name)]
        idle("injection", namespaces=[name])
    finally:
        cluster.delete(NAMESPACE, name)


@pytest.mark.usefixtures("in_mesh")
def test_injected_manifests_are_applied(run: Run, idle: Run, lab: Lab, cluster: Cluster, namespace: str) -> None:
    containers = [{"name": "app", "image": "docker.io/istio/examples-helloworld-v1:1.0"}]
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    web = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}
    made = idle("injected_manifest", definition=[web], **lab.release)
    assert made["injected"] == ["Deployment web"]
    applied = {"name": "web", "namespace": namespace, "definition": made["objects"]}
    run("application", wait_timeout=180, **applied)
    (pod,) = cluster.list(Kind("v1", "Pod"), namespace, label_selector="app=web")
    assert all(one["ready"] for one in pod["status"]["containerStatuses"])
    assert run("injection_info", namespaces=[namespace])["namespaces"][0]["with_sidecar"] == 1
    idle("application", **applied)
