# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory C(meshops.istio.aks): AKS clusters of an Azure subscription as hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: aks
short_description: Use the AKS clusters of an Azure subscription as hosts
version_added: 0.1.0
author:
  - The meshops.istio authors (@meshops)
description:
  - Adds a host for each cluster, with the name of the cluster, and the resource group as a suffix if several clusters
    have the same name. The host has the variables of the role P(meshops.istio.cluster#role), which fetches the
    kubeconfig.
  - Adds all hosts to the groups C(clusters) and C(aks), and to the groups C(location_NAME) and
    C(kubernetes_MAJOR_MINOR). Adds stopped clusters to the group C(stopped).
  - Tasks run on the controller (C(ansible_connection=local)) with its Python interpreter.
  - Does not store secrets or connect to the clusters. The variable C(aks) contains the properties of the cluster in
    Azure.
  - Requires the collection C(azure.azcollection), and authenticates as this collection does, by environment variables
    (E(AZURE_SUBSCRIPTION_ID), E(AZURE_CLIENT_ID), E(AZURE_SECRET), E(AZURE_TENANT)), C(~/.azure/credentials), a managed
    identity or C(az login).
requirements:
  - azure.azcollection and the Python packages in requirements-azure.txt
extends_documentation_fragment:
  - constructed
  - inventory_cache
options:
  plugin:
    description: Name of this plugin.
    type: str
    required: true
    choices: [meshops.istio.aks]
  tags:
    description: Tags that the clusters must have. A blank value matches any value.
    type: dict
    default: {}
  resource_groups:
    description: Resource groups of the clusters, as shell patterns, for example V(mesh-*).
    type: list
    elements: str
    default: ["*"]
  auth_source:
    description: Source of the Azure credentials.
    type: str
    choices: [auto, cli, env, credential_file, msi]
    default: auto
    env:
      - name: ANSIBLE_AZURE_AUTH_SOURCE
"""

EXAMPLES = r"""
# meshes.yml, for ansible-playbook -i meshes.yml meshops.istio.cluster meshops.istio.site
plugin: meshops.istio.aks
tags:
  team: mesh
  meshops-istio: ""
keyed_groups:
  - key: aks.tags.stage
    prefix: stage
"""

import fnmatch
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.meshops.istio.plugins.filter.azure_failure import azure_failure
from ansible_collections.meshops.istio.plugins.filter.not_importable import not_importable
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import MeshError
from ansible_collections.meshops.istio.plugins.plugin_utils.cluster_inventory import ClusterInventory, Host

API_VERSION = "2024-08-01"
NEEDED = ("ansible_collections.azure.azcollection", "azure.mgmt.containerservice", "azure.identity")
_OF_A_POOL = ("name", "count", "vm_size", "mode")


class InventoryModule(ClusterInventory):
    """Inventory plugin."""

    NAME = "meshops.istio.aks"

    def find(self) -> dict[str, dict[str, Any]]:
        """Return the properties of all matching clusters, by resource ID."""
        patterns = [pattern.lower() for pattern in self.get_option("resource_groups")]
        listed = (told(cluster) for cluster in list_clusters(self.get_option("auth_source")))
        return {
            cluster["id"]: cluster
            for cluster in listed
            if any(fnmatch.fnmatchcase(cluster["resource_group"].lower(), pattern) for pattern in patterns)
            and has_tags(cluster["tags"], self.get_option("tags"))
        }

    def hosts(self, found: Mapping[str, Mapping[str, Any]]) -> Iterator[Host]:
        """Yield a host for each cluster."""
        names = Counter(cluster["name"] for cluster in found.values())
        for cluster in found.values():
            alone = names[cluster["name"]] == 1
            name = cluster["name"] if alone else f"{cluster['name']}-{cluster['resource_group']}"
            yield Host(name, variables_of(cluster), groups_of(cluster))


def list_clusters(auth_source: str) -> list[dict[str, Any]]:
    """List the clusters of the subscription with Azure's SDK; raises MeshError."""
    lacking = not_importable(NEEDED)
    if lacking:
        raise MeshError(
            f"The inventory meshops.istio.aks needs {' and '.join(lacking)}, which this Python does not find; install"
            " azure.azcollection, as the PyPI package ansible brings it, and the libraries of requirements-azure.txt."
        )
    from ansible_collections.azure.azcollection.plugins.module_utils.azure_rm_common import (
        AzureRMAuth,
        AzureRMAuthException,
    )
    from azure.core.exceptions import AzureError
    from azure.mgmt.containerservice import ContainerServiceClient

    try:
        login = AzureRMAuth(auth_source=auth_source)
        manager = login._cloud_environment.endpoints.resource_manager.rstrip("/") + "/"
        client = ContainerServiceClient(
            credential=login.azure_credential_track2,
            subscription_id=login.subscription_id,
            base_url=manager,
            credential_scopes=[f"{manager}.default"],
            api_version=API_VERSION,
        )
        return [cluster.as_dict() for cluster in client.managed_clusters.list()]
    except (AzureError, AzureRMAuthException) as error:
        raise MeshError(azure_failure({"msg": str(error)}, "Listing the clusters of AKS")) from error


def told(cluster: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of a cluster that are not secret."""
    pools = cluster.get("agent_pool_profiles") or []
    return {
        "id": cluster["id"],
        "name": cluster["name"],
        "resource_group": cluster["id"].split("/")[4],
        "location": cluster.get("location") or "",
        "kubernetes": cluster.get("kubernetes_version") or "",
        "server": cluster.get("fqdn") or cluster.get("private_fqdn") or "",
        "state": cluster.get("provisioning_state") or "",
        "power": (cluster.get("power_state") or {}).get("code") or "",
        "network_plugin": (cluster.get("network_profile") or {}).get("network_plugin") or "",
        "node_pools": [{key: pool[key] for key in _OF_A_POOL if key in pool} for pool in pools],
        "istio_addon": (cluster.get("service_mesh_profile") or {}).get("mode") == "Istio",
        "tags": dict(cluster.get("tags") or {}),
    }


def has_tags(tags: Mapping[str, str], wanted: Mapping[str, Any]) -> bool:
    """Check that all wanted tags exist. Wanted values that are blank match any value."""
    return all(name in tags and value in (None, "", tags[name]) for name, value in wanted.items())


def variables_of(cluster: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables of the host, which describe the existing cluster to the role cluster."""
    return {
        "aks": dict(cluster),
        "cluster_provider": "aks",
        "cluster_name": cluster["name"],
        "cluster_kubernetes_version": cluster["kubernetes"],
        "cluster_aks_resource_group": cluster["resource_group"],
        "cluster_aks_location": cluster["location"],
        "cluster_aks_network_plugin": cluster["network_plugin"],
        "cluster_aks_node_pools": cluster["node_pools"],
        "mesh_server": f"https://{cluster['server']}:443",
    }


def groups_of(cluster: Mapping[str, Any]) -> Iterator[str]:
    """Yield the groups of a cluster."""
    yield "aks"
    yield f"location_{cluster['location']}"
    if cluster["kubernetes"]:
        yield f"kubernetes_{'_'.join(cluster['kubernetes'].split('.')[:2])}"
    if cluster["power"] == "Stopped":
        yield "stopped"
