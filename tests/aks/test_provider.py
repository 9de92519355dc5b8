# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create and remove an AKS cluster with Azure's own libraries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.meshops.istio.tests.aks.conftest import KUBECONFIG, Provider
from ansible_collections.meshops.istio.tests.aks.server import StandIn
from ansible_collections.meshops.istio.tests.support.messages import has_facts

GROUP = "meshops-istio-shop"


def cluster(azure: StandIn) -> dict[str, Any]:
    """The one cluster."""
    (found,) = azure.cloud.clusters.values()
    return found


def test_a_cluster_is_created_and_removed(azure: StandIn, provider: Provider, tmp_path: Path) -> None:
    made = provider.present(
        cluster_nodes=2,
        cluster_aks_network_plugin_mode="Overlay",
        cluster_aks_authorized_ranges="203.0.113.0/24",
        cluster_aks_tags={"team": "mesh"},
    )
    assert made.returncode == 0, made.text
    assert "very-secret" not in made.text
    properties = cluster(azure)["properties"]
    assert properties["agentPoolProfiles"][0]["count"] == 2
    assert properties["networkProfile"]["networkPluginMode"] == "Overlay"
    assert properties["apiServerAccessProfile"] == {"authorizedIPRanges": ["203.0.113.0/24"]}
    assert properties["enableRBAC"]
    assert cluster(azure)["tags"] == {"team": "mesh", "meshops-istio": "shop"}
    assert azure.cloud.groups[GROUP]["tags"]["meshops-istio-created"].endswith("Z")
    kubeconfig = tmp_path / f".local/state/meshops-istio/aks/{GROUP}-shop"
    assert kubeconfig.read_text() == KUBECONFIG
    assert kubeconfig.stat().st_mode & 0o777 == 0o600

    before = azure.writes
    again = provider.present(cluster_nodes=2, cluster_aks_authorized_ranges="203.0.113.0/24")
    assert (again.returncode, again.changed) == (0, {"cluster": 0}), again.text
    assert azure.writes == before

    other = provider.refused(cluster_nodes=3, cluster_aks_network_plugin="kubenet", cluster_kubernetes_version="1.35.1")
    assert has_facts(
        other,
        f"The cluster shop (resource group {GROUP}) exists with other settings & Kubernetes version is 1.34.3, not 1.35.1"
        " & count of the node pool system is 2, not 3 & network plugin is azure, not kubenet & cluster_name",
    )
    assert azure.writes == before

    gone = provider.absent()
    assert gone.returncode == 0, gone.text
    assert (azure.cloud.groups, azure.cloud.clusters, kubeconfig.exists()) == ({}, {}, False)
    nothing = provider.absent()
    assert (nothing.returncode, nothing.changed) == (0, {"cluster": 0}), nothing.text


def test_check_mode_writes_nothing(azure: StandIn, provider: Provider) -> None:
    run = provider.present("--check")
    assert (run.returncode, azure.writes) == (0, []), run.text
    assert run.changed["cluster"] > 0


def test_a_resource_group_that_it_did_not_create_is_kept(azure: StandIn, provider: Provider) -> None:
    azure.cloud.put_group("theirs", {"location": "westeurope"})
    made = provider.present(cluster_aks_resource_group="theirs")
    assert made.returncode == 0, made.text
    gone = provider.absent(cluster_aks_resource_group="theirs")
    assert gone.returncode == 0, gone.text
    assert has_facts(gone.text, "The resource group theirs was not removed & did not create it")
    assert (list(azure.cloud.groups), azure.cloud.clusters) == (["theirs"], {})


def test_a_cluster_that_it_did_not_create_is_kept(azure: StandIn, provider: Provider) -> None:
    provider.present(cluster_aks_resource_group="theirs")
    cluster(azure)["tags"] = {}
    azure.cloud.groups["theirs"]["tags"] = {}
    refused = provider.refused(cluster_aks_resource_group="theirs", cluster_state="absent")
    assert has_facts(refused, "cluster shop (resource group theirs) & did not create it & Nothing was removed")
    assert len(azure.cloud.clusters) == 1


def test_the_istio_addon_of_aks(azure: StandIn, provider: Provider) -> None:
    provider.present()
    cluster(azure)["properties"]["serviceMeshProfile"] = {"mode": "Istio", "istio": {"revisions": ["asm-1-27"]}}
    assert has_facts(provider.refused(), "Istio add-on of AKS & asm-1-27 & az aks mesh disable")
    left = provider.present(cluster_aks_istio_addon="leave")
    assert left.returncode == 0, left.text


def test_users_log_in_by_kubelogin(azure: StandIn, provider: Provider, tmp_path: Path) -> None:
    azure.cloud.user_kubeconfig = (
        "apiVersion: v1\nkind: Config\nusers: [{name: me, user: {exec: {command: kubelogin}}}]\n"
    )
    assert has_facts(provider.refused(cluster_aks_credentials="user"), "cluster shop & kubelogin was not found & PATH")
    kubelogin = tmp_path / "kubelogin"
    kubelogin.write_text(
        "#!/bin/sh\n"
        '[ "$1" = --version ] && exit\n'
        '[ "$1 $2 $3 $4" = "convert-kubeconfig --login azurecli --kubeconfig" ] || exit 2\n'
        'echo "# by azurecli" >> "$5"\n'
    )
    kubelogin.chmod(0o755)
    run = provider.present(cluster_aks_credentials="user")
    assert run.returncode == 0, run.text
    kept = tmp_path / f".local/state/meshops-istio/aks/{GROUP}-shop"
    assert kept.read_text() == azure.cloud.user_kubeconfig + "# by azurecli\n"
    assert provider.present(cluster_aks_credentials="user").changed == {"cluster": 0}
