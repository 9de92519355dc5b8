# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory of AKS clusters, as Azure's own library lists them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible_collections.meshops.istio.tests.aks.cloud import Cloud
from ansible_collections.meshops.istio.tests.aks.server import StandIn

POOL = {"name": "system", "count": 2, "vmSize": "Standard_D4s_v5", "mode": "System"}


def add(cloud: Cloud, name: str, tags: dict[str, str]) -> None:
    """A cluster that is there already."""
    cloud.put_group("prod", {"location": "westeurope"})
    properties = {"kubernetesVersion": "1.34.3", "dnsPrefix": name, "agentPoolProfiles": [POOL]}
    cloud.put_cluster("prod", name, {"location": "westeurope", "tags": tags, "properties": properties})


def inventory(azure: StandIn, folder: Path, **login: str) -> tuple[dict[str, Any], str]:
    """What ansible-inventory lists, and what it says."""
    file = folder / "meshes.yml"
    file.write_text("plugin: meshops.istio.aks\ntags: {team: mesh}\n")
    environment = {**os.environ, **azure.environment, **login, "HOME": str(folder), "ANSIBLE_NOCOLOR": "1"}
    program = Path(sys.executable).with_name("ansible-inventory")
    done = subprocess.run(
        [str(program), "--inventory", str(file), "--list"], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout, object_hook=_plain), done.stderr


def _plain(known: dict[str, Any]) -> Any:
    """What is listed, where ansible-core marks what Azure has said as no template."""
    return known.get("__ansible_unsafe", known)


def test_clusters_are_listed_by_tag(azure: StandIn, tmp_path: Path) -> None:
    add(azure.cloud, "shop", {"team": "mesh"})
    add(azure.cloud, "other", {})
    listed, _said = inventory(azure, tmp_path)
    assert listed["aks"]["hosts"] == ["shop"]
    known = listed["_meta"]["hostvars"]["shop"]
    assert (known["cluster_provider"], known["cluster_aks_resource_group"]) == ("aks", "prod")
    assert known["aks"]["node_pools"] == [
        {"name": "system", "count": 2, "vm_size": "Standard_D4s_v5", "mode": "System"}
    ]
    assert azure.writes == []
    assert not [asked for asked in azure.requests if "Credential" in asked]


def test_a_login_that_is_refused_is_told(azure: StandIn, tmp_path: Path) -> None:
    listed, said = inventory(azure, tmp_path, AZURE_SECRET="wrong")
    assert "aks" not in listed
    assert "Listing the clusters of AKS failed: Azure does not accept the credentials" in " ".join(said.split())
