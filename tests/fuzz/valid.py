# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Valid data to make mistakes in: manifests of many kinds, and what a cluster with a mesh has."""

from __future__ import annotations

import copy
from typing import Any

from ansible_collections.meshops.istio.tests.support.memory_cluster import injector
from ansible_collections.meshops.istio.tests.support.mesh_api import ingress_gateway, istio, secret, shop

Object = dict[str, Any]

_LABELS = {"app": "web", "version": "v1"}
_CONTAINER = {
    "name": "web",
    "image": "example.com/shop/web:1.2",
    "args": ["--port", "8080"],
    "env": [{"name": "MODE", "value": "a"}, {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
    "ports": [{"name": "http", "containerPort": 8080}, {"containerPort": 9090, "protocol": "UDP"}],
    "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": 1}},
    "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}},
    "volumeMounts": [{"name": "data", "mountPath": "/data"}],
}
POD_SPEC = {
    "containers": [_CONTAINER],
    "initContainers": [{"name": "init", "image": "busybox"}],
    "volumes": [{"name": "data", "emptyDir": {}}, {"name": "config", "configMap": {"name": "web"}}],
    "imagePullSecrets": [{"name": "registry"}],
    "serviceAccountName": "web",
}
_SPEC = {
    "replicas": 1,
    "selector": {"matchLabels": _LABELS},
    "template": {"metadata": {"labels": _LABELS, "annotations": {"note": "a"}}, "spec": POD_SPEC},
}


def obj(api_version: str, kind: str, name: str = "web", namespace: str = "shop", **fields: Any) -> Object:
    """An object with labels and annotations."""
    metadata = {"name": name, "labels": dict(_LABELS), "annotations": {"note": "a"}}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def _rbac(kind: str, namespace: str = "shop", **fields: Any) -> Object:
    return obj("rbac.authorization.k8s.io/v1", kind, namespace=namespace, **fields)


_RULES: Any = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
_BOUND: Any = {
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "web"},
    "subjects": [{"kind": "ServiceAccount", "name": "web", "namespace": "shop"}],
}
_WEBHOOK = {
    "name": "guard.example.com",
    "failurePolicy": "Fail",
    "clientConfig": {"service": {"name": "guard", "namespace": "shop", "path": "/check"}},
    "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
    "namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]},
}
_CRD = {
    "group": "example.com",
    "scope": "Namespaced",
    "names": {"kind": "Shape", "plural": "shapes", "singular": "shape", "listKind": "ShapeList"},
    "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}],
}

MANIFESTS: list[Object] = [
    obj("v1", "ConfigMap", data={"key": "value"}),
    obj("v1", "Secret", data={"key": "dmFsdWU="}, stringData={"other": "value"}, type="Opaque"),
    obj("v1", "Service", spec={"selector": _LABELS, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}),
    obj(
        "v1",
        "Service",
        "open",
        spec={
            "type": "LoadBalancer",
            "selector": _LABELS,
            "ports": [{"port": 443, "nodePort": 30443, "protocol": "TCP"}],
        },
    ),
    obj("v1", "ServiceAccount", imagePullSecrets=[{"name": "registry"}]),
    obj("v1", "Pod", spec=POD_SPEC),
    obj(
        "v1",
        "PersistentVolumeClaim",
        spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    ),
    obj("v1", "Namespace", namespace=""),
    obj("apps/v1", "Deployment", spec=_SPEC),
    obj(
        "apps/v1",
        "StatefulSet",
        spec={**_SPEC, "serviceName": "web", "volumeClaimTemplates": [{"metadata": {"name": "a"}}]},
    ),
    obj("apps/v1", "DaemonSet", spec={key: value for key, value in _SPEC.items() if key != "replicas"}),
    obj("batch/v1", "Job", spec={"template": {"spec": {**POD_SPEC, "restartPolicy": "Never"}}, "completions": 1}),
    obj(
        "batch/v1", "CronJob", spec={"schedule": "* * * * *", "jobTemplate": {"spec": {"template": {"spec": POD_SPEC}}}}
    ),
    obj(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        spec={
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "maxReplicas": 3,
            "metrics": [],
        },
    ),
    obj("policy/v1", "PodDisruptionBudget", spec={"minAvailable": 1, "selector": {"matchLabels": _LABELS}}),
    obj(
        "networking.k8s.io/v1", "NetworkPolicy", spec={"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]}
    ),
    obj(
        "networking.k8s.io/v1",
        "Ingress",
        spec={"rules": [{"host": "a.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix"}]}}]},
    ),
    _rbac("Role", rules=_RULES),
    _rbac("ClusterRole", "", rules=_RULES, aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}),
    _rbac("RoleBinding", **_BOUND),
    _rbac("ClusterRoleBinding", "", **_BOUND),
    obj("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", namespace="", webhooks=[_WEBHOOK]),
    obj("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", namespace="", webhooks=[_WEBHOOK]),
    obj("apiextensions.k8s.io/v1", "CustomResourceDefinition", "shapes.example.com", "", spec=_CRD),
    obj("example.com/v1", "Shape", spec={"corners": 3}),
    {"apiVersion": "v1", "kind": "List", "items": [obj("v1", "ConfigMap", "listed")]},
    *(
        obj("networking.istio.io/v1", kind, spec=spec)
        for kind, spec in {
            "VirtualService": {
                "hosts": ["web"],
                "gateways": ["shop/front", "mesh"],
                "http": [
                    {
                        "name": "all",
                        "match": [{"uri": {"prefix": "/"}}],
                        "route": [
                            {"destination": {"host": "web", "subset": "v1", "port": {"number": 80}}, "weight": 100}
                        ],
                    }
                ],
            },
            "DestinationRule": {"host": "web", "subsets": [{"name": "v1", "labels": {"version": "v1"}}]},
            "Gateway": {
                "selector": {"istio": "ingressgateway"},
                "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}],
            },
            "ServiceEntry": {
                "hosts": ["api.example.com"],
                "ports": [{"number": 443, "name": "https", "protocol": "TLS"}],
                "resolution": "DNS",
            },
            "Sidecar": {"egress": [{"hosts": ["./*"]}], "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}},
        }.items()
    ),
    obj("networking.istio.io/v1alpha3", "EnvoyFilter", spec={"configPatches": [{"applyTo": "CLUSTER"}]}),
    obj("security.istio.io/v1", "PeerAuthentication", spec={"mtls": {"mode": "STRICT"}, "portLevelMtls": {"8080": {}}}),
    obj(
        "security.istio.io/v1",
        "AuthorizationPolicy",
        spec={"action": "ALLOW", "rules": [{"from": [{"source": {"namespaces": ["a"]}}], "to": [{"operation": {}}]}]},
    ),
    obj("security.istio.io/v1", "RequestAuthentication", spec={"jwtRules": [{"issuer": "a", "jwksUri": "https://a"}]}),
    obj("telemetry.istio.io/v1", "Telemetry", spec={"tracing": [{"providers": [{"name": "zipkin"}]}]}),
    obj(
        "gateway.networking.k8s.io/v1",
        "Gateway",
        "front",
        spec={"gatewayClassName": "istio", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]},
    ),
    obj(
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        spec={
            "parentRefs": [{"name": "front"}],
            "rules": [{"backendRefs": [{"name": "web", "port": 80, "weight": 1}]}],
        },
    ),
]

