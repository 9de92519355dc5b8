# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An application: any set of manifests that is applied, awaited and removed as one unit.

Its objects carry two labels that say which application they belong to, its name and its namespace. By them what it
no longer contains is found again, whatever happened in between.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..kube.errors import ApiError, InvalidInput, Refused, UnknownKind
from ..kube.field_managers import PREVIOUS
from ..kube.objects import Kind, key_of, kind_of
from ..kube.plan import Plan, Unit
from ..kube.resources import OWN_GROUPS
from .injected_pod import as_injected
from .kinds import DEFINITIONS, KINDS, RETIRED_GROUPS, is_awaited
from .labels import labels_of
from .namespaces import unusable

if TYPE_CHECKING:
    from ..kube.cluster import Cluster

Object = dict[str, Any]

MANAGER = "meshops.istio/application"

NAME_LABEL = "meshops.istio/application"
NAMESPACE_LABEL = "meshops.istio/application-namespace"

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
SEARCHED = (
    *(
        Kind("v1", kind)
        for kind in ("ConfigMap", "LimitRange", "Namespace", "PersistentVolume", "PersistentVolumeClaim")
    ),
    *(Kind("v1", kind) for kind in ("Pod", "ResourceQuota", "Secret", "Service", "ServiceAccount")),
    *(Kind("apps/v1", kind) for kind in ("DaemonSet", "Deployment", "StatefulSet")),
    *(Kind("batch/v1", kind) for kind in ("CronJob", "Job")),
    *(Kind("networking.k8s.io/v1", kind) for kind in ("Ingress", "NetworkPolicy")),
    *(Kind("rbac.authorization.k8s.io/v1", kind) for kind in ("ClusterRole", "ClusterRoleBinding")),
    *(Kind("rbac.authorization.k8s.io/v1", kind) for kind in ("Role", "RoleBinding")),
    Kind("autoscaling/v2", "HorizontalPodAutoscaler"),
    Kind("policy/v1", "PodDisruptionBudget"),
    Kind("storage.k8s.io/v1", "StorageClass"),
    Kind("scheduling.k8s.io/v1", "PriorityClass"),
    Kind("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    Kind("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    *KINDS,
)
"""The kinds among which an application's earlier objects are looked for, beside those that it still has."""


@dataclass(frozen=True)
class Application:
    """An application by the name and the namespace that together identify it; the namespace is also its objects'."""

    name: str
    namespace: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidInput(
                f"'{self.name}' cannot be the name of an application: it is made of at most 63 lower-case letters, digits"
                " and '-'.",
                name=self.name,
            )

    @property
    def labels(self) -> dict[str, str]:
        """The labels of its objects."""
        return {NAME_LABEL: self.name, NAMESPACE_LABEL: self.namespace}

    def placed(self, cluster: Cluster, objects: Iterable[Mapping[str, Any]], *, guess: bool = False) -> list[Object]:
        """The objects as they are applied: in their namespaces, with the labels.

        With `guess` a kind that the cluster does not know counts as namespaced, unless it is of Kubernetes' own groups:
        something else may be about to define it. Otherwise it raises InvalidInput.
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

    def unit(self, objects: Sequence[Object], *, prune: bool = True) -> Unit:
        """What `reconcile` makes of the cluster: these objects and, with `prune`, no others of this application."""
        return Unit(
            manager=f"{MANAGER}/{self.name}",
            objects=objects,
            retired=PREVIOUS,
            stale=(lambda cluster: self.live(cluster, objects)) if prune else None,
            adjust=as_injected,
            awaited=is_awaited,
        )

    def live(self, cluster: Cluster, objects: Sequence[Object]) -> list[Object]:
        """The application's objects in the cluster: those of Kubernetes' own and Istio's kinds, and of `objects`' kinds."""
        cluster.learn(DEFINITIONS)
        # Read at the version that is applied, else at any.
        kinds = {(kind.group, kind.kind): kind for kind in (*SEARCHED, *map(kind_of, objects))}
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
            # Who may look into some namespaces only cannot have put objects into others.
            return [obj for namespace in sorted(namespaces) for obj in _readable(cluster, kind, namespace, selector)]

        found = [obj for objects in cluster.parallel(read, list(kinds.values())) for obj in objects]
        # What is found here may be deleted: no proxy that drops a selector shall widen it.
        return [obj for obj in found if self.labels.items() <= labels_of(obj).items()]

    def check(self, cluster: Cluster, plan: Plan, *, force: bool = False, check_mode: bool = False) -> None:
        """Raise Refused for a plan that cannot work or, unless forced, that takes what another application has."""
        created = [change.desired for change in plan.changes if change.action == "create" and change.desired]
        _refuse_missing_namespaces(cluster, created)
        if not check_mode:  # where what would define a kind may have been planned only
            _refuse_unserved_kinds(cluster, created)
        for change in plan.changes:
            own = labels_of(change.before) if change.before else {}
            owner = own.get(NAME_LABEL), own.get(NAMESPACE_LABEL)
            if not force and owner[0] and owner != (self.name, self.namespace):
                raise Refused(
                    f"{change.key} belongs to the application {owner[0]} of namespace {owner[1]}: take it out of one of"
                    " the two, or force the move.",
                    code="claimed",
                    object=change.key._asdict(),
                    application=owner[0],
                    namespace=owner[1],
                )


def missing_namespaces(cluster: Cluster, objects: Iterable[Object]) -> list[Object]:
    """The namespaces that `objects` need and that neither they nor the cluster have, as objects.

    One that is being deleted is among them: once it is gone, it is missing.
    """
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in _missing(cluster, objects)
    ]


def _missing(cluster: Cluster, objects: Iterable[Object]) -> dict[str, str]:
    made = {obj["metadata"]["name"] for obj in objects if obj["kind"] == "Namespace"}
    return unusable(cluster, {key_of(obj).namespace for obj in objects} - made)


def _namespaced(cluster: Cluster, obj: Mapping[str, Any], guess: bool) -> bool:
    kind = kind_of(obj)
    try:
        return cluster.namespaced(kind)
    except UnknownKind as error:
        if kind.group in RETIRED_GROUPS:
            raise InvalidInput(
                f"{kind.kind} of {kind.api_version} is not part of Istio any more: use {RETIRED_GROUPS[kind.group]}.",
                code="unknown_kind",
                kind=kind._asdict(),
            ) from error
        if not guess or kind.group in OWN_GROUPS:
            change = f"change the apiVersion of {key_of(obj)}"
            other = f"correct {key_of(obj)}, or install first what defines its kind"
            remedy = change if error.details["served"] else other
            raise InvalidInput(
                f"{error.message.rstrip('.')}: {remedy}.",
                code=error.code,
                object=key_of(obj)._asdict(),
                **error.details,
            ) from error
    names = {"kind": kind.kind, "plural": f"{kind.kind.lower()}s"}
    version = kind.api_version.rpartition("/")[2]
    cluster.learn(
        [{"spec": {"group": kind.group, "scope": "Namespaced", "names": names, "versions": [{"name": version}]}}]
    )
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
        gone = " once it is gone" if fault == "is being deleted" else ""
        raise Refused(
            f"The namespace {name} {fault}, and {first} belongs into it: create it{gone}, or set create_namespaces.",
            code="namespace_missing",
            namespaces=list(missing),
        )


def _refuse_unserved_kinds(cluster: Cluster, created: Sequence[Object]) -> None:
    for kind in sorted({kind_of(obj) for obj in created} & set(KINDS)):
        if not cluster.serves(kind):
            raise Refused(
                f"The cluster does not know {kind.kind} of {kind.api_version}: install Istio first, in a version that"
                " has it.",
                code="unknown_kind",
                kind=kind._asdict(),
            )
