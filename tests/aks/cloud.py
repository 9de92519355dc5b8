# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the stand-in for Azure has: resource groups, clusters, and operations that take a while.

It knows the rules that the collection relies on and no others: regions, Kubernetes versions, a quota of cores, the form
of node pools. Nothing of it runs: a cluster's kubeconfig is that of another cluster, which the stand-in was given.
"""

from __future__ import annotations

import base64
import re
import threading
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.meshops.istio.tests.aks import bodies
from ansible_collections.meshops.istio.tests.aks.refusals import Refusal, malformed, no_group, not_found

Body = dict[str, Any]

SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
TENANT = "00000000-0000-4000-8000-000000000002"
REGIONS = {"westeurope": "West Europe", "northeurope": "North Europe"}
VERSIONS = ("1.33.7", "1.34.3", "1.35.1")
CORES = 20
"""The quota of a region."""

_TYPE = "Microsoft.ContainerService/managedClusters"
_POOL = re.compile(r"[a-z][a-z0-9]{0,11}")
_CORES_OF = re.compile(r"Standard_[A-Z]+?(\d+)")
_POLLS = 2
"""How often an operation is asked for before it is over."""


@dataclass
class Operation:
    """Something that takes a while: what is left of it, and what comes of it."""

    polls: int
    finish: Any
    failure: Refusal | None = None


@dataclass
class Cloud:
    """The state of one subscription. Everything is done under `lock`."""

    kubeconfig: str
    groups: dict[str, Body] = field(default_factory=dict)
    clusters: dict[tuple[str, str], Body] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    failing_creation: Refusal | None = None
    """What the next creation of a cluster ends with, after it has begun."""
    user_kubeconfig: str = ""
    """What users get, where it is another than that of admins."""

    @classmethod
    def with_kubeconfig_of(cls, path: Path) -> Cloud:
        """A subscription whose clusters are all the cluster of this kubeconfig."""
        return cls(path.read_text(encoding="utf-8"))

    # Resource groups

    def group(self, name: str) -> Body:
        """One resource group."""
        if name.lower() not in self.groups:
            raise no_group(name)
        return self.groups[name.lower()]

    def put_group(self, name: str, body: Body) -> tuple[int, Body]:
        """Create a resource group, or change its tags."""
        bodies.read("ResourceGroup", body)
        region = _region(body.get("location"), "LocationNotAvailableForResourceGroup")
        there = self.groups.get(name.lower())
        if there and there["location"] != region:
            raise Refusal(
                409,
                "InvalidResourceGroupLocation",
                f"Invalid resource group location '{region}'. The Resource group already exists in location"
                f" '{there['location']}'.",
            )
        self.groups[name.lower()] = {
            "id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}",
            "name": name,
            "type": "Microsoft.Resources/resourceGroups",
            "location": region,
            "tags": body.get("tags") or {},
            "properties": {"provisioningState": "Succeeded"},
        }
        return (200 if there else 201), self.groups[name.lower()]

    def delete_group(self, name: str) -> str:
        """Begin to delete a group with all that is in it; returns the operation's name."""
        group = self.group(name)
        group["properties"]["provisioningState"] = "Deleting"

        def gone() -> None:
            self.groups.pop(name.lower(), None)
            for key in [key for key in self.clusters if key[0] == name.lower()]:
                del self.clusters[key]

        return self.begin(gone)

    def resources(self, name: str) -> list[Body]:
        """What is in a group."""
        self.group(name)
        keys = ("id", "name", "type", "location", "tags")
        return [{key: body[key] for key in keys} for (group, _), body in self.clusters.items() if group == name.lower()]

    # Clusters

    def cluster(self, group: str, name: str) -> Body:
        """One cluster."""
        self.group(group)
        if (group.lower(), name) not in self.clusters:
            raise not_found(_TYPE, name, group)
        return self.clusters[group.lower(), name]

    def put_cluster(self, group: str, name: str, body: Body) -> tuple[Body, str]:
        """Begin to create a cluster; returns it as it is so far, and the operation's name."""
        self.group(group)
        bodies.read("ManagedCluster", body)
        properties = dict(body.get("properties") or {})
        region = _region(body.get("location"), "LocationNotAvailableForResourceType")
        there = self.clusters.get((group.lower(), name))
        if there and there["properties"]["provisioningState"] != "Succeeded":
            raise Refusal(
                409,
                "OperationNotAllowed",
                f"Operation is not allowed: Another operation (Creating) is in progress on '{name}'.",
            )
        _check(properties, region, sum(_cores(one["properties"]) for one in self.clusters.values()))
        cluster: Body = {
            "id": f"/subscriptions/{SUBSCRIPTION}/resourcegroups/{group}/providers/{_TYPE}/{name}",
            "name": name,
            "type": _TYPE,
            "location": region,
            "tags": body.get("tags") or {},
            "identity": _identity(body),
            "properties": _filled(properties, name, group, region),
        }
        self.clusters[group.lower(), name] = cluster
        failure, self.failing_creation = self.failing_creation, None

        def done() -> None:
            cluster["properties"]["provisioningState"] = "Failed" if failure else "Succeeded"

        return cluster, self.begin(done, failure)

    def delete_cluster(self, group: str, name: str) -> str:
        """Begin to delete a cluster; returns the operation's name."""
        cluster = self.cluster(group, name)
        cluster["properties"]["provisioningState"] = "Deleting"
        return self.begin(lambda: self.clusters.pop((group.lower(), name), None))

    def credentials(self, group: str, name: str, *, admin: bool) -> Body:
        """A kubeconfig, as the API wraps it."""
        properties = self.cluster(group, name)["properties"]
        if admin and properties.get("disableLocalAccounts"):
            raise malformed(
                "Getting static credential is not allowed because this cluster is set to disable local accounts."
            )
        text = self.kubeconfig if admin else self.user_kubeconfig or self.kubeconfig
        value = base64.b64encode(text.encode()).decode()
        return {"kubeconfigs": [{"name": "clusterAdmin" if admin else "clusterUser", "value": value}]}

    # Operations

    def begin(self, finish: Any, failure: Refusal | None = None) -> str:
        """Begin something that takes a while; returns its name."""
        name = str(uuid.uuid4())
        self.operations[name] = Operation(_POLLS, finish, failure)
        return name

    def poll(self, name: str) -> Operation:
        """One look at an operation, which finishes after some."""
        if name not in self.operations:
            raise Refusal(404, "OperationNotFound", f"The operation '{name}' was not found.")
        operation = self.operations[name]
        operation.polls -= 1
        if operation.polls == 0:
            operation.finish()
        return operation


