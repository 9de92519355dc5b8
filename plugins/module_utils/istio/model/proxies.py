# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the proxy of a pod, its revision and its version."""

from __future__ import annotations

import json

from ...kube.objects.objects import Object
from . import labels

CONTAINER = "istio-proxy"
STATUS = "sidecar.istio.io/status"
CAPTURED = "ambient.istio.io/redirection"
_VARIANTS = ("-distroless", "-debug")


def proxy_of(pod: Object) -> Object | None:
    """Return the proxy's container; native sidecars are among the init containers."""
    spec = pod.get("spec") or {}
    for containers in (spec.get("containers"), spec.get("initContainers")):
        for container in containers or ():
            if container.get("name") == CONTAINER:
                return dict(container)
    return None


def has_sidecar(pod: Object) -> bool:
    """Return whether the pod has a proxy and other containers; a gateway has only the proxy."""
    containers = (pod.get("spec") or {}).get("containers") or ()
    return proxy_of(pod) is not None and any(one.get("name") != CONTAINER for one in containers)


def is_injected(pod: Object) -> bool:
    """Return whether the pod's proxy was injected; gateways that istioctl installs are not."""
    return STATUS in (pod["metadata"].get("annotations") or {})


def is_captured(pod: Object) -> bool:
    """Return whether the pod's traffic is redirected to the node's proxy (ambient mode)."""
    return (pod["metadata"].get("annotations") or {}).get(CAPTURED) == "enabled"


def has_ended(pod: Object) -> bool:
    """Return whether the pod has completed, or is being deleted."""
    phase = (pod.get("status") or {}).get("phase")
    return phase in ("Succeeded", "Failed") or bool(pod["metadata"].get("deletionTimestamp"))


def revision_of(pod: Object) -> str:
    """Return the revision of the pod's proxy, empty if unknown."""
    annotations = pod["metadata"].get("annotations") or {}
    if annotations.get(labels.REVISION):
        return str(annotations[labels.REVISION])
    try:
        return str(json.loads(annotations.get(STATUS) or "{}").get("revision") or "")
    except (ValueError, AttributeError):
        return ""


def version_of(image: str) -> str:
    """Return the version in an image's tag, without the variant; empty for an image that is named by its digest."""
    name = image.partition("@")[0].rpartition("/")[2]
    tag = name.partition(":")[2]
    for variant in _VARIANTS:
        tag = tag.removesuffix(variant)
    return tag


def proxy_version(pod: Object) -> str:
    """Return the version of the pod's proxy, empty if it has none or its image has no tag."""
    container = proxy_of(pod)
    return version_of(str(container.get("image") or "")) if container else ""
