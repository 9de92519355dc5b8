# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The workloads of gateways: Deployments, or the kinds into which overlays and charts' values change them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...kube.objects.objects import Kind, kind_of
from . import labels
from .labels import component_of

WORKLOADS = tuple(Kind("apps/v1", kind) for kind in ("DaemonSet", "Deployment", "StatefulSet"))

Name = tuple[str, str]
"""The namespace and name of a gateway."""


def name_of(obj: Mapping[str, Any]) -> Name:
    """Return the namespace and the name of an object."""
    return obj["metadata"].get("namespace") or "", obj["metadata"]["name"]


def is_gateway(obj: Mapping[str, Any]) -> bool:
    """Return whether an object is the workload of a gateway of Istio's installer."""
    return kind_of(obj) in WORKLOADS and component_of(obj) in labels.GATEWAYS


def gateways_of(objects: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """List the gateways among rendered objects, each as {name, namespace, kind, component}."""
    return [
        {
            "name": obj["metadata"]["name"],
            "namespace": obj["metadata"].get("namespace") or "",
            "kind": obj["kind"],
            "component": component_of(obj),
        }
        for obj in objects
        if is_gateway(obj)
    ]
