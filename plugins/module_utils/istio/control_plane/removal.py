# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remove a revision, or all of Istio, from a cluster; refuse it while pods use it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ...kube.api.cluster import Access, Cluster
from ...kube.errors import ApiError, Refused
from ...kube.objects.kinds import CUSTOM_RESOURCE_DEFINITION, MUTATING_WEBHOOK_CONFIGURATION, POD
from ...kube.objects.objects import Kind, Object, key_of, kind_of
from ...kube.objects.selectors import matches
from ...kube.plan.keep import reason_of_mark, reason_to_keep
from ...kube.plan.plan import Plan
from ...kube.plan.unit import Unit
from ..model import labels
from ..model.gateway_workloads import WORKLOADS
from ..model.labels import component_of, labels_of
from ..model.ownership import MANAGER, PREVIOUS_OWNERS
from ..model.proxies import has_ended, is_captured, proxy_of, revision_of
from ..model.record import records
from . import installed_objects

_LISTED = 10
"""How many pods a refusal names; the details have all of them."""


def absent(*, revision: str = "", namespace: str = "", purge: bool = False, root_key: bool = False) -> Unit:
    """Return the desired state without one revision, or with `purge` without Istio.

    As with istioctl, only a purge deletes what the revisions share. It keeps the system namespace and, without
    `root_key`, the key of istiod's CA.
    """

    own = "" if revision == "default" else revision

    def removed(cluster: Cluster) -> list[dict[str, Any]]:
        if purge:
            found = installed_objects.of_all(cluster, namespace, root_key=root_key)
        else:
            found = installed_objects.of_revision(cluster, revision, namespace)
        recorded = records(cluster, namespace) if namespace else {}
        return [*found, *(one for place, one in recorded.items() if purge or place.revision == own)]

    return Unit(
        manager=MANAGER,
        objects=(),
        # Helm's resource policy "keep" of CRDs does not apply to a purge.
        keeps=reason_of_mark if purge else reason_to_keep,
        conflicting_objects=removed,
        inventory=installed_objects.of_removed(revision, namespace) if namespace and not purge else None,
        with_pods=True,
        previous_owners=PREVIOUS_OWNERS,
    )


def refuse_in_use(
    cluster: Cluster, plan: Plan, *, revision: str = "", purge: bool = False, left: Collection[str] = ()
) -> None:
    """Raise Refused while pods that are not deleted run with a proxy of the revision (with `purge`: of any).

    left: namespaces whose pods do not count, because an earlier step of the run takes them out of the mesh. Reads the
    pods, so that it works while istiod is down; a tag counts as the revision that it points at.
    """
    if not plan.changes:
        return
    pods, injectors = cluster.list_many([(POD, "", ""), (MUTATING_WEBHOOK_CONFIGURATION, "", labels.TAG)])
    tags = {labels_of(one)[labels.TAG]: labels_of(one).get(labels.REVISION, "") for one in injectors}
    removed = [change.before for change in plan.changes if change.before]
    pods = [pod for pod in pods if pod["metadata"].get("namespace") not in left]
    used = in_use(pods, removed, "" if purge else revision or "default", tags)
    if used:
        named = ", ".join(used[:_LISTED]) + (f" and {len(used) - _LISTED} others" if len(used) > _LISTED else "")
        what = "Istio" if purge else f"revision {revision or 'default'}"
        raise Refused(
            f"Cannot remove {what}: {len(used)} pod{'s are' if len(used) > 1 else ' is'} still running with its proxy:"
            f" {named}. Take them out of the mesh or restart them for another revision first, or set force to true.",
            code="in_use",
            pods=used,
        )


def in_use(
    pods: Iterable[Object],
    removed: Sequence[Object],
    revision: str,
    tags: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """Return running pods, as namespace/name, that need a removed object, and belong to no removed workload.

    They have a proxy of the revision (any, if empty) or of an unknown one, or are in an ambient mesh whose node proxy
    is removed. `tags` are revisions by tag.
    """
    workloads = [obj for obj in removed if kind_of(obj) in WORKLOADS]
    selectors = [(obj["metadata"].get("namespace", ""), obj["spec"].get("selector")) for obj in workloads]
    ambient = any(component_of(obj) in (labels.ZTUNNEL, labels.CNI) for obj in workloads)

    def needs(pod: Object) -> bool:
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
    """Return the users' objects that are deleted with a plan's CRDs. Raises Refused if not all can be read."""
    from ...kube.plan.permissions import refuse_denied  # imported here, because only a purge needs it

    named = {change.key for change in plan.changes}
    definitions = [
        change.before
        for change in plan.changes
        if change.action == "delete" and change.key.of == CUSTOM_RESOURCE_DEFINITION and change.before
    ]
    cluster.learn(definitions)
    specs = [definition["spec"] for definition in definitions]
    refuse_denied(cluster, [Access("list", spec["group"], spec["names"]["plural"]) for spec in specs])
    lists = cluster.parallel(lambda one: _objects_of(cluster, one), definitions)
    # Some releases contain objects of these kinds themselves.
    return [obj for objects in lists for obj in objects if key_of(obj) not in named]


def _objects_of(cluster: Cluster, definition: Object) -> list[dict[str, Any]]:
    """List all objects of a CUSTOM_RESOURCE_DEFINITION, at the stored version if it is served."""
    spec, name = definition["spec"], definition["metadata"]["name"]
    served = [one for one in spec["versions"] if one.get("served", True)]
    served.sort(key=lambda one: not one.get("storage"))
    if not served:
        raise _unread(name, "it serves no version", "Change it to serve one")
    kind = Kind(f"{spec['group']}/{served[0]['name']}", spec["names"]["kind"])
    try:
        objects, version = cluster.list_with_version(kind)
    except ApiError as error:
        raise _unread(name, error.message.removesuffix("."), "Run this again when they can be listed") from error
    if not version:
        raise _unread(name, f"the API server does not serve {kind.api_version}", "Wait until it does")
    return objects


def _unread(name: str, why: str, todo: str) -> Refused:
    return Refused(
        f"Cannot back up the resources of CustomResourceDefinition {name} before their deletion: {why}. {todo}, or delete"
        " the CustomResourceDefinition yourself.",
        code="backup_failed",
        resources=name,
    )
