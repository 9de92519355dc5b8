# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter C(meshops.istio.aks_differences): compare an AKS cluster with the wanted settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

DOCUMENTATION = r"""
name: aks_differences
short_description: Compare an AKS cluster with the wanted settings
version_added: 0.1.0
extends_documentation_fragment:
  - meshops.istio.internal
author:
  - The meshops.istio authors (@meshops)
description:
  - Compares the wanted settings only. Other settings that Azure adds are ignored.
positional: _input, wanted
options:
  _input:
    description: The cluster, as returned by M(azure.azcollection.azure_rm_aks_info).
    type: dict
    required: true
  wanted:
    description:
      - Wanted settings, as in the options C(location), C(kubernetes_version), C(agent_pool_profiles),
        C(network_profile), C(identity), C(api_server_access_profile), C(aad_profile), C(disable_local_accounts) and
        C(tags) of M(azure.azcollection.azure_rm_aks).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Fail if the cluster has other settings
  ansible.builtin.fail:
    msg: "The cluster differs: {{ differences | join(', ') }}."
  when: differences | length > 0
  vars:
    differences: "{{ found.aks[0] | meshops.istio.aks_differences(wanted) }}"
"""

RETURN = r"""
_value:
  description: A phrase for each difference.
  type: list
  elements: str
"""

Fields = Mapping[str, Any]

_POOL = ("vm_size", "mode", "os_disk_size_gb", "max_pods", "vnet_subnet_id", "orchestrator_version")
_SCALED = ("enable_auto_scaling", "min_count", "max_count")
_NETWORK = ("network_plugin", "network_plugin_mode", "network_policy", "pod_cidr", "service_cidr", "outbound_type")


def aks_differences(live: Fields, wanted: Fields) -> list[str]:
    """Return a phrase for each difference."""
    return [*_differences(live, wanted)]


def _differences(live: Fields, wanted: Fields) -> Iterator[str]:
    yield from _field("location", _place(live.get("location")), _place(wanted.get("location")))
    yield from _field("Kubernetes version", live.get("kubernetes_version"), wanted.get("kubernetes_version"))
    yield from _pools(live.get("agent_pool_profiles") or (), wanted.get("agent_pool_profiles") or ())
    network, asked = live.get("network_profile") or {}, wanted.get("network_profile") or {}
    for name in _NETWORK:
        yield from _field(name.replace("_", " "), network.get(name), asked.get(name), same=_same_text)
    yield from _identity(live.get("identity") or {}, wanted.get("identity") or {})
    ranges = (wanted.get("api_server_access_profile") or {}).get("authorized_ip_ranges")
    if ranges is not None:
        has = (live.get("api_server_access_profile") or {}).get("authorized_ip_ranges") or []
        yield from _field("list of authorised ranges", sorted(has), sorted(ranges))
    groups = (wanted.get("aad_profile") or {}).get("admin_group_object_ids")
    if groups is not None:
        has = (live.get("aad_profile") or {}).get("admin_group_object_i_ds") or (live.get("aad_profile") or {}).get(
            "admin_group_object_ids"
        )
        yield from _field("list of admin groups", sorted(has or []), sorted(groups))
    if wanted.get("disable_local_accounts") is not None:
        yield from _field(
            "local accounts disabled", bool(live.get("disable_local_accounts")), bool(wanted["disable_local_accounts"])
        )
    tags = live.get("tags") or {}
    for name, value in (wanted.get("tags") or {}).items():
        yield from _field(f"tag {name}", tags.get(name), value)


def _pools(live: Sequence[Fields], wanted: Sequence[Fields]) -> Iterator[str]:
    there = {pool["name"]: pool for pool in live}
    for pool in wanted:
        name = pool["name"]
        if name not in there:
            yield f"it has no node pool {name}"
            continue
        has = there.pop(name)
        scaled = bool(pool.get("enable_auto_scaling"))
        for field in (*_POOL, *(_SCALED if scaled or has.get("enable_auto_scaling") else ("count",))):
            given = scaled if field == "enable_auto_scaling" else pool.get(field)
            yield from _field(f"{field.replace('_', ' ')} of the node pool {name}", has.get(field), given)
        zones = pool.get("availability_zones")
        if zones is not None:
            listed = sorted(str(zone) for zone in has.get("availability_zones") or [])
            yield from _field(f"zones of the node pool {name}", listed, sorted(str(zone) for zone in zones))
    for name in there:
        yield f"it has the node pool {name}, which is not wanted"


def _identity(live: Fields, wanted: Fields) -> Iterator[str]:
    yield from _field("identity", live.get("type"), wanted.get("type"))
    named = wanted.get("user_assigned_identities")
    if named:
        has = [str(one) for one in live.get("user_assigned_identities") or {}]
        if str(named).lower() not in [one.lower() for one in has]:
            yield f"its identity is {', '.join(has) or 'none of its own'}, not {named}"


def _field(
    name: str, live: Any, wanted: Any, *, same: Callable[[Any, Any], bool] = lambda a, b: bool(a == b)
) -> Iterator[str]:
    if wanted in (None, "") or same(live, wanted):
        return
    yield f"its {name} is {_shown(live)}, not {_shown(wanted)}"


def _same_text(one: Any, other: Any) -> bool:
    return str(one or "").lower() == str(other).lower()


def _place(location: Any) -> str:
    return str(location or "").replace(" ", "").lower()


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "none"
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value in (None, "") else str(value)


class FilterModule:
    """Filters of this file, for Ansible."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"aks_differences": aks_differences}
