# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of the fields of Kubernetes' kinds that the collection reads; for other kinds, of metadata and conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ..errors import Unreachable
from .shapes import BOOLEAN, MAP, NUMBER, NUMBER_OR_TEXT, TEXT, TEXTS, TIME, List, Map, Shape, fitting, problems, refuse

Object = dict[str, Any]

_MAPS = List(MAP)
_TEXT_LIST = List(TEXT)

_METADATA: dict[str, Shape] = {
    **dict.fromkeys(("name", "namespace", "generateName", "uid", "resourceVersion"), TEXT),
    **dict.fromkeys(("creationTimestamp", "deletionTimestamp"), TIME),
    "labels": TEXTS,
    "annotations": TEXTS,
    "finalizers": _TEXT_LIST,
    "generation": NUMBER,
    "ownerReferences": List(
        Map(
            dict.fromkeys(("apiVersion", "kind", "name", "uid"), TEXT) | {"controller": BOOLEAN},
            required=("kind", "name"),
        )
    ),
    "managedFields": List(
        Map(
            dict.fromkeys(("manager", "operation", "subresource", "apiVersion"), TEXT) | {"time": TIME, "fieldsV1": MAP}
        )
    ),
}
_EXPRESSIONS = List(Map({"key": TEXT, "operator": TEXT, "values": _TEXT_LIST}))
SELECTOR = Map({"matchLabels": TEXTS, "matchExpressions": _EXPRESSIONS})
_CONDITIONS = List(
    Map(
        {
            **dict.fromkeys(("type", "status", "reason", "message"), TEXT),
            "lastTransitionTime": TIME,
            "observedGeneration": NUMBER,
        },
        required=("type",),
    )
)
_REQUEST = Map({"path": TEXT, "port": NUMBER_OR_TEXT, "host": TEXT, "scheme": TEXT, "httpHeaders": _MAPS})
_PROBE = Map({"httpGet": _REQUEST, "tcpSocket": MAP, "grpc": MAP, "exec": MAP})
_CONTAINER = Map(
    {
        **dict.fromkeys(("name", "image", "imagePullPolicy", "workingDir", "restartPolicy"), TEXT),
        **dict.fromkeys(("command", "args"), _TEXT_LIST),
        **dict.fromkeys(("livenessProbe", "readinessProbe", "startupProbe"), _PROBE),
        "env": List(Map({"name": TEXT, "value": TEXT, "valueFrom": MAP}), ("name",)),
        "envFrom": _MAPS,
        "ports": List(
            Map({"name": TEXT, "containerPort": NUMBER, "protocol": TEXT, "hostPort": NUMBER}),
            ("containerPort", "protocol"),
        ),
        "resources": Map({"limits": Map(each=NUMBER_OR_TEXT), "requests": Map(each=NUMBER_OR_TEXT)}),
        "securityContext": MAP,
        "volumeMounts": List(
            Map({"name": TEXT, "mountPath": TEXT, "readOnly": BOOLEAN}, required=("name",)), ("mountPath",)
        ),
    }
)
_CONTAINERS = List(_CONTAINER, ("name",))
_NAMED = List(Map({"name": TEXT}), ("name",))
_VOLUME = Map(
    {
        "name": TEXT,
        "configMap": Map({"name": TEXT, "items": _MAPS}),
        "secret": Map({"secretName": TEXT, "items": _MAPS}),
        "projected": Map({"sources": _MAPS}),
        "persistentVolumeClaim": Map({"claimName": TEXT}),
        "emptyDir": MAP,
        "hostPath": MAP,
    }
)
_POD = Map(
    {
        **dict.fromkeys(
            ("serviceAccountName", "serviceAccount", "nodeName", "restartPolicy", "priorityClassName"), TEXT
        ),
        **dict.fromkeys(("containers", "initContainers", "ephemeralContainers"), _CONTAINERS),
        **dict.fromkeys(("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"), BOOLEAN),
        "volumes": List(_VOLUME, ("name",)),
        "imagePullSecrets": _NAMED,
        "nodeSelector": TEXTS,
        "tolerations": _MAPS,
        "affinity": MAP,
        "securityContext": MAP,
    }
)
_TEMPLATE = Map({"metadata": Map(_METADATA), "spec": _POD})
_CONTAINER_STATUSES = List(
    Map(
        {
            "name": TEXT,
            "ready": BOOLEAN,
            "restartCount": NUMBER,
            "image": TEXT,
            **dict.fromkeys(
                ("state", "lastState"),
                Map(
                    dict.fromkeys(
                        ("waiting", "running", "terminated"), Map({"reason": TEXT, "message": TEXT, "exitCode": NUMBER})
                    )
                ),
            ),
        },
        required=("name",),
    )
)
_POD_STATUS = {
    **dict.fromkeys(("phase", "reason", "message", "podIP", "hostIP", "startTime"), TEXT),
    **dict.fromkeys(("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"), _CONTAINER_STATUSES),
}
_CLAIM = Map(
    {
        "accessModes": _TEXT_LIST,
        "resources": Map({"requests": Map(each=NUMBER_OR_TEXT)}),
        "storageClassName": TEXT,
        "selector": SELECTOR,
    }
)
_WORKLOAD: dict[str, Shape] = {
    **dict.fromkeys(("replicas", "progressDeadlineSeconds"), NUMBER),
    "paused": BOOLEAN,
    "selector": SELECTOR,
    "serviceName": TEXT,
    "template": _TEMPLATE,
    "persistentVolumeClaimRetentionPolicy": TEXTS,
    "volumeClaimTemplates": List(
        Map({"metadata": Map(_METADATA, required=("name",)), "spec": _CLAIM}, required=("metadata",))
    ),
}
_COUNTS = dict.fromkeys(
    (
        *(
            "replicas",
            "updatedReplicas",
            "readyReplicas",
            "availableReplicas",
            "currentReplicas",
            "fullyLabeledReplicas",
        ),
        *(
            "desiredNumberScheduled",
            "currentNumberScheduled",
            "updatedNumberScheduled",
            "numberAvailable",
            "numberReady",
        ),
        *("succeeded", "failed", "active", "observedGeneration"),
    ),
    NUMBER,
)
_UPDATES = Map({"type": TEXT, "rollingUpdate": Map({"partition": NUMBER})})
_JOB = Map({"template": _TEMPLATE, "completions": NUMBER, "parallelism": NUMBER, "suspend": BOOLEAN})
_REFERENCE = dict.fromkeys(("kind", "name", "apiGroup", "namespace", "apiVersion"), TEXT)
_RULES: dict[str, Shape] = {
    "rules": List(
        Map(dict.fromkeys(("apiGroups", "resources", "verbs", "resourceNames", "nonResourceURLs"), _TEXT_LIST))
    ),
    "aggregationRule": Map({"clusterRoleSelectors": List(SELECTOR)}),
}
_NAMING = Map(_REFERENCE, required=("kind", "name"))
_BINDING: dict[str, Shape] = {"subjects": List(_NAMING), "roleRef": _NAMING}
_WEBHOOKS: dict[str, Shape] = {
    "webhooks": List(
        Map(
            {
                **dict.fromkeys(("name", "failurePolicy", "sideEffects"), TEXT),
                "clientConfig": Map(
                    {
                        "service": Map({"name": TEXT, "namespace": TEXT, "path": TEXT}, required=("name",)),
                        "url": TEXT,
                        "caBundle": TEXT,
                    }
                ),
                "reinvocationPolicy": TEXT,
                "rules": List(Map(dict.fromkeys(("apiGroups", "apiVersions", "operations", "resources"), _TEXT_LIST))),
                "namespaceSelector": SELECTOR,
                "objectSelector": SELECTOR,
            },
            required=("clientConfig",),
        ),
        ("name",),
    )
}
_NAMES = Map(
    {
        **dict.fromkeys(("kind", "plural", "singular", "listKind"), TEXT),
        **dict.fromkeys(("shortNames", "categories"), _TEXT_LIST),
    },
    required=("kind", "plural"),
)
_VERSIONS = List(
    Map(
        {"name": TEXT, "served": BOOLEAN, "storage": BOOLEAN, "schema": Map({"openAPIV3Schema": MAP})},
        required=("name",),
    )
)
_SERVICE_PORTS = List(
    Map(
        {
            **dict.fromkeys(("name", "protocol", "appProtocol"), TEXT),
            **dict.fromkeys(("port", "nodePort"), NUMBER),
            "targetPort": NUMBER_OR_TEXT,
        }
    ),
    ("port", "protocol"),
)
_ADDRESSES = List(Map(dict.fromkeys(("ip", "hostname", "type", "value", "address"), TEXT)))
_SERVICE: dict[str, Shape] = {
    "spec": Map(
        {
            **dict.fromkeys(
                ("type", "clusterIP", "externalTrafficPolicy", "loadBalancerIP", "loadBalancerClass"), TEXT
            ),
            **dict.fromkeys(("externalIPs", "clusterIPs", "loadBalancerSourceRanges"), _TEXT_LIST),
            "ports": _SERVICE_PORTS,
            "selector": TEXTS,
            "healthCheckNodePort": NUMBER,
        }
    ),
    "status": Map({"loadBalancer": Map({"ingress": _ADDRESSES}), "conditions": _CONDITIONS}),
}
_PLACE: dict[str, Shape] = dict.fromkeys(("group", "kind", "namespace", "name", "sectionName"), TEXT)
_PARENTS = List(Map({**_PLACE, "port": NUMBER}, required=("name",)))
_BACKENDS = List(Map({**_PLACE, "port": NUMBER, "weight": NUMBER}, required=("name",)))
_ROUTE_RULES = List(Map({"backendRefs": _BACKENDS, "matches": _MAPS, "filters": _MAPS}))
_LISTENER_TLS = Map({"mode": TEXT, "certificateRefs": List(Map(_PLACE, required=("name",))), "options": TEXTS})
_LISTENERS = List(
    Map({"name": TEXT, "hostname": TEXT, "protocol": TEXT, "port": NUMBER, "tls": _LISTENER_TLS}), ("name",)
)
_ROUTE_PARENTS = List(Map({"conditions": _CONDITIONS, "parentRef": MAP, "controllerName": TEXT}))


