# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run works on one cluster, though its kubeconfig changes meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer, Request
from ansible_collections.meshops.istio.tests.support.playbook import Run, run_playbook
from ansible_collections.meshops.istio.tests.unit.modules.test_connection_info import clusters, kubeconfig

__all__ = ["clusters"]


@pytest.fixture
def config(clusters: tuple[ApiServer, ApiServer], tmp_path: Path) -> Path:
    """A kubeconfig whose current context is staging's."""
    path = tmp_path / "config"
    _write(path, kubeconfig(staging=clusters[0].url, production=clusters[1].url))
    return path


def _write(path: Path, content: dict[str, Any]) -> None:
    # As kubectl does: another file takes its place.
    new = path.with_suffix(".new")
    new.write_text(yaml.safe_dump(content), encoding="utf-8")
    new.replace(path)


def change_after(server: ApiServer, count: int, path: Path, content: dict[str, Any]) -> None:
    """Have the kubeconfig become another one when the server gets the request of this number."""

    def fault(_request: Request) -> None:
        if len(server.requests) == count:
            _write(path, content)

    server.fault = fault


def uninstall(path: Path, folder: Path) -> Run:
    variables = {"mesh_kubeconfig": str(path), "mesh_uninstall_confirm": True, "mesh_inject_namespaces": ["shop"]}
    return run_playbook("meshops.istio.uninstall", hosts={"one": variables}, folder=folder, home=folder)


@pytest.mark.parametrize("count", [1, 4, 12])
def test_another_current_context_changes_nothing(
    count: int, clusters: tuple[ApiServer, ApiServer], config: Path, tmp_path: Path
) -> None:
    staging, production = clusters
    change_after(staging, count, config, kubeconfig(production=production.url, staging=staging.url))
    run = uninstall(config, tmp_path)
    assert run.returncode == 0, run.text
    assert len(staging.requests) > count
    assert production.requests == []


def test_a_context_that_leads_elsewhere_is_refused(
    clusters: tuple[ApiServer, ApiServer], config: Path, tmp_path: Path
) -> None:
    staging, production = clusters
    change_after(staging, 4, config, kubeconfig(staging=production.url))
    run = uninstall(config, tmp_path)
    assert run.returncode == 2
    assert staging.url in run.failures["one"]
    assert production.url in run.failures["one"]
    assert (staging.writes, production.writes) == ([], [])
