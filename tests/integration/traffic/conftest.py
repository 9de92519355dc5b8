# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small shop in the lab's mesh, and the modules as they run on it. A lab without a mesh has one meanwhile."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.integration.traffic.shop import MESH, Shop
from ansible_collections.meshops.istio.tests.integration.traffic.traffic import Door
from ansible_collections.meshops.istio.tests.support.lab import Lab
from ansible_collections.meshops.istio.tests.support.modules import Run


@pytest.fixture(scope="session")
def cluster(lab: Lab) -> Cluster:
    """The lab's cluster, under a name that is not counted with the modules'."""
    return Cluster.connect({"kubeconfig": lab.kubeconfig}, user_agent="tests")


@pytest.fixture(scope="session")
def mesh(lab: Lab, cluster: Cluster) -> Iterator[Cluster]:
    """The cluster with Istio; one that is there already stays as it is."""
    if cluster.list(Kind("apps/v1", "Deployment"), "istio-system", label_selector="app=istiod"):
        yield cluster
        return
    playbook("site", lab)
    yield Cluster.connect({"kubeconfig": lab.kubeconfig}, user_agent="tests")
    playbook("uninstall", lab, "--extra-vars", "mesh_purge=true mesh_uninstall_confirm=true")


def playbook(name: str, lab: Lab, *arguments: str) -> None:
    """Run a playbook of the collection with the lab's variables."""
    command = ["ansible-playbook", f"meshops.istio.{name}", "--extra-vars", f"@{lab.variables_file}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def shop(mesh: Cluster, lab: Lab) -> Iterator[Shop]:
    """The shop, open."""
    shop = Shop(mesh, lab.kubeconfig)
    shop.open()
    yield shop
    shop.close()


@pytest.fixture(autouse=True)
def _as_before(shop: Shop) -> Iterator[None]:
    """What a test sets goes when it ends."""
    yield
    shop.tidy()


@pytest.fixture
def run(run_module: Run, lab: Lab, shop: Shop) -> Run:
    """Run a module in the shop's namespace; unless told otherwise it has to succeed, and a second run to do nothing."""

    def run(module: str, /, *, fails: bool = False, **options: Any) -> dict[str, Any]:
        given = {"kubeconfig": lab.kubeconfig, "namespace": MESH, **options}
        result = run_module(module, **given)
        assert bool(result.get("failed")) == fails, result
        if not fails:
            again = run_module(module, **given)
            assert (again["changed"], again["changes"]) == (False, [])
        return result

    return run


@pytest.fixture
def info(run_module: Run, lab: Lab, shop: Shop) -> dict[str, Any]:
    """Where the ingress gateway is reached."""
    return run_module("ingress_info", kubeconfig=lab.kubeconfig)


def door_of(info: dict[str, Any], port: str) -> Door:
    """The gateway's port of this name: at its own address, else at a node."""
    if info["addresses"] and not info["pending"]:
        return Door(info["addresses"][0], info["ports"][port]["port"])
    return Door(info["hosts"][0], info["ports"][port]["node_port"])


@pytest.fixture
def plain_door(info: dict[str, Any]) -> Door:
    """The gateway's port for HTTP."""
    return door_of(info, "http2")


@pytest.fixture
def secure_door(info: dict[str, Any]) -> Door:
    """The gateway's port for HTTPS, as yet without TLS."""
    return door_of(info, "https")


@pytest.fixture
def gate(run: Run, plain_door: Door) -> Door:
    """The gateway, taking requests for all hosts of the domain `test`."""
    run("gateway", name="gate", servers=[{"port": 80, "hosts": ["*.test"]}])
    return plain_door
