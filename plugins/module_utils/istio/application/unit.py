# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An application: a set of manifests that is applied, awaited and deleted as one unit.

Its objects have two labels with the name and the namespace of the application. An inventory in its namespace lists
them, so that objects of any kind are pruned when they are no longer part of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ...kube.api.unserved import refuse_unserved
from ...kube.apply.lock import Lock
from ...kube.errors import ApiError, InvalidInput, Refused, UnknownKind
from ...kube.objects.builtin_kinds import OWN_GROUPS
from ...kube.objects.field_managers import PREVIOUS
from ...kube.objects.names import refuse_invalid_namespaces
from ...kube.objects.objects import Kind, Object, key_of, kind_of
from ...kube.plan.inventory import Inventory
from ...kube.plan.keep import reason_to_keep
from ...kube.plan.plan import Plan
from ...kube.plan.unit import Unit
from ..injection.injected_pod import as_injected
from ..model.kinds import DEFINITIONS, INSTALL_ISTIO, KINDS, REMOVED_GROUPS, is_awaited
from ..model.labels import labels_of
from ..model.namespaces import unusable

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

MANAGER = "meshops.istio/application"

NAME_LABEL = "meshops.istio/application"
NAMESPACE_LABEL = "meshops.istio/application-namespace"

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_UNSEARCHED = frozenset({"ComponentStatus", "ControllerRevision", "Event", "Node"})
"""Kinds that nobody applies, and of which a cluster has many objects."""


@dataclass(frozen=True)
class Application:
    """An application, identified by name and namespace; the namespace is also the default one of its objects."""

    name: str
    namespace: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidInput(
                f"The application name '{self.name}' is invalid: it must consist of at most 63 lower case letters, digits"
                " and '-'.",
                name=self.name,
            )

    @property
    def labels(self) -> dict[str, str]:
        """The labels of its objects."""
        return {NAME_LABEL: self.name, NAMESPACE_LABEL: self.namespace}

    @property
    def lock(self) -> Lock:
        """The lock that allows one run at a time, in the namespace in which the user has permissions."""
        return Lock.of("application", self.name, namespace=self.namespace)

    def placed(self, cluster: Cluster, objects: Iterable[Mapping[str, Any]], *, guess: bool = False) -> list[Object]:
        """Return the objects as they are applied: in their namespaces, with the labels.

        With `guess` a kind that the cluster does not serve counts as namespaced, unless it is of a built-in group: its
        CRD may come with another application. Otherwise it raises InvalidInput.
        """
        cluster.learn([*DEFINITIONS, *(obj for obj in objects if obj["kind"] == "CustomResourceDefinition")])
        return [self._placed(cluster, obj, guess) for obj in objects]

    def _placed(self, cluster: Cluster, obj: Mapping[str, Any], guess: bool) -> Object:
        metadata = dict(obj["metadata"])
        if _namespaced(cluster, obj, guess):
            metadata["namespace"] = metadata.get("namespace") or self.namespace
        else:
            metadata.pop("namespace", None)
        metadata["labels"] = {**(metadata.get("labels") or {}), **self.labels}
        return {**obj, "metadata": metadata}

    def unit(self, objects: Sequence[Object], *, prune: bool = True, claims: Sequence[str] = ()) -> Unit:
        """Return the desired state: these objects and, with `prune`, no others of this application.

        claims: the PersistentVolumeClaims that may be pruned; others are never deleted.
        """
        return Unit(
            manager=f"{MANAGER}/{self.name}",
            objects=objects,
            previous_managers=PREVIOUS,
            stale=lambda cluster: self.labelled(cluster, objects),
            inventory=Inventory(
                "application",
                self.name,
                self.namespace,
                # Namespaces created by create_namespaces have no labels.
                records=lambda obj: self.labels.items() <= labels_of(obj).items(),
                owns=lambda obj: owner_of(obj) in ((self.name, self.namespace), ("", "")),
                prunes=lambda _obj: prune,
            ),
            keeps=partial(reason_to_keep, claims=claims),
            adjust=as_injected,
            awaited=is_awaited,
        )

    def labelled(self, cluster: Cluster, objects: Sequence[Object]) -> list[Object]:
        """List the objects with the application's labels, of all kinds that can be listed and deleted.

        Used if there is no inventory, which early releases of the collection did not write.
        """
        kinds = [kind for kind in cluster.deletable() if kind.kind not in _UNSEARCHED]
        namespaces = {self.namespace, *(key_of(obj).namespace for obj in objects)} - {""}
        selector = ",".join(f"{name}={value}" for name, value in self.labels.items())

        def read(kind: Kind) -> list[Object]:
            try:
                return cluster.list(kind, label_selector=selector)
            except ApiError as error:
                if error.status != 403:
                    raise
            if not cluster.namespaced(kind):
                return []
            # Without permission to list all namespaces, list those of the application.
            return [obj for namespace in sorted(namespaces) for obj in _readable(cluster, kind, namespace, selector)]

        found = [obj for objects in cluster.parallel(read, kinds) for obj in objects]
        # These objects may be deleted, so do not rely on a proxy to pass the selector on.
        return [obj for obj in found if self.labels.items() <= labels_of(obj).items()]

    def check(self, cluster: Cluster, plan: Plan, *, force: bool = False, check_mode: bool = False) -> None:
        """Raise Refused for a plan that cannot work or, unless forced, that takes over another application's objects."""
        writes = (*plan.changes, *plan.bookkeeping)
        created = [change.desired for change in writes if change.action == "create" and change.desired]
        _refuse_missing_namespaces(cluster, created)
        if not check_mode:  # in which an earlier step does not create the CRDs
            _refuse_unserved_kinds(cluster, created)
        for change in plan.changes:
            owner = owner_of(change.before or {})
            if not force and owner[0] and owner != (self.name, self.namespace):
                raise Refused(
                    f"Cannot apply {change.key}: it already belongs to the application {owner[0]} of namespace"
                    f" {owner[1]}. Remove it from one of them, or set force to true to move it.",
                    code="claimed",
                    object=change.key._asdict(),
                    application=owner[0],
                    namespace=owner[1],
                )


