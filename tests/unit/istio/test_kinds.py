# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Istio's own kinds: what is waited for."""

from __future__ import annotations

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.application import Application
from ansible_collections.meshops.istio.plugins.module_utils.istio.kinds import is_awaited


@pytest.mark.parametrize(
    ("api_version", "kind", "awaited"),
    [
        ("networking.istio.io/v1", "VirtualService", False),
        ("networking.istio.io/v1alpha3", "EnvoyFilter", False),
        ("security.istio.io/v1", "AuthorizationPolicy", False),
        ("telemetry.istio.io/v1", "Telemetry", False),
        ("extensions.istio.io/v1alpha1", "WasmPlugin", False),
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
