# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an AKS cluster differs from the one that is wanted, and how it does not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.filter.aks_differences import aks_differences

# As azure_rm_aks_info returns it, with what Azure adds.
LIVE: dict[str, Any] = {
    "location": "westeurope",
    "kubernetes_version": "1.34.3",
    "agent_pool_profiles": [
        {"name": "system", "count": 2, "vm_size": "Standard_D4s_v5", "mode": "System", "max_pods": 110},
        {"name": "user", "vm_size": "Standard_D8s_v5", "mode": "User", "count": 4, "enable_auto_scaling": True}
        | {"min_count": 2, "max_count": 9},
    ],
    "network_profile": {"network_plugin": "azure", "network_plugin_mode": "overlay", "service_cidr": "10.0.0.0/16"},
    "identity": {"type": "SystemAssigned", "principal_id": "1"},
    "api_server_access_profile": {"authorized_ip_ranges": ["203.0.113.0/24", "198.51.100.0/24"]},
    "tags": {"team": "mesh", "meshops-istio": "shop"},
}
SYSTEM = {"name": "system", "count": 2, "vm_size": "Standard_D4s_v5", "mode": "System"}
USER = {"name": "user", "count": 2, "vm_size": "Standard_D8s_v5", "enable_auto_scaling": True}
USER |= {"min_count": 2, "max_count": 9}


def test_the_same_in_other_words_is_no_difference() -> None:
    wanted = {
        "location": "West Europe",
        "kubernetes_version": "1.34.3",
        # What the autoscaler has made of the count is its own.
        "agent_pool_profiles": [USER, SYSTEM],
        "network_profile": {"network_plugin": "azure", "network_plugin_mode": "Overlay"},
        "identity": {"type": "SystemAssigned"},
        "api_server_access_profile": {"authorized_ip_ranges": ["198.51.100.0/24", "203.0.113.0/24"]},
        "tags": {"team": "mesh"},
    }
    assert aks_differences(LIVE, wanted) == []
    assert aks_differences(LIVE, {"agent_pool_profiles": [SYSTEM, USER]}) == []


@pytest.mark.parametrize(
    ("wanted", "difference"),
    [
        ({"location": "northeurope"}, "its location is westeurope, not northeurope"),
        ({"kubernetes_version": "1.35.1"}, "its Kubernetes version is 1.34.3, not 1.35.1"),
        ({"network_profile": {"network_policy": "calico"}}, "its network policy is none, not calico"),
        (
            {"api_server_access_profile": {"authorized_ip_ranges": ["192.0.2.0/24"]}},
            "its list of authorised ranges is 198.51.100.0/24, 203.0.113.0/24, not 192.0.2.0/24",
        ),
        (
            {"identity": {"type": "UserAssigned", "user_assigned_identities": "/subscriptions/1/mine"}},
            "its identity is SystemAssigned, not UserAssigned",
        ),
        ({"tags": {"team": "other"}}, "its tag team is mesh, not other"),
        ({"disable_local_accounts": True}, "its local accounts disabled is false, not true"),
        ({"agent_pool_profiles": [{**SYSTEM, "count": 3}, USER]}, "its count of the node pool system is 2, not 3"),
        ({"agent_pool_profiles": [SYSTEM]}, "it has the node pool user, which is not wanted"),
        ({"agent_pool_profiles": [SYSTEM, USER, {**USER, "name": "more"}]}, "it has no node pool more"),
        (
            {"agent_pool_profiles": [SYSTEM, {**USER, "max_count": 5}]},
            "its max count of the node pool user is 9, not 5",
        ),
    ],
)
def test_each_difference_is_named(wanted: dict[str, Any], difference: str) -> None:
    pools = {"agent_pool_profiles": [SYSTEM, USER]}
    assert difference in aks_differences(LIVE, {**pools, **wanted})
