# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the extension providers (tracing, access logs, authorization) of a mesh's configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...kube.objects.objects import key_of
from ...kube.objects.shapes import fitting
from ...kube.yaml.reader import read_yaml
from .operator_shape import MESH_CONFIG

BUILT_IN = frozenset({"envoy", "prometheus", "stackdriver"})
"""Providers that every mesh has by default."""


def providers_in(config_maps: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Return the providers of all mesh configurations among ConfigMaps; each revision has its own."""
    names: set[str] = set()
    for config in config_maps:
        text = (config.get("data") or {}).get("mesh")
        for document in read_yaml(text, str(key_of(config))) if text else ():
            mesh = fitting(document, MESH_CONFIG) or {}
            names |= {one["name"] for one in mesh.get("extensionProviders") or ()}
    return frozenset(names)
