# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In which order a control plane's objects are worth applying, and what has to be there before them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...kube.objects.objects import Key
from ..model import labels
from ..model.labels import component_of

_WORKLOADS = frozenset({"DaemonSet", "Deployment", "StatefulSet"})
_BUSY = _WORKLOADS | {"CustomResourceDefinition"}


def rank(obj: Mapping[str, Any]) -> int:
    """Low first: what is quickly done, then what keeps the cluster busy, of which istioctl renders the CRDs first.

    Everything waits for istiod's readiness probe. But an istiod that starts before its kinds are served misses the first
    one by half a second, and the next one comes three seconds later.
    """
    return 1 if obj["kind"] in _BUSY else 0


def gate(obj: Mapping[str, Any], istiod: Key | None) -> Key | None:
    """The Service that must have a ready endpoint before a workload is created: istiod's.

    A proxy that starts earlier finds neither its root certificate, whose mount is retried ever more slowly, nor the
    authority that signs its own, which it asks again only after 20 s.
    """
    gated = component_of(obj) in {*labels.GATEWAYS, labels.ZTUNNEL}
    return istiod if gated and obj["kind"] in _WORKLOADS else None


def istiod_service(objects: list[dict[str, Any]]) -> Key | None:
    """istiod's Service, if both it and the Deployment behind it are among the objects."""
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
