# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A purge loses nothing that users have: it is saved first, or nothing is removed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind, read_manifests
from ansible_collections.meshops.istio.tests.support.lab import Lab, now
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.playbook import Run as Played
from ansible_collections.meshops.istio.tests.support.playbook import run_playbook
from ansible_collections.meshops.istio.tests.support.steps import Seen

CONFIG_MAP = Kind("v1", "ConfigMap")
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}


@pytest.fixture
def gateway(run: Run, lab: Lab, cluster: Cluster, namespace: str) -> Iterator[dict[str, Any]]:
    """A user's Gateway, in a mesh with an application."""
    run("control_plane", **lab.control_plane, profile="minimal")
    run("application", name="settings", namespace=namespace, definition=[CONFIG])
    servers = [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["shop.example.com"]}]
    metadata = {"name": "shop", "namespace": namespace}
    spec = {"selector": {"istio": "ingressgateway", "release": "1e3"}, "servers": servers}
    manifest = {"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": metadata, "spec": spec}
    cluster.apply(manifest, manager="somebody")
    yield manifest
    run("application", state="absent", name="settings", namespace=namespace)
    run("control_plane", state="absent", purge=True, force=True)


def purge(lab: Lab, namespace: str, folder: Path, backup: str, **variables: Any) -> Played:
    application = {"name": "settings", "namespace": namespace, "definition": [CONFIG]}
    purged = {"mesh_uninstall_confirm": True, "mesh_purge": True, "mesh_purge_backup": backup, "mesh_force": True}
    given = {**lab.variables, **purged, "mesh_applications": [application], **variables}
    return run_playbook("meshops.istio.uninstall", hosts={"one": given}, folder=folder)


@pytest.mark.step("purge 17a", "a purge whose backup has no place")
@pytest.mark.parametrize("place", ["/proc/backup.yaml", "taken.yaml"])
def test_no_place_no_write(
    place: str, gateway: dict[str, Any], lab: Lab, cluster: Cluster, namespace: str, tmp_path: Path, seen: Seen
) -> None:
    (tmp_path / "taken.yaml").write_text("the only copy", encoding="utf-8")
    begun = now()
    run = purge(lab, namespace, tmp_path, str(tmp_path / place))
    assert run.returncode == 2, run.text
    assert place in run.failures["one"]
    assert lab.writes_since(begun) == 0
    assert cluster.get(CONFIG_MAP, "settings", namespace) is not None
    assert (tmp_path / "taken.yaml").read_text(encoding="utf-8") == "the only copy"
    seen("refused before the first write, the application included")


@pytest.mark.step("purge 17b", "a purge says where it has saved what users lose, and it can be applied again")
def test_what_is_saved_is_told_and_complete(
    gateway: dict[str, Any], run: Run, lab: Lab, cluster: Cluster, namespace: str, tmp_path: Path, seen: Seen
) -> None:
    file, report = tmp_path / "deep" / "saved.yaml", tmp_path / "result.json"
    done = purge(lab, namespace, tmp_path, str(file), mesh_report_json=str(report))
    assert done.returncode == 0, done.text
    assert any(line.startswith("backup 1 Istio resources") and str(file) in line for line in done.summary)
    assert json.loads(report.read_text(encoding="utf-8"))["status"] != "error"
    run("control_plane", **lab.control_plane, profile="minimal")
    (saved,) = read_manifests(file.read_text(encoding="utf-8"), str(file))
    applied = cluster.apply(saved, manager="somebody")
    assert applied["spec"] == gateway["spec"]
    seen(next(line for line in done.summary if line.startswith("backup")))
