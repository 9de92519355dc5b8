# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory of AKS clusters, of what Azure's SDK has told; tests/aks asks the SDK itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible_collections.meshops.istio.plugins.filter.not_importable import not_importable
from ansible_collections.meshops.istio.plugins.inventory import aks
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import MeshError

Read = Callable[..., InventoryManager]


def cluster(name: str, group: str = "prod", **more: Any) -> dict[str, Any]:
    """A cluster as the SDK tells it."""
    return {
        "id": f"/subscriptions/1/resourcegroups/{group}/providers/Microsoft.ContainerService/managedClusters/{name}",
        "name": name,
        "location": "westeurope",
        "kubernetes_version": "1.34.3",
        "fqdn": f"{name}.hcp.westeurope.azmk8s.io",
        "provisioning_state": "Succeeded",
        "power_state": {"code": "Running"},
        "network_profile": {"network_plugin": "azure"},
        "agent_pool_profiles": [{"name": "system", "count": 2, "vm_size": "Standard_D4s_v5", "mode": "System"}],
        "service_principal_profile": {"client_id": "1", "secret": "very-secret"},
        "tags": {"team": "mesh"},
        **more,
    }


LISTED = [
    cluster("east"),
    cluster("west", kubernetes_version="1.35.1", power_state={"code": "Stopped"}),
    cluster("other", tags={"team": "web"}),
    cluster("east", "test", tags={}),
]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Reads an inventory file with these options, with what is listed."""
    monkeypatch.setattr(aks, "list_clusters", lambda _source: LISTED)

    def parse(**options: Any) -> InventoryManager:
        file = tmp_path / "meshes.yml"
        file.write_text(yaml.safe_dump({"plugin": aks.InventoryModule.NAME, **options}))
        return InventoryManager(loader=DataLoader(), sources=[str(file)])

    return parse


def names(inventory: InventoryManager, group: str = "aks") -> list[str]:
    return sorted(inventory.get_groups_dict().get(group, []))


def test_each_cluster_is_a_host_by_a_name_of_its_own(read: Read) -> None:
    assert names(read()) == names(read(), "clusters") == ["east-prod", "east-test", "other", "west"]


def test_clusters_are_chosen_by_tags_and_groups(read: Read) -> None:
    assert names(read(tags={"team": "mesh"})) == ["east", "west"]
    assert names(read(tags={"team": ""}, resource_groups=["PROD"])) == ["east", "other", "west"]
    assert names(read(resource_groups=["te*"])) == ["east"]


def test_clusters_are_in_groups_by_what_they_are(read: Read) -> None:
    inventory = read(tags={"team": "mesh"}, keyed_groups=[{"key": "aks.tags.team", "prefix": "team"}])
    assert names(inventory, "location_westeurope") == names(inventory, "team_mesh") == ["east", "west"]
    assert names(inventory, "kubernetes_1_34") == ["east"]
    assert names(inventory, "stopped") == ["west"]


def test_a_host_has_what_the_role_cluster_finds_it_by(read: Read) -> None:
    known = read(tags={"team": "mesh"}).get_host("east").get_vars()
    assert (known["cluster_provider"], known["cluster_name"], known["cluster_aks_resource_group"]) == (
        "aks",
        "east",
        "prod",
    )
    assert known["cluster_aks_node_pools"][0]["count"] == 2
    assert (known["ansible_connection"], known["ansible_python_interpreter"]) == ("local", sys.executable)


def test_no_secret_is_in_the_variables(read: Read) -> None:
    assert all("very-secret" not in str(host.get_vars()) for host in read().get_hosts())


def test_what_was_found_is_cached(read: Read, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cache = {"cache": True, "cache_plugin": "jsonfile", "cache_connection": str(tmp_path / "cache")}
    assert names(read(**cache)) != []
    monkeypatch.setattr(aks, "list_clusters", lambda _source: pytest.fail("asked"))
    assert names(read(**cache)) != []


def test_an_error_of_azure_is_reported(
    read: Read, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_source: str) -> list[dict[str, Any]]:
        raise MeshError("Listing the clusters of AKS failed: the login to Azure has expired; run az login again.")

    monkeypatch.setattr(aks, "list_clusters", refuse)
    assert names(read()) == []
    assert "the login to Azure has expired" in " ".join(capsys.readouterr().err.split())


def test_missing_azure_libraries_are_an_error_with_the_remedy() -> None:
    if not not_importable(aks.NEEDED):
        pytest.skip("they are here")
    with pytest.raises(MeshError, match=r"install azure\.azcollection, as the PyPI package ansible brings it"):
        aks.list_clusters("auto")
