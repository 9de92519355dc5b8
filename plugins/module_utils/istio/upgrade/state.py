# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what an upgrade moves, and tell what of it is left to do: nothing of that is kept anywhere but in the cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...kube.errors import Refused
from ...kube.objects.kinds import DEPLOYMENT, MUTATING_WEBHOOK_CONFIGURATION, NAMESPACE, POD
from ...kube.objects.objects import Object, key_of
from ..control_plane import installed_objects
from ..injection.injectors import Injectors
from ..injection.restart import due
from ..injection.sidecars import RESTARTABLE, State, state_of
from ..inspection.control_planes import describe
from ..model import labels
from ..model.gateway_workloads import WORKLOADS, is_gateway, name_of
from ..model.labels import labels_of
from ..model.proxies import has_ended, has_sidecar, revision_of
from ..release.versions import version_key
from . import record as records
from .record import Plane, Record

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

STEPS = ("control_plane", "namespaces", "gateways", "tags", "cleanup")
"""The steps of an upgrade, in their order."""

INJECTION = ("istio-injection", labels.REVISION)
"""The labels by which a namespace chooses its injector."""

_GATEWAY_KINDS = (*(kind for kind in installed_objects.PRUNED if kind not in WORKLOADS), *WORKLOADS)


@dataclass(frozen=True)
class Mesh:
    """What a cluster has that an upgrade may move.

    planes: control planes, as `control_planes.describe` returns them. tags: the revision of each tag. owners: workloads
    that can be restarted. gateways: objects of gateways, of all kinds.
    """

    planes: list[dict[str, Any]] = field(default_factory=list)
    tags: Mapping[str, str] = field(default_factory=dict)
    namespaces: Mapping[str, Object] = field(default_factory=dict)
    injectors: Injectors = field(default_factory=Injectors)
    pods: list[Object] = field(default_factory=list)
    owners: list[Object] = field(default_factory=list)
    gateways: list[Object] = field(default_factory=list)
    record: Record | None = None

    @classmethod
    def read(cls, cluster: Cluster, namespace: str) -> Mesh:
        """Read the mesh whose control planes are in `namespace`."""
        gateways = f"{labels.COMPONENT} in ({labels.EGRESS},{labels.INGRESS})"
        istiods, webhooks, namespaces, pods, *lists = cluster.list_many(
            [
                (DEPLOYMENT, namespace, "app=istiod"),
                (MUTATING_WEBHOOK_CONFIGURATION, "", labels.TAG),
                (NAMESPACE, "", ""),
                (POD, "", ""),
                *((kind, "", "") for kind in RESTARTABLE.values()),
                *((kind, "", gateways) for kind in _GATEWAY_KINDS),
            ]
        )
        owners = [one for found in lists[: len(RESTARTABLE)] for one in found]
        found = [one for kind in lists[len(RESTARTABLE) :] for one in kind]
        workloads = sorted(filter(is_gateway, found), key=name_of)
        return cls(
            planes=describe(istiods, workloads, webhooks, pods)["control_planes"],
            tags={labels_of(one)[labels.TAG]: labels_of(one).get(labels.REVISION, "") for one in webhooks},
            namespaces={one["metadata"]["name"]: one for one in namespaces},
            injectors=Injectors.read(cluster),
            pods=pods,
            owners=owners,
            gateways=found,
            record=records.read(cluster, namespace),
        )

    def plane(self, revision: str) -> dict[str, Any] | None:
        """Return the control plane of a revision, None if there is none."""
        return next((one for one in self.planes if one["revision"] == revision), None)

    def injected_by(self, revision: str) -> dict[str, dict[str, str]]:
        """Return the namespaces that a revision injects by their labels, each with these labels."""
        return {
            name: own
            for name, one in sorted(self.namespaces.items())
            if (own := injection_labels(one)) and self.injectors.of_namespace(one) == revision
        }

    def tags_of(self, revision: str) -> list[str]:
        """Return the tags that point at a revision."""
        return sorted(tag for tag, target in self.tags.items() if target == revision)

    def gateways_of(self, revision: str) -> list[Object]:
        """Return the objects of gateways that belong to a revision."""
        return [one for one in self.gateways if labels_of(one).get(labels.REVISION) == revision]

    def sidecars(self, names: Iterable[str] | None = None) -> State:
        """Return the sidecars of some namespaces, or of all."""
        chosen = self.namespaces.values() if names is None else _known(self.namespaces, names)
        return state_of(self.injectors, chosen, self.pods, self.owners)

    def proxies(self, namespace: str) -> dict[str, int]:
        """Count the sidecars of a namespace by revision."""
        found = (pod for pod in self.pods if pod["metadata"].get("namespace") == namespace and not has_ended(pod))
        return dict(sorted(Counter(revision_of(pod) or "unknown" for pod in found if has_sidecar(pod)).items()))


def injection_labels(namespace: Object) -> dict[str, str]:
    """Return the labels by which a namespace chooses its injector."""
    own = labels_of(namespace)
    return {name: own[name] for name in INJECTION if name in own and own[name] != "disabled"}


def _known(namespaces: Mapping[str, Object], names: Iterable[str]) -> Iterator[Object]:
    return (namespaces[name] for name in dict.fromkeys(names) if name in namespaces)


