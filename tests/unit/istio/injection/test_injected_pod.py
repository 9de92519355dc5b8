# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bare pod with a sidecar is not taken for one that has changed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.injection.injected_pod import as_injected
from ansible_collections.meshops.istio.tests.support.memory_cluster import make

Object = dict[str, Any]

LED = {"httpGet": {"path": "/app-health/web/readyz", "port": 15020, "scheme": "HTTP"}, "periodSeconds": 1}


def pod(probe: Object, *more: Object) -> Object:
    containers = [{"name": "web", "image": "web:1", "readinessProbe": probe}, *more]
    return make("Pod", "web", "shop", spec={"containers": containers})


def probe_of(obj: Object) -> Any:
    return obj["spec"]["containers"][0]["readinessProbe"]


@pytest.mark.parametrize(
    "asked",
    [{"httpGet": {"path": "/ready", "port": "http"}}, {"tcpSocket": {"port": 80}}, {"grpc": {"port": 80}}],
    ids=["http", "tcp", "grpc"],
)
def test_a_probe_stays_as_the_injector_led_it(asked: Object) -> None:
    live = pod(LED, {"name": "istio-proxy", "image": "proxyv2"})
    kept = as_injected(pod({**asked, "periodSeconds": 1}), live)
    assert probe_of(kept) == {"httpGet": {"path": "/app-health/web/readyz", "port": 15020}, "periodSeconds": 1}


def test_a_probe_that_is_not_led_through_a_sidecar_is_the_users() -> None:
    ours = {"httpGet": {"path": "/ready", "port": 80}}
    assert probe_of(as_injected(pod(ours), pod({"httpGet": {"path": "/old", "port": 80}}))) == ours
    assert probe_of(as_injected(pod(ours), None)) == ours


def test_a_workloads_own_template_is_not_touched() -> None:
    workload = make("Deployment", "web", "shop", spec={"template": pod(LED)})
    assert as_injected(workload, workload) == workload
