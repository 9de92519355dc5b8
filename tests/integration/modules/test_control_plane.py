# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A control plane from nothing to nothing, as a revision beside the mesh that is there."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.lab import Lab
from ansible_collections.meshops.istio.tests.support.modules import Run

REVISION = "it"
CONFIG_MAP = Kind("v1", "ConfigMap")

pytestmark = pytest.mark.usefixtures("in_mesh")


@pytest.fixture
def wanted(lab: Lab) -> dict[str, Any]:
    return {**lab.control_plane, "profile": "minimal", "revision": REVISION}


def planes(run: Run) -> dict[str, dict[str, Any]]:
    return {plane["revision"]: plane for plane in run("control_plane_info")["control_planes"]}


def test_the_mesh_that_is_there_stays_untouched(idle: Run, mesh: dict[str, Any], run: Run) -> None:
    run("control_plane", **mesh)
    idle("control_plane", **mesh)


def test_its_life(lab: Lab, wanted: dict[str, Any], run: Run, idle: Run, foretold: Run, cluster: Cluster) -> None:
    created = foretold("control_plane", **wanted)
    assert (created["version"], created["revision"], created["gateways"]) == (lab.version, REVISION, [])
    assert {change["action"] for change in created["changes"]} == {"create"}
    assert planes(run)[REVISION]["healthy"]

    idle("control_plane", **wanted)

    settings = {"meshConfig.accessLogFile": "/dev/stdout"}
    updated = foretold("control_plane", **wanted, set=settings)
    assert [(one["action"], one["kind"], one["name"]) for one in updated["changes"]] == [
        ("update", "ConfigMap", f"istio-{REVISION}"),
        ("update", "ConfigMap", f"values-{REVISION}"),
    ]
    live = cluster.get(CONFIG_MAP, f"istio-{REVISION}", "istio-system")
    assert live is not None
    assert "accessLogFile: /dev/stdout" in live["data"]["mesh"]

    # What somebody changes by hand is found, and put right.
    cluster.merge_patch(
        CONFIG_MAP, f"istio-{REVISION}", "istio-system", {"data": {"mesh": "{}"}}, manager="kubectl-edit"
    )
    drift = foretold("control_plane", **wanted, set=settings)
    assert [one["name"] for one in drift["changes"]] == [f"istio-{REVISION}"]

    removed = foretold("control_plane", state="absent", revision=REVISION)
    assert {change["action"] for change in removed["changes"]} == {"delete"}
    assert REVISION not in planes(run)
    idle("control_plane", state="absent", revision=REVISION)


def test_two_revisions_in_turn_write_nothing(mesh: dict[str, Any], wanted: dict[str, Any], run: Run, idle: Run) -> None:
    run("control_plane", **mesh)
    run("control_plane", **wanted)
    idle("control_plane", **mesh)
    idle("control_plane", **wanted)
    removed = run("control_plane", state="absent", revision=REVISION)
    assert all(REVISION in change["name"] for change in removed["changes"])
    idle("control_plane", **mesh)


def test_a_revision_that_is_in_use_is_not_removed(run: Run, refused: Run, namespace: str, lab: Lab) -> None:
    run("injection", namespaces=[namespace])
    run("application", name="curl", namespace=namespace, sample="curl", **lab.release)
    result = refused("control_plane", state="absent")
    assert result["code"] == "in_use"
    assert any(pod.startswith(f"{namespace}/curl-") for pod in result["details"]["pods"])


def test_a_wait_that_ends_says_what_is_not_ready_and_why(wanted: dict[str, Any], run: Run) -> None:
    options = {**wanted, "tag": "no-such-tag", "wait_timeout": 20}
    try:
        failed = run("control_plane", fails=True, **options)
    finally:
        run("control_plane", state="absent", revision=REVISION, force=True)
    assert failed["code"] == "not_ready"
    assert f"istiod-{REVISION}" in failed["msg"]
    assert "no-such-tag" in failed["msg"]
    pods = [pod for one in failed["details"]["objects"] for pod in one["pods"]]
    assert {pod["reason"] for pod in pods} & {"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull"}
