# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the control planes, gateways and proxies of a cluster: versions, health and version skew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ...kube.objects.images import images_of
from ...kube.objects.kinds import DEPLOYMENT, MUTATING_WEBHOOK_CONFIGURATION, POD
from ...kube.objects.objects import Object
from ...kube.wait.status import CURRENT, status
from ..model import labels
from ..model.gateway_workloads import WORKLOADS, name_of
from ..model.labels import component_of, labels_of
from ..model.proxies import has_ended, proxy_of, proxy_version, revision_of, version_of
from ..release.versions import version_key

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

_GATEWAYS = f"{labels.COMPONENT} in ({labels.EGRESS},{labels.INGRESS})"

SKEW = 1
"""How many minor versions a proxy may be older than its control plane, by Istio's support policy."""


def read_installed(cluster: Cluster, namespace: str = "") -> dict[str, Any]:
    """Read the control planes of a namespace (all if empty) and the proxies of the cluster; see `describe`."""
    istiods, webhooks, pods, *workloads = cluster.list_many(
        [
            (DEPLOYMENT, namespace, "app=istiod"),
            (MUTATING_WEBHOOK_CONFIGURATION, "", labels.TAG),
            (POD, "", ""),
            *((kind, "", _GATEWAYS) for kind in WORKLOADS),
        ]
    )
    gateways = sorted((one for found in workloads for one in found), key=name_of)
    return describe(istiods, gateways, webhooks, pods)


def describe(
    istiods: Sequence[Object], gateways: Sequence[Object], webhooks: Iterable[Object], pods: Iterable[Object]
) -> dict[str, Any]:
    """Return control planes and proxies as plain data, from istiod's Deployments, gateways, tags' webhooks and pods.

    - images: those of istiod and the gateways, by the version of the control plane.
    - control_planes: a list of {revision, version, namespace, healthy, message, default, tags, gateways, proxies};
      `gateways` is a list of {name, namespace, kind, component, version, healthy}, `proxies` counts them by version.
    - proxies: all running proxies, counted by version.
    - skew: {pod: "namespace/name", version, revision} of proxies newer than their control plane, or more than one
      minor version older.
    """
    tags: dict[str, list[str]] = {}
    for webhook in webhooks:
        own = labels_of(webhook)
        tags.setdefault(own.get(labels.REVISION, "default"), []).append(own.get(labels.TAG, ""))
    running = [pod for pod in pods if not has_ended(pod) and proxy_of(pod) is not None]
    planes = [
        _control_plane(istiod, gateways, sorted(tags.get(_revision(istiod), ())), running)
        for istiod in sorted(istiods, key=lambda one: (one["metadata"].get("namespace", ""), _revision(one)))
    ]
    versions = {plane["revision"]: plane["version"] for plane in planes}
    images: dict[str, list[str]] = {}
    for workload in (*istiods, *gateways):
        images.setdefault(versions.get(_revision(workload), ""), []).extend(images_of([workload]))
    return {
        "images": {version: list(dict.fromkeys(found)) for version, found in images.items() if version},
        "control_planes": planes,
        "proxies": _count(running),
        "skew": [
            {
                "pod": f"{pod['metadata'].get('namespace', '')}/{pod['metadata']['name']}",
                "version": proxy_version(pod),
                "revision": revision_of(pod),
            }
            for pod in running
            if _skewed(proxy_version(pod), versions.get(revision_of(pod), ""))
        ],
    }


def _control_plane(
    istiod: Object, gateways: Iterable[Object], tags: list[str], pods: Iterable[Object]
) -> dict[str, Any]:
    revision, state = _revision(istiod), status(istiod)
    return {
        "revision": revision,
        "version": _version(istiod, "discovery"),
        "namespace": istiod["metadata"].get("namespace", ""),
        "healthy": state.state == CURRENT,
        "message": state.message,
        "default": "default" in tags,
        "tags": tags,
        "gateways": [
            {
                "name": gateway["metadata"]["name"],
                "namespace": gateway["metadata"].get("namespace", ""),
                "kind": gateway["kind"],
                "component": component_of(gateway),
                "version": _version(gateway, "istio-proxy"),
                "healthy": status(gateway).state == CURRENT,
            }
            for gateway in gateways
            if _revision(gateway) == revision
        ],
        "proxies": _count(pod for pod in pods if revision_of(pod) == revision),
    }


def _revision(obj: Object) -> str:
    return labels_of(obj).get(labels.REVISION, "default")


def _version(deployment: Object, container: str) -> str:
    """Return the version of the image, else that of the installer's label."""
    template = ((deployment.get("spec") or {}).get("template") or {}).get("spec") or {}
    for one in template.get("containers") or ():
        if one.get("name") == container and version_of(str(one.get("image") or "")):
            return version_of(str(one["image"]))
    own = labels_of(deployment)
    return own.get(labels.VERSION) or own.get("app.kubernetes.io/version", "")


def _count(pods: Iterable[Object]) -> dict[str, int]:
    counted = Counter(proxy_version(pod) or "unknown" for pod in pods)
    return dict(sorted(counted.items()))


def _skewed(proxy: str, control_plane: str) -> bool:
    ours, theirs = version_key(proxy)[0][:2], version_key(control_plane)[0][:2]
    if len(ours) < 2 or len(theirs) < 2 or ours == theirs:
        return False
    return ours > theirs or ours[0] != theirs[0] or theirs[1] - ours[1] > SKEW
