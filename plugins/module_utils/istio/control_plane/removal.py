# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take a revision, or all of Istio, out of a cluster, and find out first who would notice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ...kube.api.cluster import Access, Cluster
from ...kube.errors import ApiError, Refused
from ...kube.objects.objects import Kind, key_of, kind_of
from ...kube.objects.selectors import matches
from ...kube.plan.keep import is_marked_as_kept
from ...kube.plan.plan import Plan
from ...kube.plan.unit import Unit
from ..model import labels
from ..model.gateway_workloads import WORKLOADS
from ..model.labels import component_of, labels_of
from ..model.ownership import MANAGER, PREVIOUS_OWNERS
from ..model.proxies import has_ended, is_captured, proxy_of, revision_of
from . import installed_objects

_PODS = Kind("v1", "Pod")
_INJECTORS = Kind("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration")
_LISTED = 10
"""Pods that a refusal names; the rest is in its details."""


def absent(*, revision: str = "", namespace: str = "", purge: bool = False, root_key: bool = False) -> Unit:
    """Nothing of one revision, or with `purge` nothing of Istio at all.

    As with istioctl, what the revisions share stays until a purge, and the system namespace even then; so does the key
    that istiod signs certificates with, but for `root_key`.
    """

    def removed(cluster: Cluster) -> list[dict[str, Any]]:
        if purge:
            found = installed_objects.of_all(cluster, namespace, root_key=root_key)
        else:
            found = installed_objects.of_revision(cluster, revision, namespace)
        # Helm's word for CRDs, that they are kept, is overruled by who asks for a purge.
        return [obj for obj in found if not is_marked_as_kept(obj)]

    return Unit(
        manager=MANAGER,
        objects=(),
        obstacles=removed,
        inventory=installed_objects.of_removed(revision, namespace) if namespace and not purge else None,
        with_pods=True,
        previous_owners=PREVIOUS_OWNERS,
    )


def refuse_in_use(
    cluster: Cluster, plan: Plan, *, revision: str = "", purge: bool = False, left: Collection[str] = ()
) -> None:
    """Raise Refused while pods that stay behind run with a proxy of the revision (with `purge`: of any).

    left: namespaces whose pods count as out of the mesh, because a step before will have taken them out. Told from the
    pods, so that it holds with istiod down too; tags count as the revision that they point at.
    """
    if not plan.changes:
        return
    pods, injectors = cluster.list_many([(_PODS, "", ""), (_INJECTORS, "", labels.TAG)])
    tags = {labels_of(one)[labels.TAG]: labels_of(one).get(labels.REVISION, "") for one in injectors}
    removed = [change.before for change in plan.changes if change.before]
    pods = [pod for pod in pods if pod["metadata"].get("namespace") not in left]
    used = in_use(pods, removed, "" if purge else revision or "default", tags)
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


def in_use(
    pods: Iterable[Mapping[str, Any]],
    removed: Sequence[Mapping[str, Any]],
    revision: str,
    tags: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """Running pods, as namespace/name, that need what is removed, but belong to no removed workload.

    They have a proxy of the revision (any, if empty), or one that does not tell its revision, or are in an ambient mesh
    whose node proxy goes. `tags` are revisions by their tags.
    """
    workloads = [obj for obj in removed if kind_of(obj) in WORKLOADS]
    selectors = [(obj["metadata"].get("namespace", ""), obj["spec"].get("selector")) for obj in workloads]
    ambient = any(component_of(obj) in (labels.ZTUNNEL, labels.CNI) for obj in workloads)

    def needs(pod: Mapping[str, Any]) -> bool:
        if ambient and is_captured(pod):
            return True
        if proxy_of(pod) is None:
            return False
        own = revision_of(pod) or labels_of(pod).get(labels.REVISION, "")
        return not revision or tags.get(own, own) in (revision, "")

    return sorted(
        f"{pod['metadata'].get('namespace', '')}/{pod['metadata']['name']}"
        for pod in pods
        if not has_ended(pod)
        and needs(pod)
        and not any(
            namespace == pod["metadata"].get("namespace", "") and matches(selector, labels_of(pod))
            for namespace, selector in selectors
        )
    )


def users_resources(cluster: Cluster, plan: Plan) -> list[dict[str, Any]]:
    """The objects of users that go with the CRDs which a plan deletes. Raises Refused where they cannot all be read."""
    from ...kube.plan.permissions import refuse_denied  # only a purge pays for it

    named = {change.key for change in plan.changes}
    definitions = [
        change.before
        for change in plan.changes
        if change.action == "delete" and change.key.of == installed_objects.CRD and change.before
    ]
    cluster.learn(definitions)
    specs = [definition["spec"] for definition in definitions]
    refuse_denied(cluster, [Access("list", spec["group"], spec["names"]["plural"]) for spec in specs])
    lists = cluster.parallel(lambda one: _objects_of(cluster, one), definitions)
    # Some releases bring objects of these kinds themselves.
    return [obj for objects in lists for obj in objects if key_of(obj) not in named]


def _objects_of(cluster: Cluster, definition: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All objects of a CRD, as they are stored where that version is served."""
    spec, name = definition["spec"], definition["metadata"]["name"]
    served = [one for one in spec["versions"] if one.get("served", True)]
    served.sort(key=lambda one: not one.get("storage"))
    if not served:
        raise _unread(name, "the CustomResourceDefinition serves no version", "Have it serve one")
    kind = Kind(f"{spec['group']}/{served[0]['name']}", spec["names"]["kind"])
    try:
        objects, version = cluster.list_with_version(kind)
    except ApiError as error:
        raise _unread(name, error.message.removesuffix("."), "Run again when they can be listed") from error
    if not version:
        raise _unread(name, f"the API server does not serve {kind.api_version}", "Wait until it does")
    return objects


def _unread(name: str, why: str, todo: str) -> Refused:
    return Refused(
        f"The resources {name} cannot be saved before they are removed: {why}. {todo}, or delete the"
        " CustomResourceDefinition yourself.",
        code="backup_failed",
        resources=name,
    )
