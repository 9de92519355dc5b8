# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which cluster it is that a play is about to change."""

from __future__ import annotations

from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.memory_cluster import MemoryCluster, make
from ansible_collections.meshops.istio.tests.support.modules import Run


class Plain(MemoryCluster):
    """A cluster that serves nothing but Kubernetes' own kinds."""

    server = "https://10.0.0.1:6443"

    def serves(self, kind: Kind) -> bool:
        return False


def node(name: str, *, labels: dict[str, str] | None = None, external: str = "") -> dict[str, Any]:
    addresses = [{"type": "InternalIP", "address": f"10.0.0.{name[-1]}"}, {"type": "Hostname", "address": name}]
    if external:
        addresses.append({"type": "ExternalIP", "address": external})
    return make("Node", name, labels=labels or {}, spec={}, status={"addresses": addresses})


def test_a_cluster_is_reached_at_its_nodes_external_addresses_first(on: Run) -> None:
    told = on(Plain(node("node-1"), node("node-2", external="203.0.113.7")), "cluster_info")
    assert (told["platform"], told["kubernetes"]) == ("other", "1.35.4")
    assert told["nodes"] == [
        {"name": "node-1", "hosts": ["10.0.0.1"]},
        {"name": "node-2", "hosts": ["203.0.113.7", "10.0.0.2"]},
    ]
    assert told["ingress"] == {"type": "NodePort", "hosts": ["203.0.113.7", "10.0.0.1", "10.0.0.2"]}


def test_a_cloud_gives_load_balancers_their_addresses(on: Run) -> None:
    aks = node("node-1", labels={"kubernetes.azure.com/cluster": "MC_group_mesh_westeurope"})
    told = on(Plain(aks), "cluster_info")
    assert (told["platform"], told["ingress"]) == ("aks", {"type": "LoadBalancer", "hosts": []})


def test_who_may_not_list_nodes_learns_the_rest(on: Run) -> None:
    cluster = Plain(node("node-1"))
    cluster.forbid(Kind("v1", "Node"))
    told = on(cluster, "cluster_info")
    assert (told["nodes"], told["platform"]) == ([], "other")
