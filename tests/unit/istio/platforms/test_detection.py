# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which kind of cluster one is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.platforms.detection import platform_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.version import Version


def cluster(*, git: str = "v1.35.4", openshift: bool = False, labels: Any = None, provider: str = "") -> Cluster:
    """A cluster that tells this of itself."""
    node = {"metadata": {"labels": labels or {}}, "spec": {"providerID": provider}}
    told = SimpleNamespace(
        serves=lambda _kind: openshift, version=lambda: Version(1, 35, git), list=lambda _kind: [node]
    )
    return cast(Cluster, told)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, "other"),
        ({"openshift": True}, "openshift"),
        ({"git": "v1.33.1-eks-595af52"}, "eks"),
        ({"git": "v1.33.1-gke.1386000"}, "gke"),
        ({"git": "v1.33.1+k3s1"}, "k3s"),
        ({"labels": {"kubernetes.azure.com/cluster": "MC_group_mesh_westeurope"}}, "aks"),
        ({"labels": {"minikube.k8s.io/name": "minikube"}}, "minikube"),
        ({"provider": "kind://docker/kind/kind-control-plane"}, "kind"),
        ({"provider": "azure:///subscriptions/s/vm"}, "other"),
    ],
)
def test_platform(told: dict[str, Any], expected: str) -> None:
    assert platform_of(cluster(**told)) == expected