def _workload() -> dict[str, Shape]:
    return {
        "spec": Map({**_WORKLOAD, "updateStrategy": _UPDATES}),
        "status": Map(
            {"conditions": _CONDITIONS, **_COUNTS, **dict.fromkeys(("currentRevision", "updateRevision"), TEXT)}
        ),
    }


_OF: dict[tuple[str, str], dict[str, Shape]] = {
    ("", "ConfigMap"): {"data": TEXTS, "binaryData": TEXTS},
    ("", "Event"): {
        **dict.fromkeys(("type", "reason", "message"), TEXT),
        **dict.fromkeys(("eventTime", "firstTimestamp", "lastTimestamp"), TIME),
        "count": NUMBER,
        "series": Map({"count": NUMBER, "lastObservedTime": TIME}),
        "involvedObject": Map(_REFERENCE | {"uid": TEXT}),
    },
    ("", "Namespace"): {"status": Map({"phase": TEXT, "conditions": _CONDITIONS})},
    ("", "Node"): {
        "spec": Map({"providerID": TEXT}),
        "status": Map({"addresses": _ADDRESSES, "conditions": _CONDITIONS, "nodeInfo": TEXTS}),
    },
    ("", "PersistentVolumeClaim"): {
        "spec": _CLAIM,
        "status": Map({"phase": TEXT, "conditions": _CONDITIONS, "capacity": MAP}),
    },
    ("", "Pod"): {"spec": _POD, "status": Map({**_POD_STATUS, "conditions": _CONDITIONS})},
    ("", "ReplicationController"): {"spec": Map({"selector": TEXTS, "template": _TEMPLATE, "replicas": NUMBER})},
    ("", "Secret"): {"data": TEXTS, "stringData": TEXTS, "type": TEXT},
    ("", "Service"): _SERVICE,
    ("", "ServiceAccount"): {"imagePullSecrets": _MAPS, "secrets": _MAPS},
    **{("apps", kind): _workload() for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")},
    ("apps", "ControllerRevision"): {"revision": NUMBER},
    ("autoscaling", "HorizontalPodAutoscaler"): {
        "spec": Map(
            {"scaleTargetRef": _NAMING, "minReplicas": NUMBER, "maxReplicas": NUMBER, "metrics": _MAPS},
            required=("scaleTargetRef",),
        ),
    },
    ("batch", "CronJob"): {
        "spec": Map({"jobTemplate": Map({"metadata": Map(_METADATA), "spec": _JOB}), "schedule": TEXT})
    },
    ("batch", "Job"): {"spec": _JOB, "status": Map({"conditions": _CONDITIONS, **_COUNTS})},
    ("policy", "PodDisruptionBudget"): {"spec": Map({"selector": SELECTOR})},
    ("networking.k8s.io", "Ingress"): {
        "spec": Map({"rules": _MAPS, "tls": _MAPS, "ingressClassName": TEXT}),
        "status": Map({"loadBalancer": Map({"ingress": _ADDRESSES})}),
    },
    ("networking.k8s.io", "NetworkPolicy"): {
        "spec": Map({"podSelector": SELECTOR, "ingress": _MAPS, "egress": _MAPS, "policyTypes": _TEXT_LIST})
    },
    **{("rbac.authorization.k8s.io", kind): _RULES for kind in ("ClusterRole", "Role")},
    **{("rbac.authorization.k8s.io", kind): _BINDING for kind in ("ClusterRoleBinding", "RoleBinding")},
    **{
        ("admissionregistration.k8s.io", f"{kind}WebhookConfiguration"): _WEBHOOKS
        for kind in ("Mutating", "Validating")
    },
    ("apiextensions.k8s.io", "CustomResourceDefinition"): {
        "spec": Map(
            {"group": TEXT, "scope": TEXT, "names": _NAMES, "versions": _VERSIONS, "conversion": MAP},
            required=("group", "names", "versions"),
        ),
        "status": Map({"conditions": _CONDITIONS, "storedVersions": _TEXT_LIST}),
    },
    ("apiregistration.k8s.io", "APIService"): {
        "spec": Map({"service": MAP, "group": TEXT, "version": TEXT}),
        "status": Map({"conditions": _CONDITIONS}),
    },
    ("coordination.k8s.io", "Lease"): {
        "spec": Map(
            {
                **dict.fromkeys(("holderIdentity", "acquireTime", "renewTime"), TEXT),
                **dict.fromkeys(("leaseDurationSeconds", "leaseTransitions"), NUMBER),
            }
        )
    },
    ("discovery.k8s.io", "EndpointSlice"): {
        "endpoints": List(
            Map({"addresses": _TEXT_LIST, "conditions": Map(each=BOOLEAN), "targetRef": Map(_REFERENCE)})
        ),
        "ports": _MAPS,
    },
    ("storage.k8s.io", "StorageClass"): {"provisioner": TEXT, "parameters": TEXTS},
    ("gateway.networking.k8s.io", "Gateway"): {
        "spec": Map({"gatewayClassName": TEXT, "listeners": _LISTENERS, "addresses": _MAPS}),
        "status": Map({"conditions": _CONDITIONS, "addresses": _ADDRESSES, "listeners": _MAPS}),
    },
    ("gateway.networking.k8s.io", "GatewayClass"): {"spec": Map({"controllerName": TEXT})},
    ("gateway.networking.k8s.io", "ReferenceGrant"): {
        "spec": Map(
            {
                "from": List(Map(_PLACE, required=("kind", "namespace"))),
                "to": List(Map(_PLACE, required=("kind",))),
            }
        )
    },
    **{
        ("gateway.networking.k8s.io", f"{kind}Route"): {
            "spec": Map({"hostnames": _TEXT_LIST, "parentRefs": _PARENTS, "rules": _ROUTE_RULES}),
            "status": Map({"parents": _ROUTE_PARENTS}),
        }
        for kind in ("GRPC", "HTTP", "TCP", "TLS", "UDP")
    },
}
_OF_ALL: dict[str, Shape] = {"apiVersion": TEXT, "kind": TEXT, "metadata": Map(_METADATA)}
_UNKNOWN: dict[str, Shape] = {**_OF_ALL, "status": Map({"conditions": _CONDITIONS})}
_SHAPES = {kind: Map({**_OF_ALL, **fields}) for kind, fields in _OF.items()}
_OF_UNKNOWN = Map(_UNKNOWN)
_READ = {
    kind: Map({**_OF_ALL, **fields}, required=("spec",) if "spec" in fields else ()) for kind, fields in _OF.items()
}
"""The shapes of objects read from a cluster: a missing spec is an empty one."""
_GIVEN_CONFIG_MAP = Map({**_OF_ALL, "data": MAP, "binaryData": MAP})
"""The API server itself rejects values that are not text, naming each."""


def add_kinds(kinds: Mapping[tuple[str, str], Map]) -> None:
    """Add the shapes of the `spec` of further kinds, by group and kind."""
    for kind, spec in kinds.items():
        _SHAPES[kind] = Map({**_UNKNOWN, "spec": spec})
        _READ[kind] = Map({**_UNKNOWN, "spec": spec}, required=("spec",))


def refuse_misshapen(obj: Mapping[str, Any], where: str) -> None:
    """Raise InvalidInput for an object of the user with fields of the wrong type, naming all of them."""
    applied = {name: value for name, value in obj.items() if name != "status"}
    shape = _shape_of(obj, _SHAPES)
    refuse(problems(applied, _GIVEN_CONFIG_MAP if shape is _SHAPES["", "ConfigMap"] else shape), where)


def readable(obj: Any, server: str, namespace: str | None = None) -> Object:
    """Return an object of a cluster without fields of an unexpected type.

    `namespace`: the default namespace of the object. Raises Unreachable for anything but an object.
    """
    metadata = obj.get("metadata") if isinstance(obj, dict) else None
    if not isinstance(metadata, dict) or not all(
        isinstance(text, str) for text in (obj.get("apiVersion"), obj.get("kind"), metadata.get("name"))
    ):
        raise Unreachable(
            f"{server} is not a Kubernetes API server: it answered with an object without kind or name. Check the address.",
            server=server,
        )
    fitting(obj, _shape_of(obj, _READ))
    metadata.setdefault("resourceVersion", "")
    if namespace is not None:
        metadata.setdefault("namespace", namespace)
    return cast(Object, obj)


def _shape_of(obj: Mapping[str, Any], shapes: Mapping[tuple[str, str], Map]) -> Map:
    group = str(obj.get("apiVersion")).rpartition("/")[0]
    return shapes.get((group, str(obj.get("kind"))), _OF_UNKNOWN)
