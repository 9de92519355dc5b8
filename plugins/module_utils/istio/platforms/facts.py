# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the facts of a cluster: server, context, version, platform and nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..gateways.addresses import node_hosts
from .detection import nodes_of, platform_of

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

BALANCING = frozenset({"aks", "eks", "gke", "openshift"})
"""Platforms that assign an address to every Service of type LoadBalancer."""


def read_cluster(cluster: Cluster) -> dict[str, Any]:
    """Return the facts of a cluster, as plain data.

    - server, context (None without a kubeconfig), kubernetes (its version), platform (as `platform_of`).
    - nodes: by name, {name, hosts}, with their external addresses; empty without permission to list them.
    - ingress: {type, hosts}, the recommended type of a gateway's Service, and the nodes' addresses if it is NodePort.
    """
    nodes = nodes_of(cluster)
    platform = platform_of(cluster)
    kind = "LoadBalancer" if platform in BALANCING else "NodePort"
    return {
        "server": cluster.server,
        "context": cluster.context,
        "kubernetes": str(cluster.version()),
        "platform": platform,
        "nodes": [{"name": node["metadata"]["name"], "hosts": node_hosts([node])} for node in nodes],
        "ingress": {"type": kind, "hosts": node_hosts(nodes) if kind == "NodePort" else []},
    }
