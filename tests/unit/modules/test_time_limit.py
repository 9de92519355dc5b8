# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that hangs costs a module no more than its time limit, and is what the module names."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.documentation import NAMES
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tools.documentation import documentation

LIMIT = 1
FAR_TOO_LONG = 15.0
"""Seconds: a machine that is busy may need some; a request is otherwise tried for twice as long."""

CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, "data": {"a": "1"}}
SHOP = {"name": "web", "namespace": "shop"}

OPTIONS: dict[str, dict[str, Any]] = {
    "addons": {"state": "absent"},
    "application": {**SHOP, "definition": [CONFIG_MAP]},
    "authorization": {**SHOP, "state": "absent"},
    "control_plane": {"state": "absent"},
    "egress": {**SHOP, "state": "absent"},
    "gateway": {**SHOP, "state": "absent"},
    "gateway_api": {},
    "ingress_info": {"wait": True},
    "mesh": {"parts": []},
    "mesh_info": {},
    "mtls": {"namespace": "shop", "state": "absent"},
    "openshift": {"state": "absent"},
    "restart": {"namespaces": ["shop"]},
    "revision_tag": {"name": "prod", "state": "absent"},
    "traffic_policy": {**SHOP, "state": "absent"},
    "traffic_route": {**SHOP, "state": "absent"},
    "upgrade": {"control_plane": {"version": "1.31.0"}},
}


def test_every_module_that_waits_is_tested() -> None:
    assert set(OPTIONS) == {name for name in NAMES if "wait_timeout" in documentation(name)["options"]}


@pytest.mark.parametrize(
    ("name", "answered"),
    [*((name, 0) for name in OPTIONS), ("control_plane", 2), ("restart", 2), ("revision_tag", 2)],
)
def test_a_server_that_hangs(name: str, answered: int, on_api: Run, api: ApiServer) -> None:
    numbers = itertools.count()
    api.fault = lambda request: Answer(hangs=True) if next(numbers) >= answered else None
    started = time.monotonic()
    result = on_api(name, wait_timeout=LIMIT, **OPTIONS[name])
    assert time.monotonic() - started < FAR_TOO_LONG
    assert result["failed"]
    assert api.url in result["msg"]