def choose(mesh: Mesh, wanted: Plane, old: str = "", *, downgrade: bool = False) -> Record | None:
    """Return the upgrade to do, with what it has to move; None if the wanted control plane is the only one.

    old: the revision to upgrade from, where there are several. Raises Refused where there is nothing to upgrade, another
    upgrade is under way, or the wanted version is not newer (except with `downgrade`).
    """
    record = mesh.record
    if record is not None and record.new == wanted:
        return record.including(mesh.tags_of(record.old.revision), mesh.injected_by(record.old.revision))
    if record is not None and mesh.plane(record.old.revision) and mesh.plane(record.new.revision):
        raise Refused(
            f"Cannot upgrade to {wanted}: the upgrade from {record.old} to {record.new} is under way. Complete it, or roll"
            " it back.",
            code="upgrade_under_way",
            upgrade=plain(record),
        )
    found = _old_plane(mesh, wanted, old)
    if found is None:
        return None
    if version_key(found.version) >= version_key(wanted.version) and not downgrade:
        raise Refused(
            f"Cannot upgrade to {wanted}: the installed version {found} is not older. Set a newer version, or allow the"
            " downgrade by upgrade_allow_downgrade.",
            code="not_newer",
            installed=found.version,
        )
    namespaces = mesh.injected_by(found.revision)
    # Without a default tag, the revision without a name injects them itself.
    labelled = ["default"] if any("istio-injection" in own for own in namespaces.values()) else []
    return Record(found, wanted, tuple(sorted({*mesh.tags_of(found.revision), *labelled})), namespaces)


def _old_plane(mesh: Mesh, wanted: Plane, old: str) -> Plane | None:
    there = mesh.plane(wanted.revision)
    others = {one["revision"]: Plane(one["revision"], one["version"]) for one in mesh.planes}
    others.pop(wanted.revision, None)
    if there is not None and there["version"] != wanted.version:
        raise Refused(
            f"Cannot upgrade to {wanted}: revision {wanted.revision} is installed with version {there['version']}. Set"
            " another revision, or upgrade it in place.",
            code="revision_taken",
            installed=there["version"],
        )
    if old and old not in others:
        raise Refused(
            f"Cannot upgrade from revision {old}: not found in the cluster, which has"
            f" {', '.join(sorted(others)) or 'no other'}. Set upgrade_from to one of its revisions.",
            code="revision_missing",
            revisions=sorted(others),
        )
    if old or len(others) == 1:
        return others[old or next(iter(others))]
    if others:
        raise Refused(
            f"Cannot upgrade to {wanted}: the cluster has the revisions {', '.join(sorted(others))}. Set upgrade_from to"
            " the one to replace.",
            code="several_revisions",
            revisions=sorted(others),
        )
    if there is None:
        raise Refused(
            f"Cannot upgrade to {wanted}: no control plane found in the cluster. Install it by the playbook"
            " meshops.istio.site.",
            code="nothing_to_upgrade",
        )
    return None


def remaining(mesh: Mesh, record: Record, installed: Iterable[Object]) -> dict[str, list[str]]:
    """Return what each step of an upgrade has left to do, as text; `installed`: the objects of the old revision."""
    old, new = record.old, record.new
    plane = mesh.plane(new.revision)
    up = plane is not None and plane["version"] == new.version and plane["healthy"]
    left = mesh.injected_by(old.revision)
    moved = [name for name in record.namespaces if name in mesh.namespaces and name not in left]
    state = mesh.sidecars(moved)
    late = {one.namespace for one in [*due(state.workloads, outdated=False).restarts, *state.restarted]}
    return {
        "control_plane": [] if up else [f"istiod {new.version} of revision {new.revision}"],
        "namespaces": sorted({*left, *late}),
        "gateways": sorted(str(key_of(one)) for one in mesh.gateways_of(old.revision)),
        "tags": [
            *(f"tag {tag}" for tag in record.tags if mesh.tags.get(tag) != new.revision),
            *(f"labels of namespace {name}" for name in unrestored(mesh, record)),
        ],
        "cleanup": sorted(str(key_of(one)) for one in installed),
    }


def unrestored(mesh: Mesh, record: Record) -> list[str]:
    """Return the namespaces whose labels are not yet those with which they stay in the new revision."""
    wanted = {name: final_labels(own, record) for name, own in record.namespaces.items()}
    return [
        name
        for name, own in sorted(wanted.items())
        if name in mesh.namespaces and injection_labels(mesh.namespaces[name]) != own
    ]


def final_labels(own: Mapping[str, str], record: Record) -> dict[str, str]:
    """Return a namespace's labels after the upgrade: as before, but for the name of the old revision."""
    renamed = record.old.revision not in record.tags and own.get(labels.REVISION) == record.old.revision
    return {**own, labels.REVISION: record.new.revision} if renamed else dict(own)


def nothing_left() -> dict[str, list[str]]:
    """Return what a complete upgrade has left to do."""
    return {step: [] for step in STEPS}


def next_step(left: Mapping[str, list[str]]) -> str:
    """Return the first step that has something left to do; empty if the upgrade is complete."""
    return next((step for step in STEPS if left[step]), "")


def plain(record: Record) -> dict[str, Any]:
    """Return an upgrade as plain data."""
    return {"from": record.old._asdict(), "to": record.new._asdict()}
