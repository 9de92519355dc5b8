# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pod and the port that a Service leads to."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.port_forward import backend
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import NotReady

POD = {
    "metadata": {"name": "web-1", "namespace": "shop"},
    "spec": {"containers": [{"name": "a"}, {"name": "b", "ports": [{"name": "http", "containerPort": 8080}]}]},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}


class _Pods:
    def list(self, *_arguments: Any, **_options: Any) -> list[Any]:
        return [POD]


def led_to(**spec: Any) -> tuple[str, int]:
    service = {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"selector": {"app": "web"}, **spec}}
    pods: Any = _Pods()
    return backend(pods, service, 80)


@pytest.mark.parametrize(
    ("ports", "number"),
    [
        ([{"port": 80, "targetPort": "http"}], 8080),
        ([{"port": 80, "targetPort": 8081}], 8081),
        ([{"port": 80}], 80),
        ([], 80),
    ],
)
def test_a_port_is_found_by_its_number_or_name(ports: list[Any], number: int) -> None:
    assert led_to(ports=ports) == ("web-1", number)


def test_a_service_without_ports() -> None:
    assert led_to() == ("web-1", 80)


def test_a_container_name_that_the_pod_does_not_have_is_an_error() -> None:
    with pytest.raises(NotReady, match="targetPort") as caught:
        led_to(ports=[{"port": 80, "targetPort": "htttp"}])
    assert "'htttp'" in caught.value.message
    assert "shop/web-1" in caught.value.message
