# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order in which to apply a control plane's objects, and what they wait for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...kube.objects.objects import Key
from ..model import labels
from ..model.labels import component_of

_WORKLOADS = frozenset({"DaemonSet", "Deployment", "StatefulSet"})
_BUSY = _WORKLOADS | {"CustomResourceDefinition"}


def rank(obj: Mapping[str, Any]) -> int:
    """Return the rank of an object, low first: workloads and CRDs, which keep the API server busy, come last.

    istioctl renders the CRDs before the workloads. An istiod that starts before its kinds are served fails its first
    readiness probe, and the next one comes three seconds later.
    """
    return 1 if obj["kind"] in _BUSY else 0


def gate(obj: Mapping[str, Any], istiod: Key | None) -> Key | None:
    """Return the Service that must have a ready endpoint before a gateway or ztunnel is created: istiod's.

    A proxy that starts earlier lacks the root certificate, whose mount is retried with a growing delay, and the CA,
    which it asks again only after 20 s.
    """
    gated = component_of(obj) in {*labels.GATEWAYS, labels.ZTUNNEL}
    return istiod if gated and obj["kind"] in _WORKLOADS else None


def istiod_service(objects: list[dict[str, Any]]) -> Key | None:
    """Return istiod's Service, if both it and its Deployment are among the objects."""
    deployments = {
        obj["metadata"]["name"]: obj["metadata"].get("namespace", "")
        for obj in objects
        if obj["kind"] == "Deployment" and component_of(obj) == labels.PILOT
    }
    for obj in objects:
        name, namespace = obj["metadata"]["name"], obj["metadata"].get("namespace", "")
        if obj["kind"] == "Service" and deployments.get(name) == namespace:
            return Key("v1", "Service", namespace, name)
    return None
