# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Python package openshift on the same Routes: each sees and respects what the other has written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.platforms.openshift import ROUTE, unit
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.reconcile import Outcome, reconcile
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.settings import Settings
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.tests.openshift.stand_in import install_kinds
from ansible_collections.meshops.istio.tests.support.lab import Lab
from kubernetes.client import ApiClient
from kubernetes.config import new_client_from_config
from openshift.dynamic import DynamicClient


def route(namespace: str, port: str = "http2") -> dict[str, Any]:
    target = {"kind": "Service", "name": "istio-ingressgateway", "weight": 100}
    spec = {"host": "shop.apps.example.com", "to": target, "port": {"targetPort": port}, "wildcardPolicy": "None"}
    return {
        "apiVersion": ROUTE.api_version,
        "kind": ROUTE.kind,
        "metadata": {"name": "shop", "namespace": namespace},
        "spec": spec,
    }


@pytest.fixture
def connected(cluster: Cluster, lab: Lab) -> Cluster:
    """The cluster with Routes."""
    install_kinds(cluster, "Route")
    return Cluster.connect({"kubeconfig": lab.kubeconfig}, user_agent="tests")


@pytest.fixture
def peer(connected: Cluster, lab: Lab) -> Iterator[Any]:
    """The resource of Routes in the package openshift."""
    api: ApiClient = new_client_from_config(lab.kubeconfig)  # type: ignore[no-untyped-call]
    with api:
        yield DynamicClient(api).resources.get(api_version=ROUTE.api_version, kind=ROUTE.kind)


def bring(cluster: Cluster, obj: dict[str, Any]) -> Outcome:
    settings = Settings(check=False, diff=False, wait=False, timeout=60, progress=silent)
    return reconcile(cluster, unit([obj], "shop", obj["metadata"]["namespace"], scc=False, routes=True), settings)


def test_both_see_and_respect_the_same_routes(connected: Cluster, peer: Any, namespace: str) -> None:
    assert bring(connected, route(namespace)).changed
    found = peer.get(name="shop", namespace=namespace).to_dict()
    assert found["spec"] == route(namespace)["spec"]

    # Another apply of the same by the peer is no drift, and a change by it is.
    peer.apply(body=route(namespace), namespace=namespace)
    assert not bring(connected, route(namespace)).changed
    peer.apply(body=route(namespace, "https"), namespace=namespace)
    assert bring(connected, route(namespace)).changed
    assert peer.get(name="shop", namespace=namespace).spec.port.targetPort == "http2"

    peer.delete(name="shop", namespace=namespace)
    assert [change["action"] for change in bring(connected, route(namespace)).changes] == ["create"]
