# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take over a mesh that Helm has installed: names to keep, gateways to leave alone, releases that still exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ...kube.errors import ApiError
from ...kube.objects.objects import Kind, Object
from ..model import labels
from ..model.gateway_workloads import Name, is_gateway, name_of
from ..model.labels import component_of, labels_of

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

_CHART_WORKLOADS, _SECRETS = (Kind("apps/v1", "Deployment"), Kind("apps/v1", "DaemonSet")), Kind("v1", "Secret")
_NAME, _NAMESPACE = "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"
_MANAGED = "app.kubernetes.io/managed-by=Helm"
_CHART, _GATEWAYS = "helm.sh/chart", "gateway-"
# Labels of objects and pods with the release's name: another value would restart the pods.
_NAMING = ("release", "app.kubernetes.io/instance")


class HelmRelease(NamedTuple):
    """A Helm release, and the namespace in which it was installed."""

    namespace: str
    name: str


def release_of(obj: Mapping[str, Any]) -> HelmRelease | None:
    """Return the Helm release that an object belongs to by Helm's annotations."""
    annotations = obj["metadata"].get("annotations") or {}
    return HelmRelease(annotations.get(_NAMESPACE, ""), annotations[_NAME]) if _NAME in annotations else None


def keep_release(desired: Object, live: Mapping[str, Any]) -> None:
    """Copy Helm's annotations and labels from a live object to the desired one.

    Its pods need no restart then, and it can be reported that it still belongs to a Helm release.
    """
    if release_of(live) is None:
        return
    metadata = desired["metadata"]
    annotations = live["metadata"]["annotations"]
    kept = {name: annotations[name] for name in (_NAME, _NAMESPACE) if name in annotations}
    metadata["annotations"] = {**(metadata.get("annotations") or {}), **kept}
    _keep_names(metadata, live["metadata"])
    template, there = (((one.get("spec") or {}).get("template") or {}).get("metadata") for one in (desired, live))
    if template and there:
        _keep_names(template, there)


def _keep_names(metadata: Object, live: Mapping[str, Any]) -> None:
    own, there = metadata.get("labels") or {}, live.get("labels") or {}
    own.update({name: there[name] for name in _NAMING if name in own and name in there})


def gateways(cluster: Cluster) -> frozenset[Name]:
    """List the gateways of Istio's Helm chart `gateway`, as namespace and name; two requests.

    Their pods are injected, unlike those of an IstioOperator's gateways, so that a takeover would interrupt traffic.
    """
    found = cluster.list_many([(kind, "", _MANAGED) for kind in _CHART_WORKLOADS])
    return frozenset(
        name_of(one) for one in (*found[0], *found[1]) if labels_of(one).get(_CHART, "").startswith(_GATEWAYS)
    )


def without_gateways(objects: Iterable[Object], adopted: frozenset[Name]) -> list[Object]:
    """Remove the objects of gateways that Helm manages."""
    objects = list(objects)
    workloads = [name_of(obj) for obj in objects if is_gateway(obj)]

    def gateway_of(obj: Object) -> Name | None:
        namespace, name = name_of(obj)
        of = [one for one in workloads if one[0] == namespace and (name == one[1] or name.startswith(f"{one[1]}-"))]
        return max(of, key=lambda one: len(one[1]), default=None)

    return [obj for obj in objects if component_of(obj) not in labels.GATEWAYS or gateway_of(obj) not in adopted]


def known(cluster: Cluster, releases: Iterable[HelmRelease]) -> Iterator[HelmRelease]:
    """Filter the Helm releases that still exist, so that Helm can change or delete their objects.

    One request for each namespace. Without permission to list Secrets, all are returned.
    """
    by_namespace: dict[str, list[HelmRelease]] = {}
    for release in releases:
        by_namespace.setdefault(release.namespace, []).append(release)
    for namespace, there in by_namespace.items():
        selector = f"owner=helm,name in ({','.join(release.name for release in there)})"
        try:
            recorded = {
                labels_of(one).get("name") for one in cluster.list(_SECRETS, namespace, label_selector=selector)
            }
        except ApiError as error:
            if error.status != 403:
                raise
            yield from there
        else:
            yield from (release for release in there if release.name in recorded)
