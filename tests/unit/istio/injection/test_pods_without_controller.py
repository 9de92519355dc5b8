# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods without a controller, created anew over a connection that loses answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.reconcile import reconcile
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.settings import Settings
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import MeshError
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.change import Change, created
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.plan import Plan, Stage
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer, Request

PATH = "/api/v1/namespaces/shop/pods/shell"
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "shell", "namespace": "shop"},
    "spec": {"containers": [{"name": "app", "image": "shop:1"}]},
}


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    with ApiServer() as server:
        server.put(PATH, POD)
        yield server


def again(api: ApiServer) -> None:
    """Create the pod anew."""
    cluster = Cluster.connect({"host": api.url, "api_key": "x"}, user_agent="test")
    cluster.version()
    live = api.get(PATH)
    changes = [
        Change("delete", key_of(live), live, None, first=True, recreated=True, patch=True),
        created(POD, recreated=True),
    ]
    unit = Unit("meshops.istio/restart", [], changes=lambda _cluster: changes, stages=_one_by_one)
    reconcile(cluster, unit, Settings(timeout=5, wait=False))


def _one_by_one(plan: Plan) -> list[Stage]:
    return [Stage(plan.changes, at_once=1)]


@pytest.mark.parametrize("method", ["DELETE", "POST"])
def test_a_lost_answer_loses_no_pod(api: ApiServer, method: str) -> None:
    before, lost = api.get(PATH)["metadata"]["uid"], iter([Answer(loses=True)])
    api.fault = lambda request: next(lost, None) if request.method == method else None
    again(api)
    assert api.get(PATH)["metadata"]["uid"] != before


def test_a_pod_that_another_client_recreated_is_reported(api: ApiServer) -> None:
    def faster(request: Request) -> None:
        if request.method == "POST" and not api.objects:
            api.put(PATH, POD, "kube-controller-manager")

    api.fault = faster
    with pytest.raises(MeshError, match="Cannot recreate Pod shop/shell") as caught:
        again(api)
    assert caught.value.code == "not_recreated"
