# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Envoy proxies in pods: whether a pod has one, of which revision, and of which version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from . import labels

Object = Mapping[str, Any]

CONTAINER = "istio-proxy"
STATUS = "sidecar.istio.io/status"
CAPTURED = "ambient.istio.io/redirection"
_VARIANTS = ("-distroless", "-debug")


def proxy_of(pod: Object) -> Object | None:
    """The proxy's container; native sidecars are among the init containers."""
    spec = pod.get("spec") or {}
    for containers in (spec.get("containers"), spec.get("initContainers")):
        for container in containers or ():
            if container.get("name") == CONTAINER:
                return dict(container)
    return None


def has_sidecar(pod: Object) -> bool:
    """Whether the pod has a proxy beside something else; a gateway is nothing but a proxy."""
    containers = (pod.get("spec") or {}).get("containers") or ()
    return proxy_of(pod) is not None and any(one.get("name") != CONTAINER for one in containers)


def is_injected(pod: Object) -> bool:
    """Whether the pod got its proxy from an injector; gateways that istioctl installs did not."""
    return STATUS in (pod["metadata"].get("annotations") or {})


def is_captured(pod: Object) -> bool:
    """Whether the node's proxy handles the pod's traffic, as in an ambient mesh."""
    return (pod["metadata"].get("annotations") or {}).get(CAPTURED) == "enabled"


def has_ended(pod: Object) -> bool:
    """Whether the pod runs no more, or is about to end."""
    phase = (pod.get("status") or {}).get("phase")
    return phase in ("Succeeded", "Failed") or bool(pod["metadata"].get("deletionTimestamp"))


def revision_of(pod: Object) -> str:
    """The revision that the pod's proxy belongs to, empty where it is not known."""
    annotations = pod["metadata"].get("annotations") or {}
    if annotations.get(labels.REVISION):
        return str(annotations[labels.REVISION])
    try:
        return str(json.loads(annotations.get(STATUS) or "{}").get("revision") or "")
    except (ValueError, AttributeError):
        return ""


def version_of(image: str) -> str:
    """The version in an image's tag, without the variant; empty for an image that is named by its digest."""
    name = image.partition("@")[0].rpartition("/")[2]
    tag = name.partition(":")[2]
    for variant in _VARIANTS:
        tag = tag.removesuffix(variant)
    return tag


def proxy_version(pod: Object) -> str:
    """The version of the pod's proxy, empty where it has none or its image does not tell."""
    container = proxy_of(pod)
    return version_of(str(container.get("image") or "")) if container else ""
