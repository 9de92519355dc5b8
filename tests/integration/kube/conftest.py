# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A place in the cluster that KUBECONFIG names: a namespace of its own for each test, gone afterwards."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.integration.kube.place import Place, WatchedCluster

NAMESPACE = Kind("v1", "Namespace")


@pytest.fixture
def cluster() -> WatchedCluster:
    """The cluster, and what is asked of it."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("KUBECONFIG names no cluster")
    found = WatchedCluster.connect({"kubeconfig": os.environ["KUBECONFIG"]}, user_agent="tests")
    assert isinstance(found, WatchedCluster)
    return found


@pytest.fixture
def new_place(cluster: WatchedCluster) -> Iterator[Callable[[], Place]]:
    """Makes places, whose namespaces exist."""
    made: list[Place] = []

    def make() -> Place:
        place = Place(cluster, f"kube-it-{uuid.uuid4().hex[:8]}")
        made.append(place)
        cluster.create(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": place.namespace}}, manager="tests"
        )
        return place

    yield make
    for place in made:
        cluster.delete(NAMESPACE, place.namespace)
        for key in place.beside:
            cluster.delete(key.of, key.name)


@pytest.fixture
def place(new_place: Callable[[], Place]) -> Place:
    """A place in the cluster."""
    return new_place()
