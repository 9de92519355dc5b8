# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags of revisions: what `istioctl tag set` would leave, moved and removed, and what asks for one injected by it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.revision_tag import of_tag
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.find import find_release
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of
from ansible_collections.meshops.istio.tests.equivalence.compare import differences, normalised, text_of
from ansible_collections.meshops.istio.tests.support.lab import Lab
from ansible_collections.meshops.istio.tests.support.modules import Run

REVISION, TAG = "tagged", "it-prod"

pytestmark = pytest.mark.usefixtures("in_mesh")


@pytest.fixture
def revision(lab: Lab, run: Run) -> Iterator[str]:
    """A revision beside the one that is there."""
    run("control_plane", **lab.control_plane, profile="minimal", revision=REVISION)
    yield REVISION
    run("control_plane", state="absent", revision=REVISION, force=True)


@pytest.fixture
def wanted(lab: Lab, run: Run) -> Iterator[dict[str, Any]]:
    yield {"name": TAG, "source": lab.release["source"]}
    run("revision_tag", name=TAG, state="absent", force=True)


def left(cluster: Cluster, tag: str) -> dict[Any, dict[str, Any]]:
    return {key_of(obj): normalised(obj) for obj in of_tag(cluster, tag)}


def test_its_life(revision: str, wanted: dict[str, Any], run: Run, idle: Run, foretold: Run, refused: Run) -> None:
    created = foretold("revision_tag", **wanted)
    assert (created["revision"], created["previous_revision"]) == ("default", "")
    idle("revision_tag", **wanted)
    tags = {plane["revision"]: plane["tags"] for plane in run("control_plane_info")["control_planes"]}
    assert (TAG in tags["default"], TAG in tags[revision]) == (True, False)

    moved = foretold("revision_tag", **wanted, revision=revision)
    assert (moved["revision"], moved["previous_revision"]) == (revision, "default")
    idle("revision_tag", **wanted, revision=revision)

    foretold("revision_tag", name=TAG, state="absent")
    idle("revision_tag", name=TAG, state="absent")
    assert refused("revision_tag", **wanted, revision="gone")["code"] == "revision_missing"


def test_it_is_what_istioctl_leaves(wanted: dict[str, Any], run: Run, idle: Run, cluster: Cluster, lab: Lab) -> None:
    release, _fetched = find_release(lab.release["version"], source=lab.release["source"])
    command = [str(release.istioctl), "tag", "set", TAG, "--revision", "default", "--kubeconfig", lab.kubeconfig]
    subprocess.run(command, check=True, capture_output=True)
    theirs = left(cluster, TAG)
    run("revision_tag", name=TAG, state="absent")
    run("revision_tag", **wanted)
    assert [text_of(one) for one in differences(theirs, left(cluster, TAG))] == []

    # What istioctl has set becomes ours, and what it sets again stays as it is.
    run("revision_tag", name=TAG, state="absent")
    subprocess.run(command, check=True, capture_output=True)
    assert {one["action"] for one in run("revision_tag", **wanted)["changes"]} == {"update"}
    idle("revision_tag", **wanted)


def test_a_namespace_follows_its_tag(wanted: dict[str, Any], run: Run, refused: Run, namespace: str, lab: Lab) -> None:
    run("revision_tag", **wanted)
    run("injection", namespaces=[namespace], mode="revision", revision=TAG)
    run("application", name="curl", namespace=namespace, sample="curl", **lab.release)
    [found] = run("injection_info", namespaces=[namespace])["namespaces"]
    assert (found["pods"], found["with_sidecar"]) == (1, 1)
    told = refused("revision_tag", name=TAG, state="absent")
    assert (told["code"], told["details"]["users"]) == ("in_use", [f"Namespace {namespace}"])
