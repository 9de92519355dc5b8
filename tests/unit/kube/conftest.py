# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An API server for a test, and a cluster that is connected to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.cluster import Cluster
from ansible_collections.meshops.istio.tests.unit.kube.api_server import ApiServer


@pytest.fixture(autouse=True)
def _no_surroundings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the home folder, the kubeconfig, the pod or the proxies of whoever runs it."""
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def api() -> Iterator[ApiServer]:
    with ApiServer() as server:
        yield server


@pytest.fixture
def cluster(api: ApiServer) -> Cluster:
    return Cluster.connect({"host": api.url, "api_key": "swordfish"}, user_agent="meshops.istio/1.2.3")
