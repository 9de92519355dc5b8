# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fields that istioctl accepts although the release does not know them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.unknown_fields import (
    Unknown,
    unknown_fields,
)
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.message_types import message_types
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.release import Release
from ansible_collections.meshops.istio.tests.support.descriptors import MESH_CONFIG, descriptor

PROGRAM = b"\x7fELF" + b"\x00" * 100 + MESH_CONFIG + b"\xff" * 100


@pytest.fixture
def release(tmp_path: Path) -> Release:
    root = tmp_path / "istio"
    (root / "bin").mkdir(parents=True)
    (root / "bin/istioctl").write_bytes(PROGRAM)
    chart = root / "manifests/charts/ztunnel"
    (chart / "templates").mkdir(parents=True)
    (chart / "values.yaml").write_text("_internal_defaults_do_not_edit: {resources: {}, logLevel: info}\n")
    (chart / "templates/daemonset.yaml").write_text("x: {{ .Values.nodeSelector }}\n")
    return Release("1.29.1", root)


def found(release: Release, **spec: Any) -> list[Unknown]:
    return unknown_fields(release, {"spec": spec})


@pytest.mark.parametrize(
    "mesh",
    [
        {},
        {"accessLogFile": "/dev/stdout", "access_log_file": ""},
        {"enableAutoMtls": True, "defaultConfig": {"proxyMetadata": {"ANY": {"deep": 1}}}},
        {"extensionProviders": [{"name": "zipkin"}]},
        {"defaultConfig": "text", "extensionProviders": {"name": "zipkin"}},
    ],
)
def test_known_fields(release: Release, mesh: dict[str, Any]) -> None:
    assert found(release, meshConfig=mesh) == []


def test_unknown_fields_of_mesh_config_at_each_level(release: Release) -> None:
    mesh = {
        "enableAutoMTLS": True,
        "defaultConfig": {"holdApplicationUntilProxyStart": True},
        "extensionProviders": [{"name": "zipkin"}, {"colour": "red"}],
    }
    assert found(release, meshConfig=mesh, values={"meshConfig": {"x": 1}}) == [
        Unknown("meshConfig.enableAutoMTLS", "enableAutoMtls"),
        Unknown("meshConfig.defaultConfig.holdApplicationUntilProxyStart", "holdApplicationUntilProxyStarts"),
        Unknown("meshConfig.extensionProviders[1].colour", ""),
        Unknown("values.meshConfig.x", ""),
    ]


def test_unknown_values_of_ztunnel(release: Release) -> None:
    ztunnel = {"resources": {"any": 1}, "nodeSelector": {}, "logLevels": "debug"}
    assert found(release, values={"ztunnel": ztunnel}) == [Unknown("values.ztunnel.logLevels", "logLevel")]


@pytest.mark.parametrize(
    "program", [b"", b"no descriptors", PROGRAM[:150], PROGRAM.replace(b"MeshConfig", b"MeshWhatev")]
)
def test_without_readable_descriptors_nothing_is_unknown(release: Release, program: bytes) -> None:
    release.istioctl.write_bytes(program)
    assert found(release, meshConfig={"x": 1}) == []


def test_message_types_of_several_files(tmp_path: Path) -> None:
    path = tmp_path / "program"
    other = descriptor("networking/v1alpha3/other.proto", "istio.networking", {"Other": {"longName": ""}})
    path.write_bytes(PROGRAM + other + b"\x00")
    types = message_types(path, ["mesh/v1alpha1/config.proto", "networking/v1alpha3/other.proto", "absent.proto"])
    assert set(types["istio.networking.Other"].fields) == {"longName", "long_name"}
    assert types["istio.mesh.v1alpha1.MeshConfig"].fields["defaultConfig"] == "istio.mesh.v1alpha1.ProxyConfig"
