# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mesh that Helm has installed: what of it is kept when it is taken over, and what Helm could still do to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ...kube.errors import ApiError
from ...kube.objects.objects import Kind
from ..model import labels
from ..model.gateway_workloads import Name, is_gateway, name_of
from ..model.labels import component_of, labels_of

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

Object = dict[str, Any]

_CHART_WORKLOADS, _SECRETS = (Kind("apps/v1", "Deployment"), Kind("apps/v1", "DaemonSet")), Kind("v1", "Secret")
_NAME, _NAMESPACE = "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"
_MANAGED = "app.kubernetes.io/managed-by=Helm"
_CHART, _GATEWAYS = "helm.sh/chart", "gateway-"
# By these an object names its release, its pods too: another value would restart them.
_NAMING = ("release", "app.kubernetes.io/instance")


class HelmRelease(NamedTuple):
    """A release of Helm's, by the namespace that it was installed into."""

    namespace: str
    name: str


def release_of(obj: Mapping[str, Any]) -> HelmRelease | None:
    """The release that an object belongs to, by the marks that Helm sets on everything that it installs."""
    marks = obj["metadata"].get("annotations") or {}
    return HelmRelease(marks.get(_NAMESPACE, ""), marks[_NAME]) if _NAME in marks else None


def keep_release(desired: Object, live: Mapping[str, Any]) -> None:
    """Have a desired object keep the marks and labels of the Helm release that the live one belongs to.

    Its pods need no restart then, Helm still knows it as its own, and a user can be told that Helm does.
    """
    if release_of(live) is None:
        return
    metadata = desired["metadata"]
    marks = live["metadata"]["annotations"]
    kept = {name: marks[name] for name in (_NAME, _NAMESPACE) if name in marks}
    metadata["annotations"] = {**(metadata.get("annotations") or {}), **kept}
    _keep_names(metadata, live["metadata"])
    template, there = (((one.get("spec") or {}).get("template") or {}).get("metadata") for one in (desired, live))
    if template and there:
        _keep_names(template, there)


def _keep_names(metadata: Object, live: Mapping[str, Any]) -> None:
    own, there = metadata.get("labels") or {}, live.get("labels") or {}
    own.update({name: there[name] for name in _NAMING if name in own and name in there})


def gateways(cluster: Cluster) -> frozenset[Name]:
    """The gateways, as namespace and name, of Istio's chart `gateway`; two requests, as it can make DaemonSets.

    Their pods are injected. The gateways of IstioOperators are made another way, and could not be put in their place
    without a break.
    """
    found = cluster.list_many([(kind, "", _MANAGED) for kind in _CHART_WORKLOADS])
    return frozenset(
        name_of(one) for one in (*found[0], *found[1]) if labels_of(one).get(_CHART, "").startswith(_GATEWAYS)
    )


def without_gateways(objects: Iterable[Object], adopted: frozenset[Name]) -> list[Object]:
    """The objects but for those of the gateways that Helm keeps."""
    objects = list(objects)
    workloads = [name_of(obj) for obj in objects if is_gateway(obj)]

    def gateway_of(obj: Object) -> Name | None:
        namespace, name = name_of(obj)
        of = [one for one in workloads if one[0] == namespace and (name == one[1] or name.startswith(f"{one[1]}-"))]
        return max(of, key=lambda one: len(one[1]), default=None)

    return [obj for obj in objects if component_of(obj) not in labels.GATEWAYS or gateway_of(obj) not in adopted]


def known(cluster: Cluster, releases: Iterable[HelmRelease]) -> Iterator[HelmRelease]:
    """Those of which Helm has a record, by which it can still change or delete what belongs to them.

    One request for each namespace. Where the user may not look, all are returned.
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
