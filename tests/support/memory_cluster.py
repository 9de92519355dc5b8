# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster in memory that also takes writes and knows label selectors, and the objects to fill it with."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.api.read_only_proxy import Relay
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.version import Version
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind, key_of
from ansible_collections.meshops.istio.tests.support.kube.fake_cluster import FakeCluster
from ansible_collections.meshops.istio.tests.support.kube.selecting import selected

Object = dict[str, Any]


class MemoryCluster(FakeCluster):
    """Keeps what is written, and a note of each write as (verb, key, field manager)."""

    def __init__(self, *objects: Object, kubernetes: str = "1.35.4") -> None:
        super().__init__(*objects)
        self.writes: list[tuple[str, Key, str]] = []
        self.user, self.groups = "", list[str]()
        major, minor = kubernetes.split(".")[:2]
        self._kubernetes = Version(int(major), int(minor), f"v{kubernetes}")

    def version(self) -> Version:
        return self._kubernetes

    def serves(self, kind: Kind) -> bool:
        return False  # nothing but Kubernetes' own kinds, which nobody asks for

    @property
    def impersonated(self) -> tuple[str, Sequence[str]]:
        return self.user, self.groups

    def temporary_kubeconfig(self) -> AbstractContextManager[str]:
        return contextlib.nullcontext("no-kubeconfig")

    def relay(self, *, hide: str) -> AbstractContextManager[Relay]:
        return contextlib.nullcontext(Relay(f"no-kubeconfig-without-{hide}"))

    def list(
        self, kind: Kind, namespace: str = "", *, label_selector: str = "", field_selector: str = ""
    ) -> list[Object]:
        found = super().list(kind, namespace)
        return [one for one in found if selected(one["metadata"].get("labels") or {}, label_selector)]

    def create(self, obj: Mapping[str, Any], *, manager: str, dry_run: bool = False) -> Object:
        self.writes.append(("create", key_of(obj), manager))
        self.put(dict(obj))
        return dict(obj)

    def merge_patch(
        self, kind: Kind, name: str, namespace: str, body: Mapping[str, Any], *, manager: str, dry_run: bool = False
    ) -> Object:
        key = Key(*kind, namespace, name)
        self.writes.append(("patch", key, manager))
        live = self.get(kind, name, namespace)
        assert live is not None
        after: Object = _merged(live, body)
        self.put(after)
        return after


def _merged(base: Any, patch: Mapping[str, Any]) -> Any:
    result = copy.deepcopy(base) if isinstance(base, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value) if isinstance(value, Mapping) else value
    return result


def make(kind: str, name: str, namespace: str = "", *, api: str = "v1", labels: Any = None, **fields: Any) -> Object:
    """An object; fields beyond its metadata by name."""
    metadata: Object = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    if labels:
        metadata["labels"] = dict(labels)
    metadata.update(fields.pop("metadata", {}))
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def namespace(name: str, **labels: str) -> Object:
    """A namespace; underscores in label names stand for a dash."""
    return make("Namespace", name, labels={key.replace("_", "-"): value for key, value in labels.items()})


def deployment(name: str, ns: str = "shop", **fields: Any) -> Object:
    """A Deployment."""
    return make("Deployment", name, ns, api="apps/v1", **{"spec": {}, **fields})


def pod(
    name: str,
    ns: str = "shop",
    *,
    owner: tuple[str, str] | None = None,
    proxy: str | None = None,
    native: bool = False,
    revision: str = "default",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    spec: Mapping[str, Any] | None = None,
    phase: str = "Running",
) -> Object:
    """A pod; `proxy` is the version of its injected sidecar, `owner` the (kind, name) of its controller."""
    containers = [{"name": "app", "image": "shop:1"}]
    init: list[Object] = []
    notes = dict(annotations or {})
    if proxy:
        (init if native else containers).append({"name": "istio-proxy", "image": f"docker.io/istio/proxyv2:{proxy}"})
        notes = {"sidecar.istio.io/status": "{}", "istio.io/rev": revision, **notes}
    metadata: Object = {"annotations": notes}
    own = dict(labels or {})
    if owner:
        metadata["ownerReferences"] = [{"controller": True, "kind": owner[0], "name": owner[1]}]
        if owner[0] == "ReplicaSet":
            own["pod-template-hash"] = owner[1].rpartition("-")[2]
    body = {"containers": containers, "initContainers": init, **(spec or {})}
    return make("Pod", name, ns, labels=own, metadata=metadata, spec=body, status={"phase": phase})


def injector(revision: str = "default", *, webhooks: list[Object] | None = None, name: str = "") -> Object:
    """An injector's webhook configuration, as Istio makes it for the default revision or for a named one."""
    return make(
        "MutatingWebhookConfiguration",
        name or ("istio-sidecar-injector" if revision == "default" else f"istio-sidecar-injector-{revision}"),
        api="admissionregistration.k8s.io/v1",
        labels={"istio.io/rev": revision, "app": "sidecar-injector"},
        webhooks=webhooks if webhooks is not None else injection_webhooks(revision),
    )


def injection_webhooks(revision: str) -> list[Object]:
    """The namespace webhooks for `istio.io/rev`, and for `istio-injection` where the revision is the default one."""
    service = "istiod" if revision == "default" else f"istiod-{revision}"
    client = {"service": {"name": service, "namespace": "istio-system", "path": "/inject"}}
    not_opted_out = {"matchExpressions": [{"key": "sidecar.istio.io/inject", "operator": "NotIn", "values": ["false"]}]}
    by_revision = [
        {"key": "istio.io/rev", "operator": "In", "values": [revision]},
        {"key": "istio-injection", "operator": "DoesNotExist"},
    ]
    webhooks = [("rev.namespace.", by_revision)]
    if revision == "default":
        webhooks.append(("namespace.", [{"key": "istio-injection", "operator": "In", "values": ["enabled"]}]))
    return [
        {
            "name": f"{prefix}sidecar-injector.istio.io",
            "clientConfig": copy.deepcopy(client),
            "failurePolicy": "Fail",
            "namespaceSelector": {"matchExpressions": expressions},
            "objectSelector": not_opted_out,
        }
        for prefix, expressions in webhooks
    ]


def slice_of(service: str, *, ready: bool) -> Object:
    """An EndpointSlice of a Service in istio-system, with one endpoint."""
    return make(
        "EndpointSlice",
        f"{service}-x",
        "istio-system",
        api="discovery.k8s.io/v1",
        labels={"kubernetes.io/service-name": service},
        endpoints=[{"addresses": ["10.0.0.1"], "conditions": {"ready": ready}}],
    )
