# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is in the cluster beside the mesh, so that each of the rights is needed for something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.rights import USER

Object = dict[str, Any]

MESH = "istio-system"
OURS, THEIRS = f"{USER}-shop", f"{USER}-stock"
"""The namespace of the application, and one of workloads that are in the cluster before the mesh."""

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")

_ADDONS = {"meshops.istio/addons": MESH}
_INSTALLED = {
    "install.operator.istio.io/owning-resource": "unknown",
    "install.operator.istio.io/owning-resource-namespace": MESH,
    "istio.io/rev": "default",
    "operator.istio.io/component": "Cni",
    "operator.istio.io/managed": "Reconcile",
}


def bystanders() -> Iterator[Object]:
    """Workloads of each kind, which nobody has restarted since there is a mesh, and a pod that nobody keeps."""
    yield make("v1", "Namespace", THEIRS, "")
    for kind in WORKLOADS:
        yield _workload(kind, kind.lower(), THEIRS)
    yield make("v1", "Pod", "bare", THEIRS, spec=_workload("Deployment", "bare", THEIRS)["spec"]["template"]["spec"])


def leftovers() -> Iterator[Object]:
    """What other configurations of the mesh and of its addons have left; it runs nowhere."""
    for name, kind, spec in (
        ("istio-cni", Kind("k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition"), {}),
        ("istiod", Kind("networking.k8s.io/v1", "NetworkPolicy"), {"podSelector": {"matchLabels": {USER: "nowhere"}}}),
        ("left", Kind("policy/v1", "PodDisruptionBudget"), {"minAvailable": 1}),
    ):
        yield _labelled(_INSTALLED, make(*kind, name, MESH, spec=spec))
    yield _labelled(_INSTALLED, _workload("DaemonSet", "left", MESH))
    for kind, spec in (
        (Kind("monitoring.coreos.com/v1", "PodMonitor"), {}),
        (Kind("monitoring.coreos.com/v1", "ServiceMonitor"), {}),
        (Kind("networking.istio.io/v1", "Gateway"), gateway("left.example.com")),
        (Kind("networking.istio.io/v1", "VirtualService"), _route("v1")),
    ):
        yield _labelled(_ADDONS, make(*kind, "left", MESH, spec=spec))
    yield _labelled(_ADDONS, _workload("StatefulSet", "left", MESH))


def maker_of(obj: Object) -> str:
    """The field manager that would have applied what is left."""
    return "meshops.istio/addons" if _ADDONS.items() <= obj["metadata"].get("labels", {}).items() else "istio-operator"


def unfinished() -> Iterator[Object]:
    """A route whose weight could be moved, and a Service that nobody gives an address."""
    yield make("networking.istio.io/v1", "VirtualService", "canary", OURS, spec=_route("v1", "v2"))
    balanced = {"type": "LoadBalancer", "loadBalancerClass": "it/none", "ports": [{"port": 80}]}
    yield make("v1", "Service", "pending", THEIRS, spec=balanced)


def gateway(*hosts: str, encrypted: str = "") -> Object:
    """The spec of a Gateway for hosts, and for one that is reached by TLS."""
    servers: list[Object] = [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": list(hosts)}]
    if encrypted:
        port = {"number": 443, "name": "tls", "protocol": "TLS"}
        servers.append({"port": port, "tls": {"mode": "PASSTHROUGH"}, "hosts": [encrypted]})
    return {"selector": {"istio": "ingressgateway"}, "servers": servers}


def make(api_version: str, kind: str, name: str, namespace: str, **content: Any) -> Object:
    """Any object."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


def _route(*subsets: str) -> Object:
    shares = [100, *(0 for _other in subsets[1:])]
    targets = [
        {"destination": {"host": "helloworld", "subset": subset}, "weight": share}
        for subset, share in zip(subsets, shares, strict=True)
    ]
    return {"hosts": ["helloworld"], "http": [{"route": targets}]}


def _workload(kind: str, name: str, namespace: str) -> Object:
    labels = {"app": name}
    container = {"name": "main", "image": "docker.io/curlimages/curl:8.16.0", "command": ["/bin/sleep", "3600"]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], "terminationGracePeriodSeconds": 0}}
    more = {"serviceName": name} if kind == "StatefulSet" else {}
    spec = {"selector": {"matchLabels": labels}, "template": template, **more}
    return make("apps/v1", kind, name, namespace, spec=spec)


def _labelled(labels: Mapping[str, str], obj: Object) -> Object:
    obj["metadata"]["labels"] = labels
    if obj["kind"] in WORKLOADS:
        obj["spec"]["template"]["spec"]["nodeSelector"] = {USER: "nowhere"}
    return obj
