# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take a revision, or all of Istio, out of a cluster, and find out first who would notice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..kube.errors import Refused
from ..kube.objects import Kind
from ..kube.plan import Plan, Unit
from . import inventory
from .labels import labels_of
from .ownership import MANAGER
from .proxies import has_ended, proxy_of, revision_of
from .selectors import matches

if TYPE_CHECKING:
    from ..kube.cluster import Cluster

_PODS = Kind("v1", "Pod")
_LISTED = 10
"""Pods that a refusal names; the rest is in its details."""


def absent(*, revision: str = "", namespace: str = "", purge: bool = False) -> Unit:
    """Nothing of one revision, or with `purge` nothing of Istio at all.

    As with istioctl, what the revisions share stays until a purge; the system namespace, the root key
    (`istio-ca-secret`, `cacerts`) and what istiod writes into namespaces stay even then.
    """
    if purge:
        return Unit(manager=MANAGER, objects=(), stale=inventory.of_all)
    return Unit(manager=MANAGER, objects=(), stale=lambda cluster: inventory.of_revision(cluster, revision, namespace))


def refuse_in_use(cluster: Cluster, plan: Plan, *, revision: str = "", purge: bool = False) -> None:
    """Raise Refused while pods that stay behind run with a proxy of the revision (with `purge`: of any).

    Told from the pods, so that it holds with istiod down too; tags count as the revision that they point at.
    """
    if not plan.changes:
        return
    pods = cluster.list(_PODS)
    used = in_use(
        pods, [change.before for change in plan.changes if change.before], "" if purge else revision or "default"
    )
    if used:
        named = ", ".join(used[:_LISTED]) + (f" and {len(used) - _LISTED} others" if len(used) > _LISTED else "")
        what = "Istio" if purge else f"revision {revision or 'default'}"
        raise Refused(
            f"{len(used)} pod{'s' if len(used) > 1 else ''} still run{'' if len(used) > 1 else 's'} with a proxy of"
            f" {what}: {named}; take them out of the mesh or restart them for another revision first, or force the"
            " removal.",
            code="in_use",
            pods=used,
        )


def in_use(pods: Iterable[Mapping[str, Any]], removed: Iterable[Mapping[str, Any]], revision: str) -> list[str]:
    """Running pods, as namespace/name, with a proxy of the revision (any, if empty), but of no removed workload."""
    selectors = [
        (obj["metadata"].get("namespace", ""), obj["spec"].get("selector"))
        for obj in removed
        if obj["kind"] in ("Deployment", "DaemonSet")
    ]
    return sorted(
        f"{pod['metadata'].get('namespace', '')}/{pod['metadata']['name']}"
        for pod in pods
        if not has_ended(pod)
        and proxy_of(pod) is not None
        and (not revision or revision_of(pod) == revision)
        and not any(
            namespace == pod["metadata"].get("namespace", "") and matches(selector, labels_of(pod))
            for namespace, selector in selectors
        )
    )


def users_resources(cluster: Cluster, plan: Plan) -> list[dict[str, Any]]:
    """The objects of users that go with the CRDs which a plan deletes."""
    kinds = []
    for change in plan.changes:
        if change.action == "delete" and change.key.kind == "CustomResourceDefinition" and change.before:
            spec = change.before["spec"]
            version = next((one["name"] for one in spec["versions"] if one.get("storage")), spec["versions"][0]["name"])
            kinds.append(Kind(f"{spec['group']}/{version}", spec["names"]["kind"]))
    cluster.learn(change.before for change in plan.changes if change.before and change.key.of == inventory.CRD)
    return [obj for objects in cluster.list_many([(kind, "", "") for kind in kinds]) for obj in objects]
