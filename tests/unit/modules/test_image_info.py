# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a mirror is to be filled with, listed without a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.meshops.istio.tests.support.memory_cluster import make
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.playbook import run_playbook
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease

HUB, TAG = "docker.io/istio", "1.29.1"
WEB = {"name": "web", "image": "quay.io/me/web:1"}
POD = {"containers": [{"name": "discovery", "image": f"{HUB}/pilot:{TAG}"}]}
ISTIOD = make("Deployment", "istiod", "istio-system", api="apps/v1", spec={"template": {"spec": POD}})


def listed(run_module: Run, made: MadeRelease, **options: Any) -> list[tuple[str, str]]:
    found = run_module("image_info", version="1.29.1", source=[str(made.root)], **options)
    return [(one["source"], one["image"]) for one in found["images"]]


def test_images_of_istio_are_listed_without_a_cluster(run_module: Run, made: MadeRelease) -> None:
    made.renders(ISTIOD)
    found = listed(run_module, made, profile="default", hub=HUB, tag=TAG, mirrors={"/": "registry.example.com/"})
    assert found == [
        (f"{HUB}/pilot:{TAG}", f"registry.example.com/istio/pilot:{TAG}"),
        # In no manifest: istiod writes it into pods.
        (f"{HUB}/proxyv2:{TAG}", f"registry.example.com/istio/proxyv2:{TAG}"),
    ]
    assert "--cluster-specific" not in made.calls[0]


def test_images_of_manifests_are_listed_as_they_are_replaced(run_module: Run, made: MadeRelease) -> None:
    found = listed(run_module, made, definition=[ISTIOD], images={f"{HUB}/pilot": "quay.io/me/pilot"})
    assert found == [(f"quay.io/me/pilot:{TAG}", f"quay.io/me/pilot:{TAG}")]


def test_one_list_for_all_clusters_is_written_to_a_file(made: MadeRelease, tmp_path: Path) -> None:
    made.renders(ISTIOD)
    one = {
        "mesh_version": "1.29.1",
        "mesh_release_source": str(made.root),
        "mesh_hub": HUB,
        "mesh_tag": TAG,
        "mesh_images_file": "images.txt",
    }
    two = {
        **one,
        "mesh_applications": [{"name": "shop", "definition": [make("Pod", "web", spec={"containers": [WEB]})]}],
    }
    given = ("-e", "mesh_image_registry=registry.example.com/m")
    run = run_playbook("meshops.istio.images", *given, hosts={"one": one, "two": two}, folder=tmp_path, home=tmp_path)
    assert run.returncode == 0, run.text
    assert (tmp_path / "images.txt").read_text().splitlines() == [
        f"{HUB}/pilot:{TAG} registry.example.com/m/istio/pilot:{TAG}",
        f"{HUB}/proxyv2:{TAG} registry.example.com/m/istio/proxyv2:{TAG}",
        "quay.io/me/web:1 registry.example.com/m/me/web:1",
    ]
    assert run.changed == {"one": 0, "two": 0}