_CONDITIONS = [
    {"type": "Ready", "status": "True", "reason": "a", "message": "b"},
    {"type": "Available", "status": "True"},
]
_ISTIO_LABELS = {"app": "istiod", "istio": "pilot", "istio.io/rev": "default", "operator.istio.io/component": "Pilot"}


def live() -> list[Object]:
    """What a cluster with a mesh and a shop in it has."""
    istiod = obj(
        "apps/v1", "Deployment", "istiod", "istio-system", spec=_SPEC, status={"conditions": _CONDITIONS, "replicas": 1}
    )
    istiod["metadata"]["labels"] = {
        **_ISTIO_LABELS,
        "operator.istio.io/version": "1.29.1",
        "install.operator.istio.io/owning-resource": "unknown",
    }
    istiod["spec"] = {
        **_SPEC,
        "template": {
            "metadata": {"labels": _ISTIO_LABELS},
            "spec": {"containers": [{"name": "discovery", "image": "istio/pilot:1.29.1"}]},
        },
    }
    mesh_config = obj(
        "v1",
        "ConfigMap",
        "istio",
        "istio-system",
        data={"mesh": "extensionProviders:\n- name: zipkin\n  zipkin: {service: z, port: 1}\n"},
    )
    sidecars = obj(
        "v1",
        "ConfigMap",
        "istio-sidecar-injector",
        "istio-system",
        data={"config": "policy: enabled\n", "values": '{"global": {}}'},
    )
    node = obj(
        "v1",
        "Node",
        "node",
        "",
        spec={},
        status={
            "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
            "conditions": _CONDITIONS,
            "nodeInfo": {"kubeletVersion": "v1.35.4"},
        },
    )
    replica_set = obj("apps/v1", "ReplicaSet", "web-5d8f", spec=_SPEC, status={"replicas": 1})
    replica_set["metadata"]["ownerReferences"] = [
        {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "controller": True}
    ]
    gateway_deployment = obj(
        "apps/v1", "Deployment", "istio-ingressgateway", "istio-system", spec=_SPEC, status={"conditions": _CONDITIONS}
    )
    ours = [copy.deepcopy(one) for one in MANIFESTS if one["kind"] not in ("List", "Namespace", "Shape")]
    for one in ours:
        one["metadata"].setdefault(
            "managedFields",
            [
                {
                    "manager": "kubectl",
                    "operation": "Update",
                    "apiVersion": one["apiVersion"],
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:metadata": {"f:labels": {"f:app": {}}}},
                }
            ],
        )
    namespaces = [obj("v1", "Namespace", name, "") for name in ("default", "kube-system")]
    found = [
        *shop(),
        *namespaces,
        *ingress_gateway(),
        gateway_deployment,
        injector(),
        istiod,
        mesh_config,
        sidecars,
        node,
        replica_set,
        secret("cacerts", "ca-cert.pem"),
        istio(
            "VirtualService",
            "reviews",
            {"hosts": ["reviews"], "http": [{"route": [{"destination": {"host": "reviews"}}]}]},
        ),
        *ours,
    ]
    for number, one in enumerate(found, start=1):
        one["metadata"].update(
            resourceVersion=str(number), uid=f"uid-{number}", creationTimestamp="2026-01-01T00:00:00Z"
        )
    return found
