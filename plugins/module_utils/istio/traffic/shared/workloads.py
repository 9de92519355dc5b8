# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pods that a policy is about, and whether a proxy stands before them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ....kube.api.cluster import Cluster
from ...injection.sidecars import owner_of
from ...model.labels import labels_of
from ...model.proxies import has_ended, proxy_of
from .fields import Object
from .problems import Problem
from .registry import POD

_AMBIENT = "ambient.istio.io/redirection"
_NAMED = 3


def pods_with(cluster: Cluster, namespace: str, labels: Mapping[str, Any]) -> list[Object]:
    """The running pods of a namespace (of all, if empty) with these labels."""
    selector = ",".join(f"{name}={value}" for name, value in labels.items())
    return [pod for pod in cluster.list(POD, namespace, label_selector=selector) if not has_ended(pod)]


def in_mesh(pod: Mapping[str, Any]) -> bool:
    """Whether a proxy carries the pod's traffic: its own, or in ambient mode its node's."""
    annotations = pod["metadata"].get("annotations") or {}
    return proxy_of(pod) is not None or annotations.get(_AMBIENT) == "enabled"


def unprotected(cluster: Cluster, namespace: str, labels: Mapping[str, Any], what: str) -> Iterator[Problem]:
    """A warning where `what` is set for pods that no proxy stands before, or for none at all."""
    pods = pods_with(cluster, namespace, labels)
    bare = [pod for pod in pods if not in_mesh(pod)]
    if not pods and labels:
        wanted = ", ".join(f"{name}={value}" for name, value in labels.items())
        yield Problem(f"No pod in namespace {namespace} has the labels {wanted} as yet.", fatal=False)
    if bare:
        yield Problem(f"{what} has no effect on {named(bare)}: there is no sidecar to enforce it.", fatal=False)


def named(pods: Iterable[Object]) -> str:
    """The owners of pods, for a sentence."""
    owners = sorted({" ".join((kind, f"{space}/{name}")) for kind, space, name in (owner_of(pod) for pod in pods)})
    return summed_up(owners)


def summed_up(names: list[str]) -> str:
    """The first few of many names."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def selected_by(service: Mapping[str, Any], pods: Iterable[Object]) -> list[Object]:
    """The pods that a Service sends requests to."""
    selector = service["spec"].get("selector") or {}
    namespace = service["metadata"]["namespace"]
    return [
        pod
        for pod in pods
        if selector and pod["metadata"]["namespace"] == namespace and selector.items() <= labels_of(pod).items()
    ]
