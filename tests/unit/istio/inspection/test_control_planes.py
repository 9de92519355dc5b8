# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cluster has of Istio, and which versions are told from it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.inspection.control_planes import read_installed
from ansible_collections.meshops.istio.plugins.module_utils.istio.release import versions
from ansible_collections.meshops.istio.tests.support.memory_cluster import MemoryCluster, deployment, make, pod

Object = dict[str, Any]

READY = {
    "replicas": 1,
    "updatedReplicas": 1,
    "readyReplicas": 1,
    "availableReplicas": 1,
    "conditions": [
        {"type": "Available", "status": "True"},
        {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
    ],
}


def istiod(revision: str, tag: str, status: Object) -> Object:
    containers = [{"name": "discovery", "image": f"docker.io/istio/pilot:{tag}"}]
    labels = {"app": "istiod", "istio.io/rev": revision, "operator.istio.io/version": "1.0.0"}
    return deployment(
        f"istiod-{revision}",
        "istio-system",
        labels=labels,
        spec={"template": {"spec": {"containers": containers}}},
        status=status,
    )


def gateway(revision: str) -> Object:
    labels = {
        "operator.istio.io/component": "IngressGateways",
        "istio.io/rev": revision,
        "operator.istio.io/version": "1.29.1",
    }
    return deployment("istio-ingressgateway", "istio-system", labels=labels, status=READY)


def test_control_planes_gateways_tags_and_proxies() -> None:
    tag = make(
        "MutatingWebhookConfiguration",
        "istio-revision-tag-default",
        api="admissionregistration.k8s.io/v1",
        labels={"istio.io/tag": "default", "istio.io/rev": "old"},
    )
    cluster = MemoryCluster(
        istiod("old", "1.27.0-distroless", READY),
        istiod("new", "1.29.1", {"replicas": 1}),
        gateway("new"),
        tag,
        pod("a", proxy="1.27.0", revision="old"),
        pod("b", proxy="1.29.1", revision="old"),
        pod("c", proxy="1.27.0", revision="new"),
        pod("d", proxy="1.28.0", revision="new"),
        pod("plain"),
    )
    found = read_installed(cluster)
    new, old = found["control_planes"]
    assert (old["revision"], old["version"], old["healthy"], old["default"]) == ("old", "1.27.0", True, True)
    assert (new["revision"], new["version"], new["healthy"], new["default"]) == ("new", "1.29.1", False, False)
    assert new["gateways"] == [
        {
            "name": "istio-ingressgateway",
            "namespace": "istio-system",
            "kind": "Deployment",
            "component": "IngressGateways",
            "version": "1.29.1",
            "healthy": True,
        }
    ]
    assert (old["proxies"], new["proxies"]) == ({"1.27.0": 1, "1.29.1": 1}, {"1.27.0": 1, "1.28.0": 1})
    assert found["proxies"] == {"1.27.0": 2, "1.28.0": 1, "1.29.1": 1}
    assert [(one["pod"], one["version"]) for one in found["skew"]] == [("shop/b", "1.29.1"), ("shop/c", "1.27.0")]


def test_an_empty_cluster() -> None:
    assert read_installed(MemoryCluster()) == {"images": {}, "control_planes": [], "proxies": {}, "skew": []}


def test_versions_are_ordered_by_their_numbers() -> None:
    mixed = ["1.29.1", "1.9.0", "1.29.0", "1.28.3", "1.29.0-rc.1"]
    ordered = ["1.9.0", "1.28.3", "1.29.0-rc.1", "1.29.0", "1.29.1"]
    assert sorted(mixed, key=versions.version_key) == ordered


@pytest.mark.parametrize("kind", ["DaemonSet", "StatefulSet"])
def test_a_gateway_of_another_kind_of_workload(kind: str) -> None:
    other = {**gateway("new"), "kind": kind, "status": {}}
    (plane,) = read_installed(MemoryCluster(istiod("new", "1.29.1", READY), other))["control_planes"]
    assert [(one["kind"], one["name"], one["healthy"]) for one in plane["gateways"]] == [
        (kind, "istio-ingressgateway", False)
    ]
