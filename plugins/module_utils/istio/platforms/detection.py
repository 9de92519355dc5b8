# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Detect the platform of a cluster from its API groups, version and nodes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...kube.errors import ApiError
from ...kube.objects.kinds import NODE
from ...kube.objects.objects import Kind

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

OTHER = "other"
"""A platform that is not known."""

OPENSHIFT = Kind("config.openshift.io/v1", "ClusterVersion")
"""A kind that only OpenShift serves."""

_VERSIONS = {"eks": re.compile(r"-eks-"), "gke": re.compile(r"-gke\."), "k3s": re.compile(r"\+k3s")}
_LABELS = {
    "kubernetes.azure.com/cluster": "aks",
    "cloud.google.com/gke-nodepool": "gke",
    "eks.amazonaws.com/nodegroup": "eks",
    "minikube.k8s.io/name": "minikube",
    "microk8s.io/cluster": "microk8s",
}
_PROVIDERS = {"kind": "kind", "k3s": "k3s"}  # those of clouds are also set in self-managed clusters


def platform_of(cluster: Cluster) -> str:
    """Return `aks`, `eks`, `gke`, `k3s`, `kind`, `microk8s`, `minikube`, `openshift`, or `other`.

    Reads the server's version and API groups, and the nodes if the user has permission.
    """
    if cluster.serves(OPENSHIFT):
        return "openshift"
    git = cluster.version().git
    for name, pattern in _VERSIONS.items():
        if pattern.search(git):
            return name
    for node in nodes_of(cluster):
        for label in node["metadata"].get("labels") or {}:
            if label in _LABELS:
                return _LABELS[label]
        provider = str((node.get("spec") or {}).get("providerID") or "").partition(":")[0]
        if provider in _PROVIDERS:
            return _PROVIDERS[provider]
    return OTHER


def nodes_of(cluster: Cluster) -> list[dict[str, Any]]:
    """List the nodes of a cluster; empty without permission."""
    try:
        return cluster.list(NODE)
    except ApiError as error:
        if error.status == 403:
            return []
        raise
