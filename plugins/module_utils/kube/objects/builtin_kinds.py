# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resources of kinds: plural name, and whether they are namespaced.

Kubernetes' kinds are in a table, to which those of a plan's CRDs are added, so that most runs need no discovery; other
kinds are looked up once by aggregated discovery (two requests; more before Kubernetes 1.27).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .objects import Kind
from .shapes import TEXT, List, Map, fitting, map_of, maps_of


class Resource(NamedTuple):
    """The resource of a kind: its `plural` name in paths, and whether it is namespaced.

    deletable: its objects can be listed and deleted, by discovery.
    """

    plural: str
    namespaced: bool
    deletable: bool = False


def _table(api_version: str, namespaced: bool, kinds: str) -> dict[Kind, Resource]:
    return {Kind(api_version, kind): Resource(_plural(kind), namespaced) for kind in kinds.split()}


def _plural(kind: str) -> str:
    lower = kind.lower()
    if lower == "endpoints":
        return lower
    if lower.endswith("y") and not lower.endswith("ay"):
        return lower[:-1] + "ies"
    return lower + ("es" if lower.endswith(("s", "x", "ch")) else "s")


BUILT_IN: dict[Kind, Resource] = {
    **_table("v1", False, "Namespace Node PersistentVolume"),
    **_table("v1", True, "ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate"),
    **_table("v1", True, "ReplicationController ResourceQuota Secret Service ServiceAccount"),
    **_table("apps/v1", True, "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet"),
    **_table("batch/v1", True, "CronJob Job"),
    **_table("autoscaling/v2", True, "HorizontalPodAutoscaler"),
    **_table("autoscaling/v1", True, "HorizontalPodAutoscaler"),
    **_table("policy/v1", True, "PodDisruptionBudget"),
    **_table("networking.k8s.io/v1", True, "Ingress NetworkPolicy"),
    **_table("networking.k8s.io/v1", False, "IngressClass"),
    **_table("rbac.authorization.k8s.io/v1", True, "Role RoleBinding"),
    **_table("rbac.authorization.k8s.io/v1", False, "ClusterRole ClusterRoleBinding"),
    **_table("admissionregistration.k8s.io/v1", False, "MutatingWebhookConfiguration ValidatingWebhookConfiguration"),
    **_table("admissionregistration.k8s.io/v1", False, "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding"),
    **_table("apiextensions.k8s.io/v1", False, "CustomResourceDefinition"),
    **_table("apiregistration.k8s.io/v1", False, "APIService"),
    **_table("coordination.k8s.io/v1", True, "Lease"),
    **_table("discovery.k8s.io/v1", True, "EndpointSlice"),
    **_table("storage.k8s.io/v1", False, "StorageClass"),
    **_table("scheduling.k8s.io/v1", False, "PriorityClass"),
    **_table("authorization.k8s.io/v1", False, "SelfSubjectAccessReview"),
}

OWN_GROUPS: frozenset[str] = frozenset({"extensions", *(kind.group for kind in BUILT_IN)})
"""Kubernetes' API groups, in which no CRD defines kinds; `extensions` had many of these kinds once."""


def of_definitions(definitions: Iterable[Mapping[str, Any]]) -> dict[Kind, Resource]:
    """Return the kinds of CustomResourceDefinitions, at each served version."""
    found = {}
    for definition in definitions:
        spec = definition.get("spec") or {}
        (group, kind), plural = defined_by(definition), (spec.get("names") or {}).get("plural", "")
        for version in spec.get("versions") or ():
            if version.get("served", True):
                resource = Resource(plural, spec.get("scope") == "Namespaced")
                found[Kind(f"{group}/{version.get('name')}", kind)] = resource
    return found


def defined_by(definition: Mapping[str, Any]) -> tuple[str, str]:
    """Return the group and kind of a CustomResourceDefinition; empty if missing."""
    spec = definition.get("spec") or {}
    return str(spec.get("group", "")), str((spec.get("names") or {}).get("kind", ""))


DISCOVERY = ",".join(
    (
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
        "application/json",
    )
)
"""The media types to accept from /api and /apis: aggregated discovery, else the versions."""


_RESOURCE = Map({"resource": TEXT, "scope": TEXT, "responseKind": Map({"kind": TEXT})})
_GROUPS = Map(
    {
        "items": List(
            Map(
                {
                    "metadata": Map({"name": TEXT}),
                    "versions": List(Map({"version": TEXT, "resources": List(_RESOURCE)})),
                }
            )
        ),
        "groups": List(Map({"versions": List(Map({"groupVersion": TEXT}))})),
    }
)
_VERSION = Map({"groupVersion": TEXT, "resources": List(Map({"name": TEXT, "kind": TEXT}))})
_VERSIONS = Map({"versions": List(TEXT)})


def of_discovery(document: dict[str, Any]) -> dict[Kind, Resource]:
    """Return the kinds in an APIGroupDiscoveryList, or in the APIResourceList of one version."""
    if document.get("kind") == "APIResourceList":
        read = fitting(document, _VERSION)
        return {
            Kind(read.get("groupVersion", ""), resource["kind"]): Resource(
                resource["name"], bool(resource.get("namespaced")), _deletable(resource)
            )
            for resource in read.get("resources") or ()
            if {"name", "kind"} <= resource.keys() and "/" not in resource["name"]
        }
    found = {}
    for group in fitting(document, _GROUPS).get("items") or ():
        name = (group.get("metadata") or {}).get("name", "")
        for version in group.get("versions") or ():
            number = version.get("version", "")
            for resource in version.get("resources") or ():
                kind = (resource.get("responseKind") or {}).get("kind")
                if kind and "resource" in resource:
                    scope = resource.get("scope") == "Namespaced"
                    # For an unavailable group, the server returns stale data.
                    deletable = version.get("freshness") != "Stale" and _deletable(resource)
                    api_version = f"{name}/{number}" if name else number
                    found[Kind(api_version, kind)] = Resource(resource["resource"], scope, deletable)
    return found


def _deletable(resource: Mapping[str, Any]) -> bool:
    verbs = resource.get("verbs")
    return isinstance(verbs, list) and "list" in verbs and "delete" in verbs


def stale_of(document: Mapping[str, Any]) -> set[str]:
    """Return the versions in an APIGroupDiscoveryList whose server is unavailable, such as `metrics.k8s.io/v1beta1`."""
    return {
        f"{map_of(group.get('metadata')).get('name', '')}/{version.get('version')}"
        for group in maps_of(document.get("items"))
        for version in maps_of(group.get("versions"))
        if version.get("freshness") == "Stale"
    }


def versions_of(document: dict[str, Any]) -> list[str]:
    """Return the versions in an answer of /api (APIVersions) or /apis (APIGroupList), such as `apps/v1`."""
    groups = fitting(document, _GROUPS).get("groups") or ()
    listed = [version.get("groupVersion") for group in groups for version in group.get("versions") or ()]
    own = fitting(document, _VERSIONS).get("versions") or ()
    return [*own, *(version for version in listed if version)]
