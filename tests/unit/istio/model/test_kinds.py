# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Istio's own kinds: what is waited for, and the shape of their fields."""

from __future__ import annotations

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.application.unit import Application
from ansible_collections.meshops.istio.plugins.module_utils.istio.model.kind_shapes import SPECS
from ansible_collections.meshops.istio.plugins.module_utils.istio.model.kinds import KINDS, is_awaited
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import expand


@pytest.mark.parametrize(
    ("api_version", "kind", "awaited"),
    [
        ("networking.istio.io/v1", "VirtualService", False),
        ("networking.istio.io/v1alpha3", "EnvoyFilter", False),
        ("security.istio.io/v1", "AuthorizationPolicy", False),
        ("telemetry.istio.io/v1", "Telemetry", False),
        ("extensions.istio.io/v1alpha1", "WasmPlugin", False),
        ("extensions.istio.io/v1alpha1", "TrafficExtension", False),
        ("install.istio.io/v1alpha1", "IstioOperator", False),
        ("gateway.networking.k8s.io/v1", "Gateway", True),
        ("apps/v1", "Deployment", True),
        ("example.com/v1", "Thing", True),
    ],
)
def test_kinds_of_istio_are_not_awaited(api_version: str, kind: str, awaited: bool) -> None:
    obj = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "it", "namespace": "shop"}}
    decides = Application("it", "shop").unit([obj]).awaited
    assert decides is not None
    assert (is_awaited(obj), decides(obj)) == (awaited, awaited)


def test_each_kind_has_a_shape() -> None:
    assert SPECS.keys() == {(kind.group, kind.kind) for kind in KINDS}


@pytest.mark.parametrize(
    ("kind", "spec", "field"),
    [
        ("VirtualService", {"http": {"route": []}}, "spec.http"),
        ("VirtualService", {"http": [{"route": [{"weight": 100}]}]}, "spec.http[0].route[0]"),
        ("VirtualService", {"tcp": [{"route": [{"destination": {"host": "a"}, "weight": "1"}]}]}, "weight"),
        ("DestinationRule", {"host": "web", "subsets": [{"labels": {"version": "v1"}}]}, "spec.subsets[0]"),
        ("Gateway", {"servers": [{"port": {"number": "80"}, "hosts": ["*"]}]}, "spec.servers[0].port.number"),
        ("ServiceEntry", {"hosts": "api.example.com"}, "spec.hosts"),
    ],
)
def test_a_field_of_the_wrong_shape_is_refused(kind: str, spec: object, field: str) -> None:
    given = {"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": {"name": "web"}, "spec": spec}
    with pytest.raises(InvalidInput) as caught:
        list(expand([given], "mesh.yaml"))
    assert field in caught.value.message
