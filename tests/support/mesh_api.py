# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An API server that knows Istio's kinds, and a small shop to put into it."""

from __future__ import annotations

from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.istio.model.kinds import DEFINITIONS
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.builtin_kinds import (
    BUILT_IN,
    Resource,
    of_definitions,
)
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer, Request, groups, status

Object = dict[str, Any]

ISTIO = of_definitions(DEFINITIONS)
GATEWAY_API = {
    Kind("gateway.networking.k8s.io/v1", "Gateway"): Resource("gateways", True),
    Kind("gateway.networking.k8s.io/v1", "GatewayClass"): Resource("gatewayclasses", False),
    Kind("gateway.networking.k8s.io/v1", "HTTPRoute"): Resource("httproutes", True),
    Kind("gateway.networking.k8s.io/v1beta1", "ReferenceGrant"): Resource("referencegrants", True),
}
KINDS = {**ISTIO, **GATEWAY_API}
NETWORKING = "networking.istio.io/v1"
SECURITY = "security.istio.io/v1"


class Mesh(ApiServer):
    """`versions` are those of Istio's APIs that it serves; empty where Istio is not installed.

    `gateway_api` tells whether Kubernetes' Gateway API is installed.
    """

    versions: tuple[str, ...] = ("v1alpha3", "v1beta1", "v1")
    gateway_api: bool = False

    def answer(self, request: Request) -> tuple[int, Any]:
        """As the API server's; discovery tells Istio's kinds, and lists heed selectors."""
        if request.path == "/apis":
            return 200, {"kind": "APIGroupDiscoveryList", "items": self._groups()}
        status, body = super().answer(request)
        if request.method == "GET" and "items" in body:
            body = {**body, "items": [one for one in body["items"] if _selected(one, request.query)]}
        return status, body

    def add(self, *objects: Object) -> None:
        """Store objects of somebody else."""
        for obj in objects:
            self.put(path_of(obj), obj)

    def live(self, kind: str, name: str, namespace: str = "shop") -> Object | None:
        """The object of a kind and name, whatever its version; `group/kind` where there are two."""
        group, _slash, kind = kind.rpartition("/")
        for obj in self.objects:
            place = obj["metadata"]["name"], obj["metadata"].get("namespace")
            if obj["kind"] == kind and place == (name, namespace) and obj["apiVersion"].startswith(group):
                return obj
        return None

    def spec(self, kind: str, name: str, namespace: str = "shop") -> Any:
        """The spec of an object that must exist."""
        found = self.live(kind, name, namespace)
        assert found is not None, f"there is no {kind} {namespace}/{name}"
        return found["spec"]

    def refuse(self, kind: str, message: str) -> None:
        """Refuse objects of a kind as Istio's webhook does, in dry runs too."""

        def fault(request: Request) -> Answer | None:
            wrong = request.method == "PATCH" and (request.body or {}).get("kind") == kind
            webhook = 'admission webhook "validation.istio.io" denied the request: '
            return status(400, "BadRequest", webhook + message) if wrong else None

        self.fault = fault

    def _groups(self) -> list[Object]:
        kinds = {
            kind: resource
            for kind, resource in KINDS.items()
            if (self.gateway_api if kind in GATEWAY_API else kind.api_version.rpartition("/")[2] in self.versions)
        }
        return groups({**BUILT_IN, **kinds})


def _selected(obj: Object, query: dict[str, str]) -> bool:
    labels = obj["metadata"].get("labels") or {}
    wanted = [one.split("=") for one in query.get("labelSelector", "").split(",") if one]
    name = query.get("fieldSelector", "").removeprefix("metadata.name=")
    return all(labels.get(key) == value for key, value in wanted) and name in ("", obj["metadata"]["name"])


def path_of(obj: Object) -> str:
    """Where an object is at the API server."""
    resource = {**BUILT_IN, **KINDS}[Kind(obj["apiVersion"], obj["kind"])]
    root = "/api/" if obj["apiVersion"] == "v1" else "/apis/"
    namespace = obj["metadata"].get("namespace")
    scope = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{obj['apiVersion']}{scope}/{resource.plural}/{obj['metadata']['name']}"


def istio(kind: str, name: str, spec: Object, namespace: str = "shop", api_version: str = NETWORKING) -> Object:
    """An object of Istio's."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def namespace(name: str, **labels: str) -> Object:
    """A namespace; underscores in label names stand for a dash."""
    labels = {key.replace("_", "-"): value for key, value in labels.items()}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def service(name: str, *ports: int, namespace: str = "shop", **spec: Any) -> Object:
    """A Service for the pods with its name as their label `app`."""
    listed = [{"name": f"http-{port}", "port": port, "targetPort": port} for port in ports or (80,)]
    selector = {"app": name}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": selector, "ports": listed, **spec},
    }


def pod(
    app: str, *, namespace: str = "shop", sidecar: bool = True, phase: str = "Running", labels: Any = None
) -> Object:
    """A pod with its label `app`, of a Deployment of that name; with a sidecar or without."""
    containers: list[Object] = [{"name": "app", "ports": [{"name": "web", "containerPort": 8080}]}]
    annotations = {"sidecar.istio.io/status": "{}"} if sidecar else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{app}-5d8f-x",
            "namespace": namespace,
            "labels": {"app": app, "pod-template-hash": "5d8f", **(labels or {})},
            "annotations": annotations,
            "ownerReferences": [{"kind": "ReplicaSet", "name": f"{app}-5d8f", "controller": True}],
        },
        "spec": {"containers": [*containers, {"name": "istio-proxy"}] if sidecar else containers},
        "status": {"phase": phase},
    }


def ingress_gateway(namespace: str = "istio-system") -> list[Object]:
    """The gateway that istioctl installs: a pod without injection, and its Service."""
    made = pod("istio-ingressgateway", namespace=namespace, sidecar=False, labels={"istio": "ingressgateway"})
    made["spec"]["containers"] = [{"name": "istio-proxy"}]
    open_at = service("istio-ingressgateway", namespace=namespace, type="LoadBalancer")
    open_at["spec"]["ports"] = [
        {"name": "http2", "port": 80, "targetPort": 8080},
        {"name": "https", "port": 443, "targetPort": 8443},
    ]
    return [made, open_at]


def secret(name: str, *keys: str, namespace: str = "istio-system") -> Object:
    """A Secret with these keys."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": dict.fromkeys(keys, "c2VjcmV0")}


def shop() -> list[Object]:
    """A namespace in the mesh with a web front end and reviews in two versions."""
    return [
        namespace("shop", istio_injection="enabled"),
        namespace("istio-system"),
        service("web", 80),
        service("reviews", 9080),
        pod("web"),
        pod("reviews"),
    ]
