# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removing one of two control planes takes nothing that the other one, or nobody in particular, has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.lab import Lab
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.playbook import run_playbook
from ansible_collections.meshops.istio.tests.support.steps import Seen

DEPLOYMENT, NAMESPACE = Kind("apps/v1", "Deployment"), Kind("v1", "Namespace")
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"colour": "green"}}


@pytest.fixture
def two(run: Run, lab: Lab, namespace: str) -> Iterator[dict[str, Any]]:
    """The variables of a site with the control planes blue and green, an addon, an application, and a namespace of green."""
    run("control_plane", state="absent", purge=True, force=True)
    for revision in ("blue", "green"):
        run("control_plane", **lab.control_plane, profile="minimal", revision=revision)
    run("addons", **lab.release, addons=["zipkin"])
    application = {"name": "settings", "namespace": namespace, "definition": [CONFIG]}
    run("application", **application)
    run("injection", namespaces=[namespace], mode="revision", revision="green")
    yield {
        **lab.variables,
        "mesh_revision": "blue",
        "mesh_inject_namespaces": [namespace],
        "mesh_applications": [application],
        "mesh_uninstall_confirm": True,
    }
    run("addons", state="absent")
    run("application", state="absent", name="settings", namespace=namespace)
    run("control_plane", state="absent", purge=True, force=True)


def deployments(cluster: Cluster) -> set[str]:
    return {one["metadata"]["name"] for one in cluster.list(DEPLOYMENT, "istio-system")}


@pytest.mark.step("removal 04", "one of two control planes is removed; then what is named, then the last one")
def test_only_what_is_its_own_goes(
    two: dict[str, Any], cluster: Cluster, namespace: str, tmp_path: Path, seen: Seen
) -> None:
    def uninstall(**variables: Any) -> list[str]:
        done = run_playbook("meshops.istio.uninstall", hosts={"one": {**two, **variables}}, folder=tmp_path)
        assert done.returncode == 0, done.text
        return done.summary

    summary = uninstall()
    kept = " ".join(line for line in summary if line.startswith("kept"))
    assert deployments(cluster) == {"istiod-green", "zipkin"}
    assert cluster.get(Kind("v1", "ConfigMap"), "settings", namespace) is not None
    labelled = cluster.get(NAMESPACE, namespace)
    assert labelled is not None
    assert labelled["metadata"]["labels"]["istio.io/rev"] == "green"
    words = ("addons zipkin", "applications settings", f"namespaces {namespace}", "green", "mesh_uninstall_addons")
    assert [word for word in words if word not in kept] == []

    assert not [line for line in uninstall(mesh_uninstall_addons="zipkin") if line.startswith("kept addons")]
    assert deployments(cluster) == {"istiod-green"}

    uninstall(mesh_revision="green")
    assert deployments(cluster) == set()
    assert cluster.get(Kind("v1", "ConfigMap"), "settings", namespace) is None
    seen(f"{kept}; the last one took everything along")
