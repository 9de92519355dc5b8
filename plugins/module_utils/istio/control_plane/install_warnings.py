# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warnings of `istioctl install`, which `istioctl manifest generate` does not print.

They are the release's own: `istioctl install --dry-run` runs against a stand-in API that serves only what its checks
read, so that it neither writes to the cluster nor needs permissions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...kube.errors import ApiError, UnknownKind
from ...kube.objects.objects import Kind, key_of
from ...kube.plan.plan import Plan
from ..model import labels
from ..model.gateway_workloads import WORKLOADS
from ..model.labels import labels_of
from .operator_merge import get_path

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

_NETWORKS = {
    "/api/v1/namespaces/kube-system/configmaps/cilium-config": (
        Kind("v1", "ConfigMap"),
        "cilium-config",
        "kube-system",
    ),
    "/apis/projectcalico.org/v3/felixconfigurations/default": (
        Kind("projectcalico.org/v3", "FelixConfiguration"),
        "default",
        "",
    ),
}
"""The settings of the cluster's CNI that istioctl reads, by path."""


def network_settings(cluster: Cluster) -> dict[str, Any]:
    """Read what istioctl checks in a cluster, by path: the settings of Cilium and Calico, if they are installed.

    Like istioctl, skip what the user has no permission to read.
    """

    def read(one: tuple[Kind, str, str]) -> Any:
        try:
            return cluster.get(*one)
        except UnknownKind:
            return None
        except ApiError as error:
            if error.status not in (403, 404):
                raise
            return None

    found = cluster.parallel(read, list(_NETWORKS.values()))
    return {
        path: {name: obj[name] for name in ("apiVersion", "kind", "data", "spec") if name in obj}
        for path, obj in zip(_NETWORKS, found, strict=True)
        if obj is not None
    }


def unmatched_patches(merged: Mapping[str, Any], objects: list[dict[str, Any]], revision: str) -> Iterator[str]:
    """Yield a warning for each patch in `k8s.overlays` whose object is not rendered, because istioctl ignores it."""
    rendered = {(obj["kind"], obj["metadata"]["name"]) for obj in objects}
    for component, one in _components(merged):
        for patch in get_path(one, "k8s.overlays") or ():
            if (
                not isinstance(patch, dict)
                or (patch.get("kind"), patch.get("name")) in rendered
                or not patch.get("name")
            ):
                continue
            # A patch may change the kind of its object.
            kinds = [
                get_path(entry, "value") for entry in patch.get("patches") or () if get_path(entry, "path") == "kind"
            ]
            if any((kind, patch["name"]) in rendered for kind in kinds):
                continue
            renamed = f"{patch['name']}-{revision}"
            hint = (
                f" With revision {revision} the name is {renamed}." if (patch.get("kind"), renamed) in rendered else ""
            )
            yield (
                f"A patch in components.{component}.k8s.overlays has no effect: {patch.get('kind')} {patch['name']} not"
                f" found in this configuration.{hint}"
            )


def _components(merged: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, one in (get_path(merged, "spec.components") or {}).items():
        for gateway in one if isinstance(one, list) else [one]:
            yield name, gateway


def pruned_of_others(plan: Plan, owner: str) -> Iterator[str]:
    """Yield a warning for each gateway of another IstioOperator that is pruned, as istioctl does."""
    for change in plan.changes:
        if change.action != "delete" or change.key.of not in WORKLOADS or change.before is None:
            continue
        other = labels_of(change.before).get(labels.OWNER_NAME, "")
        if other not in ("", "unknown", owner) and labels_of(change.before).get(labels.COMPONENT) in labels.GATEWAYS:
            yield (
                f"{key_of(change.before)} was installed by IstioOperator {other} and is deleted: it is not part of this"
                f" configuration, which {f'is IstioOperator {owner}' if owner else 'sets no metadata.name'}. To keep it,"
                f" set metadata.name to {other} in an overlay."
            )
