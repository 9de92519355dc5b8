# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small shop in the mesh of the cluster that KUBECONFIG names, and the modules as they run on it.

Where the cluster has no mesh it gets one, by the variables of the lab that LAB names, and loses it afterwards.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.kinds import KINDS
from ansible_collections.meshops.istio.plugins.module_utils.kube.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects import Key, Kind, read_manifests
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan import Unit
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.reconcile import reconcile
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait import wait_gone
from ansible_collections.meshops.istio.tests.integration.traffic.traffic import Answer, Door
from ansible_collections.meshops.istio.tests.unit.modules.running import run_module  # noqa: F401 - a fixture
from kubernetes.client import CoreV1Api
from kubernetes.config import new_client_from_config
from kubernetes.stream import stream

CHECKOUT = Path(__file__).resolve().parents[3]
SHOP, PLAIN = "traffic-it", "traffic-it-plain"
NAMESPACE, POD, SERVICE = Kind("v1", "Namespace"), Kind("v1", "Pod"), Kind("v1", "Service")

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The cluster that KUBECONFIG names."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("KUBECONFIG names no cluster")
    return Cluster.connect({"kubeconfig": os.environ["KUBECONFIG"]}, user_agent="meshops.istio/tests")


@pytest.fixture(scope="session")
def mesh(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster with Istio."""
    if cluster.list(Kind("apps/v1", "Deployment"), "istio-system", label_selector="app=istiod"):
        yield cluster
        return
    playbook("site")
    yield Cluster.connect({"kubeconfig": os.environ["KUBECONFIG"]}, user_agent="meshops.istio/tests")
    playbook("uninstall", "-e", "mesh_purge=true")


def playbook(name: str, *arguments: str) -> None:
    """Run a playbook of the collection with the lab's variables."""
    lab = [sys.executable, "-m", "lab", "--lab", os.environ.get("LAB", "default"), "vars"]
    variables = subprocess.run(lab, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout.strip()
    command = ["ansible-playbook", f"meshops.istio.{name}", "-e", f"@{variables}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def shop(mesh: Cluster) -> Iterator[Cluster]:
    """The cluster with the shop in it."""
    objects = read_manifests((Path(__file__).parent / "shop.yaml").read_text(), "shop.yaml")
    unit = Unit("meshops.istio/tests", objects)
    reconcile(mesh, unit, check=False, diff=False, wait=True, timeout=180, progress=silent)
    yield mesh
    for name in (SHOP, PLAIN):
        mesh.delete(NAMESPACE, name)
    mesh.deadline = None
    wait_gone(mesh, [Key(*NAMESPACE, "", name) for name in (SHOP, PLAIN)], timeout=120, progress=silent)


@pytest.fixture(autouse=True)
def _as_before(shop: Cluster) -> Iterator[None]:
    """What a test sets goes when it ends."""
    yield
    shop.deadline = None
    kinds = {kind.kind: kind for kind in KINDS if shop.serves(kind) and kind.kind != "Telemetry"}
    for kind in kinds.values():
        for obj in shop.list(kind, SHOP):
            shop.delete(kind, obj["metadata"]["name"], SHOP, uid=obj["metadata"]["uid"])


@pytest.fixture
def run(run_module: Run, shop: Cluster) -> Run:  # noqa: F811
    """Run a module in the shop's namespace; unless told otherwise it has to succeed, and a second run to do nothing."""

    def run(module: str, /, *, fails: bool = False, **options: Any) -> dict[str, Any]:
        given = {"kubeconfig": os.environ["KUBECONFIG"], "namespace": SHOP, **options}
        result = run_module(module, **given)
        assert bool(result.get("failed")) == fails, result
        if not fails:
            again = run_module(module, **given)
            assert (again["changed"], again["changes"]) == (False, [])
        return result

    return run


@pytest.fixture
def info(run_module: Run, shop: Cluster) -> dict[str, Any]:  # noqa: F811
    """Where the ingress gateway is reached."""
    return run_module("ingress_info", kubeconfig=os.environ["KUBECONFIG"])


def door(info: dict[str, Any], port: str) -> Door:
    """The gateway's port of this name: at its own address, else at a node."""
    if info["addresses"] and not info["pending"]:
        return Door(info["addresses"][0], info["ports"][port]["port"])
    return Door(info["hosts"][0], info["ports"][port]["node_port"])


@pytest.fixture
def plain_door(info: dict[str, Any]) -> Door:
    """The gateway's port for HTTP."""
    return door(info, "http2")


@pytest.fixture
def secure_door(info: dict[str, Any]) -> Door:
    """The gateway's port for HTTPS, as yet without TLS."""
    return door(info, "https")


@pytest.fixture
def gate(run: Run, plain_door: Door) -> Door:
    """The gateway, taking requests for all hosts of the domain `test`."""
    run("gateway", name="gate", servers=[{"port": 80, "hosts": ["*.test"]}])
    return plain_door


def pod_of(cluster: Cluster, labels: str, namespace: str = SHOP) -> dict[str, Any]:
    """The pod with these labels."""
    (found,) = (
        pod
        for pod in cluster.list(POD, namespace, label_selector=labels)
        if not pod["metadata"].get("deletionTimestamp")
    )
    return found


def ask_from(cluster: Cluster, namespace: str, url: str, *options: str) -> Answer:
    """A request by the client's pod of a namespace."""
    name = pod_of(cluster, "app=client", namespace)["metadata"]["name"]
    command = ["curl", "-sS", "-m", "10", *options, "-w", "\\n%{http_code}", url]
    said = stream(
        _pods().connect_get_namespaced_pod_exec,
        name,
        namespace,
        container="curl",
        command=command,
        stdout=True,
        stderr=True,
    )
    text, _newline, last = said.rstrip().rpartition("\n")
    return Answer(int(last), text) if last.isdigit() else Answer(0, said)


def log_of(cluster: Cluster, labels: str) -> list[str]:
    """The access log of a pod's sidecar."""
    name = pod_of(cluster, labels)["metadata"]["name"]
    return str(_pods().read_namespaced_pod_log(name, SHOP, container="istio-proxy")).splitlines()


def _pods() -> CoreV1Api:
    return CoreV1Api(new_client_from_config(os.environ["KUBECONFIG"]))  # type: ignore[no-untyped-call]
