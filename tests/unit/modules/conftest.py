# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs modules as Ansible does, but in this process, against an API server on the loopback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.release import support
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.modules import Run, run_module
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease

__all__ = ["Run", "run_module"]


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the kubeconfig, the pod, the cache or the proxies of whoever runs it."""
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MESHOPS_CACHE", str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def _day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run modules on a day on which Istio 1.29.1 is supported and has no known vulnerabilities."""
    monkeypatch.setattr(support, "today", lambda: date(2026, 3, 15))


@pytest.fixture
def api() -> Iterator[ApiServer]:
    """An API server with the namespaces `default` and `shop`."""
    with ApiServer() as server:
        for name in ("default", "shop"):
            server.put(
                f"/api/v1/namespaces/{name}", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            )
        yield server


@pytest.fixture
def on_api(run_module: Run, api: ApiServer) -> Run:
    """Run a module that is connected to the API server of `api`."""

    def run(name: str, /, **options: Any) -> dict[str, Any]:
        return run_module(name, host=api.url, api_key="swordfish", **options)

    return run


@pytest.fixture
def on(run_module: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a module against a cluster in memory, given before the module's name."""

    def run(cluster: Cluster, name: str, /, **options: Any) -> dict[str, Any]:
        monkeypatch.setattr(Cluster, "connect", lambda *_arguments, **_options: cluster)
        return run_module(name, **options)

    return run


@pytest.fixture
def made(tmp_path: Path) -> MadeRelease:
    """A release whose istioctl prints what a test has it print."""
    release = MadeRelease(tmp_path / "istio-1.29.1")
    release.write("manifest.yaml", "version: 1.29.1\n")
    return release
