# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find a control plane's objects in a cluster by Istio's labels: for pruning, removal and purge."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...kube.objects.kinds import CUSTOM_RESOURCE_DEFINITION
from ...kube.objects.objects import Kind, Object
from ...kube.plan.inventory import LABEL, Inventory, applied_by, is_controlled, listed_in
from ..model import labels
from ..model.labels import labels_of, owner_labels
from ..model.ownership import INSTALLERS, UPGRADE_RECORD
from . import tag_objects

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

# The kinds that istioctl prunes, except Pods and Secrets, which no chart contains.
PRUNED = (
    Kind("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    Kind("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    Kind("rbac.authorization.k8s.io/v1", "ClusterRole"),
    Kind("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    Kind("apps/v1", "Deployment"),
    Kind("apps/v1", "DaemonSet"),
    Kind("v1", "Service"),
    Kind("v1", "ConfigMap"),
    Kind("v1", "ServiceAccount"),
    Kind("rbac.authorization.k8s.io/v1", "RoleBinding"),
    Kind("rbac.authorization.k8s.io/v1", "Role"),
    Kind("policy/v1", "PodDisruptionBudget"),
    Kind("autoscaling/v2", "HorizontalPodAutoscaler"),
    Kind("networking.istio.io/v1alpha3", "EnvoyFilter"),
)
_TAGGED = (*PRUNED[:2], Kind("v1", "Service"))
_CONFIG_MAP, _SECRET, _LEASE = Kind("v1", "ConfigMap"), Kind("v1", "Secret"), Kind("coordination.k8s.io/v1", "Lease")
_ROOT_CERTIFICATES = frozenset({"istio-ca-root-cert", "istio-ca-crl"})
_ELECTIONS = (
    "istio-analyze-leader",
    "istio-clustertrustbundle-controller-election",
    "istio-gateway-deployment",
    "istio-gateway-inferencepool",
    "istio-gateway-leader",
    "istio-gateway-status-leader",
    "istio-ip-autoallocate",
    "istio-leader",
    "istio-namespace-controller-election",
    "istio-node-untaint",
    "istio-serviceexport-controller-election",
    "istio-status-leader",
    "istio-validation-controller-election",
)
"""The leader elections of istiod in all releases; which ones end in the revision's name depends on the release."""

_ELECTION = re.compile(rf"({'|'.join(_ELECTIONS)})(-[a-z0-9][a-z0-9.-]*)?")
_ELECTED = "control-plane.alpha.kubernetes.io/leader"
"""The annotation of ConfigMaps with the elected leader; Leases have fields for it."""
ROOT_KEY = "istio-ca-secret"
"""The Secret with istiod's self-signed CA; a plugged-in CA is in `cacerts`."""

# No chart contains one, but an overlay can change a gateway into one.
_REMOVED = (*PRUNED, Kind("apps/v1", "StatefulSet"))
_PURGED = (*_REMOVED, CUSTOM_RESOURCE_DEFINITION, Kind("k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition"))
_NEVER_PRUNED = frozenset({CUSTOM_RESOURCE_DEFINITION.kind, "Namespace"})
_MODULE = "control_plane"
_REVISIONED = (labels.PILOT, labels.INGRESS, labels.EGRESS)
_OF_NODES = (labels.CNI, labels.ZTUNNEL)
_DEPLOYMENTS, _DAEMON_SETS = Kind("apps/v1", "Deployment"), Kind("apps/v1", "DaemonSet")


def installed_by(
    cluster: Cluster, *, revision: str, owner: str = "", namespace: str = "", wanted: Iterable[Mapping[str, Any]] = ()
) -> Iterator[Object]:
    """Find the live objects of one revision and owner, of every version, that installing `wanted` may prune.

    Includes wanted objects. Excludes those labelled `owning-resource-not-pruned`, unless they are wanted or are tags of
    a revision without an injector: such a tag would block the creation of pods.
    """
    selector = [f"{labels.MANAGED}=Reconcile", f"{labels.REVISION}={revision or 'default'}", labels.COMPONENT]
    if owner:
        selector.append(f"{labels.OWNER_NAME}={owner}")
    if namespace:
        selector.append(f"{labels.OWNER_NAMESPACE}={namespace}")
    wanted = list(wanted)
    kept = {_identity(obj) for obj in wanted}
    for obj in _select(cluster, PRUNED, ",".join(selector)):
        if _is_pruned(obj, wanted) or _identity(obj) in kept:
            yield obj


def of_control_plane(revision: str, owner: str, namespace: str, wanted: Collection[Mapping[str, Any]]) -> Inventory:
    """Return the inventory of a revision. It does not list what another revision or owner has taken over.

    istioctl's objects are searched for in addition, because it may be run on top, and prunes by labels.
    """
    own = owner_labels(version="", revision=revision, name=owner, namespace=namespace)
    del own[labels.VERSION]
    return Inventory(
        _MODULE,
        revision,
        namespace,
        records=lambda obj: obj["kind"] not in _NEVER_PRUNED,
        owns=lambda obj: own.items() <= labels_of(obj).items() and _is_pruned(obj, wanted),
        searches=True,
    )


def of_removed(revision: str, namespace: str) -> Inventory:
    """Return the inventory of a revision to remove, without what it shares with others."""
    revision = revision or tag_objects.DEFAULT

    def owns(obj: Object) -> bool:
        own = labels_of(obj)
        return own.get(labels.REVISION) == revision and (own.get(labels.COMPONENT) in _REVISIONED or labels.TAG in own)

    return Inventory(_MODULE, revision, namespace, owns=owns)


def _is_pruned(obj: Mapping[str, Any], wanted: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether an object may be pruned by its labels."""
    own = labels_of(obj)
    orphaned = labels.TAG in own and not any(one["kind"] == "MutatingWebhookConfiguration" for one in wanted)
    return own.get(labels.NOT_PRUNED) != "true" or orphaned


def of_revision(cluster: Cluster, revision: str, namespace: str = "") -> list[Object]:
    """Find all that `istioctl uninstall --revision` deletes, and all tags that point at the revision.

    istioctl keeps tags that were set by `istioctl tag set`, whose webhooks would then block the creation of pods. The
    node agents (CNI, ztunnel) serve all revisions, and are deleted with the last control plane only.
    """
    last = not others(cluster, revision, namespace)
    components = ",".join(sorted((*_REVISIONED, *(_OF_NODES if last else ()))))
    selector = [f"{labels.REVISION}={revision or 'default'}", f"{labels.COMPONENT} in ({components})"]
    if namespace:
        selector.append(f"{labels.OWNER_NAMESPACE}={namespace}")
    own = list(_select(cluster, _REMOVED, ",".join(selector)))
    own += _select(cluster, _TAGGED, f"{labels.REVISION}={revision or 'default'},{labels.TAG}")
    return _once(obj for obj in own if _is_installed(obj, namespace))


def others(cluster: Cluster, revision: str, namespace: str = "") -> list[Object]:
    """Return the Deployments of all control planes except a revision's own (in `namespace`, any if empty)."""
    own = revision or "default"
    return [
        one
        for one in cluster.list(_DEPLOYMENTS, label_selector="app=istiod")
        if labels_of(one).get(labels.REVISION, "default") != own
        or namespace not in ("", one["metadata"].get("namespace", ""))
    ]


def shared_agents(cluster: Cluster, revision: str, namespace: str = "") -> list[Object]:
    """Return the node agents of a revision that its removal keeps for other control planes."""
    if not others(cluster, revision, namespace):
        return []
    components = ",".join(sorted(_OF_NODES))
    selector = f"{labels.REVISION}={revision or 'default'},{labels.COMPONENT} in ({components})"
    return list(_select(cluster, [_DAEMON_SETS], selector))


def of_all(cluster: Cluster, namespace: str, *, root_key: bool = False) -> list[Object]:
    """Find all that `istioctl uninstall --purge` deletes, including CRDs and with them the users' resources.

    In addition: tags set by `istioctl tag set`, and ConfigMaps that istiod writes into namespaces. The CA's key only
    with `root_key`: without it, a new mesh would not trust certificates of the old one.
    """
    labelled = [*_select(cluster, _PURGED, labels.COMPONENT), *_select(cluster, _TAGGED, labels.TAG)]
    found = [*(obj for obj in labelled if _is_installed(obj, namespace)), *_listed(cluster, namespace)]
    config_maps, others, leases = cluster.list_many(
        [(_CONFIG_MAP, "", f"{labels.CONFIG}=true"), (_CONFIG_MAP, namespace, ""), (_LEASE, namespace, "")]
    )
    found += [one for one in config_maps if one["metadata"]["name"] in _ROOT_CERTIFICATES]
    found += [one for one in [*others, *leases] if _is_election(one)]
    found += [one for one in others if one["metadata"]["name"] == UPGRADE_RECORD]
    secret = cluster.get(_SECRET, ROOT_KEY, namespace) if root_key else None
    return _once([*found, *([secret] if secret else [])])


def _is_election(obj: Object) -> bool:
    held = obj["kind"] == _LEASE.kind or _ELECTED in (obj["metadata"].get("annotations") or {})
    return held and _ELECTION.fullmatch(obj["metadata"]["name"]) is not None


def _listed(cluster: Cluster, namespace: str) -> Iterator[Object]:
    """Find the inventories of a mesh's control planes, and what they list of kinds not searched by label."""
    selector = f"{LABEL}={_MODULE}"
    for config_map in cluster.list(_CONFIG_MAP, namespace, label_selector=selector) if namespace else ():
        if not applied_by(config_map, INSTALLERS):
            continue
        yield config_map
        for key in listed_in(config_map):
            obj = cluster.get(key.of, key.name, key.namespace) if key.of not in _PURGED else None
            if obj is not None and not is_controlled(obj) and applied_by(obj, INSTALLERS):
                yield obj


def _is_installed(obj: Mapping[str, Any], namespace: str) -> bool:
    """Return whether an object with Istio's labels belongs to the mesh, and is not a copy in another namespace."""
    place = obj["metadata"].get("namespace") or ""
    return not is_controlled(obj) and (not namespace or place in ("", namespace) or applied_by(obj, INSTALLERS))


def _once(objects: Iterable[Object]) -> list[Object]:
    return list({_identity(obj): obj for obj in objects}.values())


def _select(cluster: Cluster, kinds: Iterable[Kind], selector: str) -> Iterator[Object]:
    for objects in cluster.list_many([(kind, "", selector) for kind in kinds]):
        yield from objects


def _identity(obj: Mapping[str, Any]) -> tuple[str, str, str]:
    return obj["kind"], obj["metadata"].get("namespace") or "", obj["metadata"]["name"]