def owner_of(obj: Mapping[str, Any]) -> tuple[str, str]:
    """Return name and namespace of the application that an object belongs to by its labels; empty if to none."""
    own = labels_of(obj)
    return own.get(NAME_LABEL, ""), own.get(NAMESPACE_LABEL, "")


def missing_namespaces(cluster: Cluster, objects: Iterable[Object]) -> list[Object]:
    """Return the namespaces that `objects` need and that are not found in them or the cluster, as objects.

    One that is being deleted counts as not found. Raises InvalidInput for invalid names.
    """
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in _missing(cluster, objects)
    ]


def _missing(cluster: Cluster, objects: Iterable[Object]) -> dict[str, str]:
    made = {obj["metadata"]["name"] for obj in objects if obj["kind"] == "Namespace"}
    needed = {key_of(obj).namespace for obj in objects} - made
    refuse_invalid_namespaces(sorted(needed - {""}))
    return unusable(cluster, needed)


def _namespaced(cluster: Cluster, obj: Mapping[str, Any], guess: bool) -> bool:
    kind = kind_of(obj)
    try:
        return cluster.namespaced(kind)
    except UnknownKind as error:
        if kind.group in REMOVED_GROUPS:
            raise InvalidInput(
                f"Cannot apply {key_of(obj)}: Istio has removed {kind.api_version}. Use {REMOVED_GROUPS[kind.group]}.",
                code="unknown_kind",
                kind=kind._asdict(),
            ) from error
        if not guess or kind.group in OWN_GROUPS:
            change = f"Change the apiVersion of {key_of(obj)}"
            other = f"Correct the kind of {key_of(obj)}, or install its CustomResourceDefinition first"
            remedy = change if error.details["served"] else other
            raise InvalidInput(
                f"{error.message.rstrip('.')}. {remedy}.",
                code=error.code,
                object=key_of(obj)._asdict(),
                **error.details,
            ) from error
    cluster.discovery.guess(kind)
    return True


def _readable(cluster: Cluster, kind: Kind, namespace: str, selector: str) -> list[Object]:
    try:
        return cluster.list(kind, namespace, label_selector=selector)
    except ApiError as error:
        if error.status != 403:
            raise
        return []


def _refuse_missing_namespaces(cluster: Cluster, created: Sequence[Object]) -> None:
    missing = _missing(cluster, created)
    for name, fault in missing.items():
        first = next(key_of(obj) for obj in created if obj["metadata"].get("namespace") == name)
        after = " after it is deleted" if fault == "is being deleted" else ""
        raise Refused(
            f"Cannot apply {first}: Namespace {name} {fault}. Create it{after}, or set create_namespaces to true.",
            code="namespace_missing",
            namespaces=list(missing),
        )


def _refuse_unserved_kinds(cluster: Cluster, created: Sequence[Object]) -> None:
    kinds = sorted({kind_of(obj) for obj in created} & set(KINDS))
    refuse_unserved(cluster, kinds, INSTALL_ISTIO, code="unknown_kind")
