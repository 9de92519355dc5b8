# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors of Azure, and input that is refused before a request to it: each with a cause, and no cost is left unsaid."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.meshops.istio.tests.aks import login
from ansible_collections.meshops.istio.tests.aks.conftest import HERE, WANTED, Provider, Runner
from ansible_collections.meshops.istio.tests.aks.refusals import Refusal
from ansible_collections.meshops.istio.tests.aks.server import StandIn
from ansible_collections.meshops.istio.tests.support.messages import has_facts

READING = "Reading the cluster shop (resource group meshops-istio-shop) failed"
CREATING = "Creating the cluster shop (resource group meshops-istio-shop) failed"
NOTHING_LEFT = "No resources were left in Azure"


@pytest.mark.parametrize(
    ("environment", "facts"),
    [
        ({"AZURE_SECRET": "wrong"}, "does not accept the credentials & AADSTS7000215: Invalid client secret provided"),
        ({"AZURE_SECRET": login.EXPIRED_SECRET}, "expired & AADSTS7000222: "),
        ({"AZURE_SUBSCRIPTION_ID": "nowhere"}, "subscription was not found & AZURE_SUBSCRIPTION_ID"),
        (dict.fromkeys((*login.ENVIRONMENT, "AZURE_SUBSCRIPTION_ID")), "no credentials for Azure"),
    ],
    ids=["wrong", "expired", "subscription", "none"],
)
def test_invalid_credentials(run: Runner, azure: StandIn, environment: dict[str, str | None], facts: str) -> None:
    refused = run(str(HERE / "provider.yml"), environment=environment, **WANTED)
    assert has_facts(refused.last_failures["cluster"], f"{READING} & {facts}"), refused.text
    assert azure.writes == []


def test_an_expired_token(azure: StandIn, provider: Provider) -> None:
    azure.refuse("GET", "resourcegroups", Refusal(401, "ExpiredAuthenticationToken", "The access token has expired."))
    assert has_facts(provider.refused(), f"{READING} & expired & The access token has expired")


def test_a_region_that_does_not_exist(azure: StandIn, provider: Provider) -> None:
    refused = provider.refused(cluster_aks_location="atlantis")
    cause = "region is not available & The provided location 'atlantis' is not available"
    assert has_facts(refused, f"{CREATING} & {cause} & cluster_aks_location & {NOTHING_LEFT}")
    assert azure.cloud.groups == {}


def test_the_quota_is_used_up(azure: StandIn, provider: Provider) -> None:
    refused = provider.refused(cluster_nodes=16)
    cause = "quota & used up & Insufficient vcpu quota requested 64, remaining 20 for location westeurope"
    assert has_facts(refused, f"{CREATING} & {cause} & fewer or smaller nodes & {NOTHING_LEFT}")
    # Its new resource group was removed again.
    assert azure.cloud.groups == {}


def test_a_kubernetes_version_that_the_region_does_not_have(provider: Provider) -> None:
    refused = provider.refused(cluster_kubernetes_version="1.34.99")
    assert has_facts(refused, f"{CREATING} & Kubernetes version is not available & cluster_kubernetes_version")


def test_a_failed_creation_reports_what_is_left(azure: StandIn, provider: Provider) -> None:
    azure.cloud.failing_creation = Refusal(400, "AllocationFailed", "Allocation failed. There is not enough capacity.")
    refused = provider.refused()
    assert has_facts(
        refused,
        f"{CREATING} & quota & Allocation failed. & resource group meshops-istio-shop may cost money"
        " & cluster_state=absent",
    )
    assert has_facts(provider.refused(), "cluster shop & not ready & provisioning state Failed & cluster_state=absent")
    assert provider.absent().returncode == 0
    assert azure.cloud.groups == {}


def test_another_operation_is_in_progress(azure: StandIn, provider: Provider) -> None:
    other = Refusal(409, "OperationNotAllowed", "Another operation (Upgrading) is in progress.")
    azure.refuse("PUT", "managedClusters", other)
    assert has_facts(
        provider.refused(), f"{CREATING} & operation is in progress & Another operation (Upgrading) is in progress"
    )


def test_throttled_requests_are_retried(azure: StandIn, provider: Provider) -> None:
    often = Refusal(429, "TooManyRequests", "The request is being throttled.", {"Retry-After": "1"})
    azure.refuse("GET", "resourcegroups", often, times=2)
    assert provider.present().returncode == 0


def test_versions_that_are_too_old(azure: StandIn, provider: Provider) -> None:
    refused = provider.refused(mesh_version="1.29.1", cluster_kubernetes_version="1.28.3")
    assert has_facts(refused, "Kubernetes 1.28.3 & too old & Istio 1.29.1 & 1.31 to 1.35")
    refused = provider.refused(cluster_aks_minimum={"kubernetes": "1.35.0"})
    assert has_facts(refused, "Kubernetes 1.34.3 & too old & 1.35.0")
    assert azure.writes == []


def test_required_variables(azure: StandIn, provider: Provider) -> None:
    refused = provider.refused(cluster_aks_location="", cluster_kubernetes_version="")
    assert has_facts(refused, "cluster shop & cluster_aks_location and cluster_kubernetes_version & not set")
    assert azure.writes == []


def test_a_failed_deletion_says_that_it_costs_money(azure: StandIn, provider: Provider, tmp_path: Path) -> None:
    assert provider.present().returncode == 0
    azure.refuse("DELETE", "resourcegroups", Refusal(409, "Conflict", "The scope is locked."))
    assert has_facts(provider.refused(cluster_state="absent"), "Removing the cluster shop & locked & cost money")
