# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the pods of a policy, and whether they have a proxy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ....kube.api.cluster import Cluster
from ....kube.objects.kinds import POD
from ....kube.objects.objects import Object
from ...injection.sidecars import owner_of
from ...model.labels import labels_of
from ...model.proxies import has_ended, proxy_of
from .problems import Problem

_AMBIENT = "ambient.istio.io/redirection"
_NAMED = 3


def pods_with(cluster: Cluster, namespace: str, labels: Mapping[str, Any]) -> list[Object]:
    """Return the running pods of a namespace (of all, if empty) with these labels."""
    selector = ",".join(f"{name}={value}" for name, value in labels.items())
    return [pod for pod in cluster.list(POD, namespace, label_selector=selector) if not has_ended(pod)]


def in_mesh(pod: Object) -> bool:
    """Return whether a proxy handles the pod's traffic: a sidecar, or the node's proxy in ambient mode."""
    annotations = pod["metadata"].get("annotations") or {}
    return proxy_of(pod) is not None or annotations.get(_AMBIENT) == "enabled"


def unprotected(cluster: Cluster, namespace: str, labels: Mapping[str, Any], what: str) -> Iterator[Problem]:
    """Yield a warning if `what` is set for pods without a proxy, or if no pod is found."""
    pods = pods_with(cluster, namespace, labels)
    without = [pod for pod in pods if not in_mesh(pod)]
    if not pods and labels:
        wanted = ", ".join(f"{name}={value}" for name, value in labels.items())
        yield Problem(f"Pod with the labels {wanted} not found in namespace {namespace} yet.", fatal=False)
    if without:
        yield Problem(f"{what} has no effect on {named(without)}: it has no sidecar. Inject one.", fatal=False)


def named(pods: Iterable[Object]) -> str:
    """Return the owners of pods as a text."""
    owners = sorted({" ".join((kind, f"{space}/{name}")) for kind, space, name in (owner_of(pod) for pod in pods)})
    return summed_up(owners)


def summed_up(names: list[str]) -> str:
    """Return the first few of many names."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def selected_by(service: Mapping[str, Any], pods: Iterable[Object]) -> list[Object]:
    """Return the pods that a Service selects."""
    selector = service["spec"].get("selector") or {}
    namespace = service["metadata"]["namespace"]
    return [
        pod
        for pod in pods
        if selector and pod["metadata"]["namespace"] == namespace and selector.items() <= labels_of(pod).items()
    ]
