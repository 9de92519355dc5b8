# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests send traffic to (shop.yaml): what its clients are answered, and what its sidecars saw."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.istio.inspection.distribution import wait_for_proxies
from ansible_collections.meshops.istio.plugins.module_utils.istio.model.kinds import KINDS
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.reconcile import reconcile
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.settings import Settings
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import (
    Key,
    Kind,
    Object,
    key_of,
    read_manifests,
)
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.change import Change
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.plan import Plan
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.wait import wait_gone
from ansible_collections.meshops.istio.tests.integration.traffic.traffic import Answer
from kubernetes.client import CoreV1Api
from kubernetes.config import new_client_from_config
from kubernetes.stream import stream

MESH, PLAIN = "traffic-it", "traffic-it-plain"
"""The namespace with sidecars, and the one without."""

MANAGER = "meshops.istio/tests"

_NAMESPACES = [Key("v1", "Namespace", "", name) for name in (MESH, PLAIN)]
_DEPLOYMENT = Kind("apps/v1", "Deployment")


class Shop:
    """The shop in a cluster."""

    def __init__(self, cluster: Cluster, kubeconfig: str) -> None:
        self.cluster = cluster
        self._pods = CoreV1Api(new_client_from_config(kubeconfig))  # type: ignore[no-untyped-call]

    def open(self) -> None:
        """Create it all, and wait until it is ready."""
        objects = read_manifests((Path(__file__).parent / "shop.yaml").read_text(), "shop.yaml")
        unit = Unit(MANAGER, objects)
        reconcile(self.cluster, unit, Settings(check=False, diff=False, wait=True, timeout=180, progress=silent))
        self.cluster.deadline = None

    def close(self) -> None:
        """Remove it all, and wait until it is gone."""
        for key in _NAMESPACES:
            self.cluster.delete(key.of, key.name)
        wait_gone(self.cluster, _NAMESPACES, timeout=120, progress=silent)

    def settings(self) -> list[Object]:
        """What is set for the namespace with sidecars, by the tests."""
        kinds = {kind.kind: kind for kind in KINDS if self.cluster.serves(kind) and kind.kind != "Telemetry"}
        return [obj for kind in kinds.values() for obj in self.cluster.list(kind, MESH)]

    def tidy(self) -> None:
        """Remove what a test has set, and wait until the proxies know."""
        plan = Plan(Unit(MANAGER, []), [], {})
        plan.changes = [Change("delete", key_of(obj), obj, None) for obj in self.settings()]
        for change in plan.changes:
            self.cluster.delete(change.key.of, change.key.name, change.key.namespace)
        late = wait_for_proxies(self.cluster, plan, timeout=60, progress=silent)
        assert not late, late

    def scale(self, deployment: str, replicas: int) -> None:
        """Have a Deployment run so many pods."""
        body = {"spec": {"replicas": replicas}}
        self.cluster.merge_patch(_DEPLOYMENT, deployment, MESH, body, manager=MANAGER)

    def set_services(self, names: Iterable[str]) -> None:
        """Give versions of `hello` Services of their own, as `hello-v1`."""
        for name in names:
            app, _dash, version = name.partition("-")
            selector = {"app": app, "version": version}
            spec = {"selector": selector, "ports": [{"name": "http", "port": 80, "targetPort": 5000}]}
            metadata = {"name": name, "namespace": MESH}
            service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
            self.cluster.apply(service, manager=MANAGER)

    def classes(self) -> list[str]:
        """The GatewayClasses that are accepted, once the cluster knows of them."""
        path = "/apis/gateway.networking.k8s.io/v1/gatewayclasses"
        return [one["metadata"]["name"] for one in self.cluster.raw("GET", path)["items"]]

    def pod(self, labels: str, namespace: str = MESH) -> Any:
        """The pod with these labels."""
        found = self.cluster.list(Kind("v1", "Pod"), namespace, label_selector=labels)
        (pod,) = (one for one in found if not one["metadata"].get("deletionTimestamp"))
        return pod

    def ask_from(self, namespace: str, url: str, *options: str) -> Answer:
        """A request by the client's pod of a namespace; `options` are curl's."""
        asked = ("curl", "-sS", "-m", "10", *options, "-w", "\\n%{http_code}", url)
        said = self.execute("app=client", "curl", *asked, namespace=namespace)
        text, _newline, last = said.rstrip().rpartition("\n")
        return Answer(int(last), text) if last.isdigit() else Answer(0, said)

    def execute(self, labels: str, container: str, *command: str, namespace: str = MESH) -> str:
        """What a command prints in a container of the pod with these labels."""
        said = stream(
            self._pods.connect_get_namespaced_pod_exec,
            self.pod(labels, namespace)["metadata"]["name"],
            namespace,
            container=container,
            command=list(command),
            stdout=True,
            stderr=True,
        )
        return str(said)

    def log_of(self, labels: str) -> list[str]:
        """The access log of a pod's sidecar."""
        name = self.pod(labels)["metadata"]["name"]
        return str(self._pods.read_namespaced_pod_log(name, MESH, container="istio-proxy")).splitlines()
