# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small objects for tests, and where an API server keeps them."""

from __future__ import annotations

from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.builtin_kinds import BUILT_IN
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of

Object = dict[str, Any]


def obj(api_version: str, kind: str, name: str, namespace: str = "", **content: Any) -> Object:
    """An object; `metadata` among the content is merged into its own."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **content.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


def written_by(manager: str, one: Object, **entry: str) -> Object:
    """An object whose fields a manager has applied."""
    managed = {"manager": manager, "operation": "Apply", "apiVersion": one["apiVersion"], "fieldsV1": {}, **entry}
    return {**one, "metadata": {**one["metadata"], "managedFields": [managed]}}


def config_map(name: str = "web", namespace: str = "shop", **data: str) -> Object:
    return obj("v1", "ConfigMap", name, namespace, data=data or {"a": "1"})


def secret(name: str = "web", namespace: str = "shop", **data: str) -> Object:
    return obj("v1", "Secret", name, namespace, data=data)


def namespace(name: str = "shop", **labels: str) -> Object:
    return obj("v1", "Namespace", name, metadata={"labels": labels} if labels else {})


def deployment(name: str = "web", namespace: str = "shop", **spec: Any) -> Object:
    return obj("apps/v1", "Deployment", name, namespace, spec=spec or {"replicas": 1})


def cluster_role(name: str = "reader", *verbs: str) -> Object:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": list(verbs or ("get",))}]
    return obj("rbac.authorization.k8s.io/v1", "ClusterRole", name, rules=rules)


def validating_webhook(name: str = "guard") -> Object:
    return obj("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", name, webhooks=[])


def definition(kind: str = "Shape", group: str = "example.com", *, scope: str = "Namespaced") -> Object:
    """A CustomResourceDefinition."""
    plural = f"{kind.lower()}s"
    spec = {
        "group": group,
        "scope": scope,
        "names": {"kind": kind, "plural": plural},
        "versions": [{"name": "v1", "served": True}],
    }
    return obj("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"{plural}.{group}", spec=spec)


def shape(name: str = "round", namespace: str = "shop", **spec: Any) -> Object:
    return obj("example.com/v1", "Shape", name, namespace, spec=spec)


def path_of(one: Object) -> str:
    """Where an object is found at the API server."""
    key = key_of(one)
    resource = BUILT_IN.get(key.of)
    plural, root = resource.plural if resource else "shapes", "apis" if "/" in key.api_version else "api"
    scope = f"/namespaces/{key.namespace}" if key.namespace else ""
    return f"/{root}/{key.api_version}{scope}/{plural}/{key.name}"