def _region(location: Any, code: str) -> str:
    region = str(location or "").replace(" ", "").lower()
    if region not in REGIONS:
        known = ",".join(REGIONS)
        raise Refusal(
            400, code, f"The provided location '{location}' is not available. List of available regions is '{known}'."
        )
    return region


def _cores(properties: Body) -> int:
    total = 0
    for pool in properties.get("agentPoolProfiles") or []:
        match = _CORES_OF.match(str(pool.get("vmSize")))
        if not match:
            raise malformed(
                f"The VM size of AgentPoolProfile '{pool.get('vmSize')}' is not allowed in your subscription."
            )
        total += int(match[1]) * int(pool.get("count") or 0)
    return total


def _check(properties: Body, region: str, used: int) -> None:
    version = properties.get("kubernetesVersion")
    if version not in VERSIONS:
        raise Refusal(
            400,
            "K8sVersionNotSupported",
            f"Managed cluster is on version {version} which is not supported in this region.",
        )
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9-]{0,52}[a-zA-Z0-9]", str(properties.get("dnsPrefix") or "")):
        raise malformed("The value of parameter dnsPrefix is invalid.")
    pools = properties.get("agentPoolProfiles") or []
    if not any(pool.get("mode") == "System" for pool in pools):
        raise malformed("Must define at least one system pool.")
    for pool in pools:
        if not _POOL.fullmatch(str(pool.get("name"))):
            raise malformed(f"The value of parameter agentPoolProfile.name '{pool.get('name')}' is invalid.")
    wanted = _cores(properties)
    if used + wanted > CORES:
        raise Refusal(
            400,
            "ErrCode_InsufficientVCPUQuota",
            f"Insufficient vcpu quota requested {wanted}, remaining {CORES - used} for location {region}.",
        )


def _identity(body: Body) -> Body:
    identity = dict(body.get("identity") or {"type": "SystemAssigned"})
    if identity["type"] == "SystemAssigned":
        identity |= {"principalId": str(uuid.uuid4()), "tenantId": TENANT}
    return identity


def _filled(properties: Body, name: str, group: str, region: str) -> Body:
    """A cluster's properties with what Azure adds to those that were asked for."""
    pools = [
        {
            "type": "VirtualMachineScaleSets",
            "osType": "Linux",
            "osSKU": "Ubuntu",
            "osDiskSizeGB": 128,
            "maxPods": 110,
            "enableAutoScaling": False,
            "orchestratorVersion": properties["kubernetesVersion"],
            **{key: value for key, value in pool.items() if value is not None},
            "provisioningState": "Creating",
        }
        for pool in properties["agentPoolProfiles"]
    ]
    network = {
        "networkPlugin": "kubenet",
        "loadBalancerSku": "standard",
        "outboundType": "loadBalancer",
        "serviceCidr": "10.0.0.0/16",
        "dnsServiceIP": "10.0.0.10",
        **{key: value for key, value in (properties.get("networkProfile") or {}).items() if value is not None},
    }
    return {
        **{key: value for key, value in properties.items() if value is not None},
        "provisioningState": "Creating",
        "powerState": {"code": "Running"},
        "currentKubernetesVersion": properties["kubernetesVersion"],
        "fqdn": f"{properties['dnsPrefix']}-stand-in.hcp.{region}.azmk8s.io",
        "nodeResourceGroup": properties.get("nodeResourceGroup") or f"MC_{group}_{name}_{region}",
        "agentPoolProfiles": pools,
        "networkProfile": network,
        "servicePrincipalProfile": properties.get("servicePrincipalProfile") or {"clientId": "msi"},
    }
