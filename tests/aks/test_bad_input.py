# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Azure refuses, and what is refused before it is asked: one sentence each, and nothing left that costs money."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.meshops.istio.tests.aks import login
from ansible_collections.meshops.istio.tests.aks.conftest import HERE, WANTED, Provider, Runner
from ansible_collections.meshops.istio.tests.aks.refusals import Refusal
from ansible_collections.meshops.istio.tests.aks.server import StandIn

LOOKING = "Looking for the cluster shop (resource group meshops-istio-shop) failed: "
MAKING = "Making the cluster shop (resource group meshops-istio-shop) failed: "
NOTHING_LEFT = "Nothing is left that costs money."


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"AZURE_SECRET": "wrong"}, "Azure does not accept the login (AADSTS7000215: Invalid client secret provided)"),
        ({"AZURE_SECRET": login.EXPIRED_SECRET}, "the login to Azure has expired (AADSTS7000222: "),
        ({"AZURE_SUBSCRIPTION_ID": "nowhere"}, "the subscription does not exist, or is not one of this login's"),
        (dict.fromkeys((*login.ENVIRONMENT, "AZURE_SUBSCRIPTION_ID")), "there is no login to Azure"),
    ],
    ids=["wrong", "expired", "subscription", "none"],
)
def test_a_login_that_does_not_lead_there(
    run: Runner, azure: StandIn, environment: dict[str, str | None], said: str
) -> None:
    refused = run(str(HERE / "provider.yml"), environment=environment, **WANTED)
    assert refused.last_failures["cluster"].startswith(LOOKING + said), refused.text
    assert azure.writes == []


def test_a_token_that_is_no_longer_good(azure: StandIn, provider: Provider) -> None:
    azure.refuse("GET", "resourcegroups", Refusal(401, "ExpiredAuthenticationToken", "The access token has expired."))
    assert provider.refused().startswith(f"{LOOKING}the login to Azure has expired (The access token has expired); ")


def test_a_region_that_does_not_exist(azure: StandIn, provider: Provider) -> None:
    refused = provider.refused(cluster_aks_location="atlantis")
    assert refused.startswith(f"{MAKING}the region cannot be had (The provided location 'atlantis' is not available")
    assert refused.endswith(NOTHING_LEFT)
    assert azure.cloud.groups == {}


def test_a_quota_that_is_used_up(azure: StandIn, provider: Provider) -> None:
    refused = provider.refused(cluster_nodes=16)
    assert refused == (
        f"{MAKING}the quota of the region or subscription is used up (Insufficient vcpu quota requested 64, remaining 20"
        " for location westeurope); choose fewer or smaller nodes or another region, or ask Azure for more."
        f" {NOTHING_LEFT}"
    )
    # The group that was made for it has gone again.
    assert azure.cloud.groups == {}


def test_a_version_that_the_region_does_not_have(provider: Provider) -> None:
    refused = provider.refused(cluster_kubernetes_version="1.34.99")
    assert refused.startswith(f"{MAKING}this version of Kubernetes cannot be had in the region")


def test_a_creation_that_fails_half_way_says_what_is_left(azure: StandIn, provider: Provider) -> None:
    azure.cloud.failing_creation = Refusal(400, "AllocationFailed", "Allocation failed. There is not enough capacity.")
    refused = provider.refused()
    assert refused.startswith(f"{MAKING}the quota of the region or subscription is used up (Allocation failed.")
    assert refused.endswith(
        "What was begun in the resource group meshops-istio-shop may cost money until it is removed: run"
        " meshops.istio.cluster again with cluster_state=absent."
    )
    assert "its last operation ended in the state Failed" in provider.refused()
    assert provider.absent().returncode == 0
    assert azure.cloud.groups == {}


def test_something_else_is_being_done_to_it(azure: StandIn, provider: Provider) -> None:
    other = Refusal(409, "OperationNotAllowed", "Another operation (Upgrading) is in progress.")
    azure.refuse("PUT", "managedClusters", other)
    assert provider.refused().startswith(
        f"{MAKING}something else is being done to it just now (Another operation (Upgrading) is in progress); "
    )


def test_being_asked_too_much_is_waited_out(azure: StandIn, provider: Provider) -> None:
    often = Refusal(429, "TooManyRequests", "The request is being throttled.", {"Retry-After": "1"})
    azure.refuse("GET", "resourcegroups", often, times=2)
    assert provider.present().returncode == 0


def test_nothing_is_asked_of_azure_for_versions_that_are_too_old(azure: StandIn, provider: Provider) -> None:
    assert provider.refused(mesh_version="1.29.1", cluster_kubernetes_version="1.28.3") == (
        "Istio 1.29.1 supports Kubernetes 1.31 to 1.35, and not 1.28.3; choose a newer Kubernetes or an older Istio."
    )
    assert provider.refused(cluster_aks_minimum={"kubernetes": "1.35.0"}).startswith("Kubernetes 1.34.3 is older than")
    assert azure.writes == []


def test_half_of_a_cluster_is_refused(azure: StandIn, provider: Provider) -> None:
    refused = provider.refused(cluster_aks_location="", cluster_kubernetes_version="")
    assert refused.startswith(
        "cluster_aks_location and cluster_kubernetes_version must be set to make the cluster shop"
    )
    assert azure.writes == []


def test_a_deletion_that_fails_says_what_it_costs(azure: StandIn, provider: Provider, tmp_path: Path) -> None:
    assert provider.present().returncode == 0
    azure.refuse("DELETE", "resourcegroups", Refusal(409, "Conflict", "The scope is locked."))
    assert provider.refused(cluster_state="absent").endswith("costs money until it is removed.")
