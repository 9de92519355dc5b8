# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An API server for a test, a cluster that is connected to it, and waits in vain."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import NotReady
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.wait import wait_ready
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.kube.fake_cluster import FakeCluster
from ansible_collections.meshops.istio.tests.support.kube.waiting import LONG, OBSERVE, WEB, Clock, Late


@pytest.fixture(autouse=True)
def _no_surroundings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the home folder, the kubeconfig, the pod or the proxies of whoever runs it."""
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{OBSERVE}.PAUSE", 0.01)


@pytest.fixture
def api() -> Iterator[ApiServer]:
    with ApiServer() as server:
        yield server


@pytest.fixture
def cluster(api: ApiServer) -> Cluster:
    return Cluster.connect({"host": api.url, "api_key": "swordfish"}, user_agent="meshops.istio/1.2.3")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(f"{OBSERVE}.time", clock)
    monkeypatch.setattr(f"{OBSERVE}.HEARTBEAT", 0.02)
    return clock


@pytest.fixture
def late(clock: Clock) -> Late:
    """Waits in vain: the time is over once everything has been seen and is watched."""

    def late(cluster: FakeCluster, *keys: Key, wait: Callable[..., None] = wait_ready) -> NotReady:
        awaited = keys or (WEB,)
        others = len({key.of for key in awaited}) - 1
        cluster.on_watch += [*[lambda: None] * others, clock.run_out]
        with pytest.raises(NotReady) as caught:
            wait(cluster, awaited, timeout=LONG, progress=silent)
        return caught.value

    return late
