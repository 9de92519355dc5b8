# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removal: everything that an application has applied is found again, of whatever kind."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

Object = dict[str, Any]

LEASE = Kind("coordination.k8s.io/v1", "Lease")
KEPT = "{apiVersion: v1, kind: ConfigMap, metadata: {name: kept}}"
CONTAINERS = "spec: {containers: [{name: c, image: busybox}]}"
BUILT_IN = f"""
apiVersion: v1
kind: Endpoints
metadata: {{name: db}}
subsets: [{{addresses: [{{ip: 203.0.113.9}}], ports: [{{port: 5432}}]}}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: db-1, labels: {{kubernetes.io/service-name: db}}}}
addressType: IPv4
endpoints: [{{addresses: [203.0.113.9]}}]
ports: [{{port: 5432, protocol: TCP}}]
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {{name: old}}
spec: {{replicas: 0, selector: {{matchLabels: {{app: rs}}}}, template: {{metadata: {{labels: {{app: rs}}}}, {CONTAINERS}}}}}
---
apiVersion: v1
kind: ReplicationController
metadata: {{name: older}}
spec: {{replicas: 0, selector: {{app: rc}}, template: {{metadata: {{labels: {{app: rc}}}}, {CONTAINERS}}}}}
---
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {{name: leader}}
spec: {{holderIdentity: a}}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {{name: NAME}}
spec: {{controller: example.com/inner}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: NAME.example.com}}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules: [{{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}}]
  validations: [{{expression: "object.spec.replicas <= 100"}}]
---
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {{name: NAME}}
handler: runc
---
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: FlowSchema
metadata: {{name: NAME}}
spec: {{priorityLevelConfiguration: {{name: catch-all}}, matchingPrecedence: 9000, rules: []}}
"""
ADAPTER = """
apiVersion: v1
kind: Namespace
metadata: {name: NAME}
---
apiVersion: v1
kind: Service
metadata: {name: adapter, namespace: NAME}
spec: {selector: {app: adapter}, ports: [{port: 443}]}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.NAME.example.com}
spec:
  group: NAME.example.com
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  insecureSkipTLSVerify: true
  service: {name: adapter, namespace: NAME}
"""
WORLD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: worlds.NAME.example.com}
spec:
  group: NAME.example.com
  names: {kind: World, plural: worlds}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
---
apiVersion: NAME.example.com/v1
kind: World
metadata: {name: earth}
"""


@pytest.fixture
def named() -> Callable[[str], str]:
    """Replace NAME in manifests by one that is the test's own."""
    name = f"it-{uuid.uuid4().hex[:8]}"
    return lambda text: text.replace("NAME", name)


def left(cluster: Cluster, manifests: str, namespace: str) -> list[str]:
    """What of the objects of manifests is there."""
    found, objects = [], list(yaml.safe_load_all(manifests))
    cluster.learn(obj for obj in objects if obj["kind"] == "CustomResourceDefinition")
    for obj in objects:
        kind, metadata = Kind(obj["apiVersion"], obj["kind"]), obj["metadata"]
        placed = metadata.get("namespace") or (namespace if cluster.namespaced(kind) else "")
        live = cluster.get(kind, metadata["name"], placed)
        found += [kind.kind] if live and "deletionTimestamp" not in live["metadata"] else []
    return found


LESS: dict[str, Object] = {
    "less": {"definition": [KEPT]},
    "absent": {"state": "absent"},
    "absent, of an earlier release": {"state": "absent"},
}


@pytest.mark.step("kinds 15", "what an application no longer contains goes, of any of Kubernetes' own kinds")
@pytest.mark.parametrize("how", LESS)
def test_own_kinds(
    run: Run, idle: Run, cluster: Cluster, namespace: str, named: Callable[[str], str], seen: Seen, how: str
) -> None:
    manifests = named(BUILT_IN)
    shop = {"name": "kinds", "namespace": namespace, "wait_timeout": 60}
    run("application", **shop, definition=[KEPT, manifests])
    applied = left(cluster, manifests, namespace)
    assert len(applied) == 9
    if "earlier" in how:
        cluster.delete(Kind("v1", "ConfigMap"), "meshops-istio.application.kinds", namespace)
    run("application", **shop, **LESS[how])
    assert left(cluster, manifests, namespace) == []
    idle("application", **shop, **LESS[how])
    seen(f"{len(applied)} of {len(applied)} kinds are gone, and a second run writes nothing")


@pytest.mark.step("kinds 15", "an APIService goes before the namespace that its dead Service would hold")
def test_api_service(run: Run, idle: Run, cluster: Cluster, named: Callable[[str], str], seen: Seen) -> None:
    manifests, name = named(ADAPTER), named("NAME")
    shop = {"name": "adapter", "namespace": "default", "wait_timeout": 90}
    run("application", **shop, definition=[manifests], wait=False)
    gone = run("application", **shop, state="absent")
    seen(f"{len(gone['changes'])} objects deleted")
    assert left(cluster, manifests, name) == []
    assert cluster.get(Kind("v1", "Namespace"), name) is None
    idle("application", **shop, state="absent")


@pytest.mark.step("kinds 15", "a custom resource goes with its definition, and without")
@pytest.mark.parametrize("both", [True, False], ids=["both", "the resource only"])
def test_custom_kinds(
    run: Run, idle: Run, cluster: Cluster, namespace: str, named: Callable[[str], str], seen: Seen, both: bool
) -> None:
    definition, world = (yaml.safe_load(one) for one in named(WORLD).split("---"))
    shop = {"name": "worlds", "namespace": namespace, "wait_timeout": 60}
    run("application", **shop, definition=[KEPT, definition, world])
    rest = [KEPT] if both else [KEPT, definition]
    gone = run("application", **shop, definition=rest)
    assert "World" in [one["kind"] for one in gone["changes"]]
    assert left(cluster, named(WORLD), namespace) == ([] if both else ["CustomResourceDefinition"])
    idle("application", **shop, definition=rest)
    run("application", **shop, state="absent")
    assert left(cluster, named(WORLD), namespace) == []
    seen(f"deleted: {sorted(one['kind'] for one in gone['changes'])}")


@pytest.mark.step("kinds 15", "what a finalizer holds is still known to the next run")
def test_held_by_a_finalizer(run: Run, idle: Run, cluster: Cluster, namespace: str, seen: Seen) -> None:
    shop = {"name": "held", "namespace": namespace, "wait": False}
    lease = {"apiVersion": LEASE.api_version, "kind": "Lease", "metadata": {"name": "held"}, "spec": {}}
    lease["metadata"] = {"name": "held", "finalizers": ["example.com/held"]}
    run("application", **shop, definition=[KEPT, lease])
    run("application", **shop, definition=[KEPT])
    listed = cluster.get(Kind("v1", "ConfigMap"), "meshops-istio.application.held", namespace)
    assert listed is not None
    assert listed["data"]["Lease.v1.coordination.k8s.io"] == f"{namespace}/held"
    patch = {"metadata": {"finalizers": None}}
    cluster.merge_patch(LEASE, "held", namespace, patch, manager="kubectl-patch")
    # That it has gone by itself is no change; the next one lists it no longer.
    idle("application", **shop, definition=[KEPT])
    run("application", **shop, definition=[KEPT.removesuffix("}") + ", data: {another: change}}"])
    listed = cluster.get(Kind("v1", "ConfigMap"), "meshops-istio.application.held", namespace)
    assert listed is not None
    assert "Lease.v1.coordination.k8s.io" not in listed["data"]
    seen("listed until it is gone, and a run that changes nothing writes nothing")
