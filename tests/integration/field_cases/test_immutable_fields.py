# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Immutable fields: refused before the first write, by object and field and without values; or created anew on demand."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind, key_of
from ansible_collections.meshops.istio.tests.support.lab import Lab, now
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

Object = dict[str, Any]

IMAGE = "docker.io/istio/examples-helloworld-v1:1.0"
SECRET = "swordfish"
TEMPLATE = f"""{{metadata: {{labels: {{app: a, tier: web}}}}, spec: {{containers: [
  {{name: c, image: "{IMAGE}", env: [{{name: PASSWORD, value: {SECRET}}}]}}]}}}}"""

STATEFUL = f"""
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: db}}
spec:
  replicas: 1
  serviceName: db
  selector: {{matchLabels: {{app: a}}}}
  template: {TEMPLATE}
  volumeClaimTemplates:
    - {{metadata: {{name: data}}, spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 8Mi}}}}}}}}
"""
WORKLOAD = f"""
apiVersion: apps/v1
kind: KIND
metadata: {{name: web}}
spec: {{selector: {{matchLabels: {{app: a}}}}, template: {TEMPLATE}}}
"""
JOB = f"""
apiVersion: batch/v1
kind: Job
metadata: {{name: migrate}}
spec:
  suspend: true
  template: {{spec: {{restartPolicy: Never, containers: [
    {{name: c, image: "{IMAGE}", env: [{{name: PASSWORD, value: {SECRET}}}, {{name: RELEASE, value: "1"}}]}}]}}}}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: dns}
spec:
  selector: {app: dns}
  ports: [{name: dns, port: 53, targetPort: 5353, protocol: UDP}, {name: dns-tcp, port: 53, targetPort: 5353}]
"""
CONFIGURATION = f"""
apiVersion: v1
kind: KIND
metadata: {{name: frozen}}
immutable: true
stringData: {{a: {SECRET}}}
"""
BINDING = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reads}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: jane}]
"""
WIDE = """
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: NAME}
provisioner: example.com/none
parameters: {type: slow}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: NAME}
value: 10
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: NAME}
spec: {controller: example.com/one}
"""

# By what is tried: a manifest, what changes in it, and the fields that are named.
PAIRS: dict[str, tuple[str, tuple[str, str], list[str]]] = {
    "13 a Job's template": (JOB, ('value: "1"', 'value: "2"'), ["spec.template"]),
    "13 a Deployment's selector": (
        WORKLOAD.replace("KIND", "Deployment"),
        ("matchLabels: {app: a}", "matchLabels: {app: a, tier: web}"),
        ["spec.selector"],
    ),
    "a DaemonSet's selector": (
        WORKLOAD.replace("KIND", "DaemonSet"),
        ("matchLabels: {app: a}", "matchLabels: {app: a, tier: web}"),
        ["spec.selector"],
    ),
    "13 volumeClaimTemplates": (
        STATEFUL,
        ("8Mi", "16Mi"),
        ["spec.volumeClaimTemplates[data].spec.resources.requests.storage"],
    ),
    "serviceName and selector": (
        STATEFUL,
        (
            "serviceName: db\n  selector: {matchLabels: {app: a}}",
            "serviceName: x\n  selector: {matchLabels: {tier: web}}",
        ),
        ["spec.serviceName", "spec.selector.matchLabels.tier"],
    ),
    "13 an immutable ConfigMap": (
        CONFIGURATION.replace("KIND", "ConfigMap").replace("stringData", "data"),
        (SECRET, "other"),
        ["data"],
    ),
    "an immutable Secret": (CONFIGURATION.replace("KIND", "Secret"), (SECRET, "other"), ["data"]),
    "a Secret's type": (
        CONFIGURATION.replace("KIND", "Secret").replace("immutable: true", "type: Opaque"),
        ("Opaque", "example.com/other"),
        ["type"],
    ),
    "13 a Service to headless": (SERVICE, ("spec:", "spec:\n  clusterIP: None"), ["spec.clusterIP"]),
    "roleRef": (BINDING, ("name: view", "name: edit"), ["roleRef"]),
}
NAMES = [f"{name}" for name in PAIRS]


@pytest.fixture
def shop(namespace: str) -> Object:
    """The options that all runs of the application have."""
    return {"name": "shop", "namespace": namespace, "wait": False}


def live(cluster: Cluster, manifest: str, namespace: str) -> Object:
    obj = yaml.safe_load(manifest)
    found = cluster.get(Kind(obj["apiVersion"], obj["kind"]), obj["metadata"]["name"], namespace)
    assert found is not None
    return found


@pytest.mark.parametrize("name", [pytest.param(one, marks=pytest.mark.step("immutable 13", one)) for one in NAMES])
def test_an_immutable_field(
    name: str, cluster: Cluster, run: Run, idle: Run, refused: Run, shop: Object, seen: Seen
) -> None:
    first, change, fields = PAIRS[name]
    second = first.replace(*change)
    assert second != first
    run("application", **shop, definition=[first])
    before = live(cluster, first, shop["namespace"])
    result = refused("application", **shop, definition=[second])
    key = key_of(before)
    assert (result["code"], result["details"]["fields"]) == ("immutable", fields)
    assert str(key) in result["msg"]
    assert "recreate" in result["msg"]
    assert SECRET not in str(result)
    assert len(result["msg"]) < 450

    planned = run("application", **shop, definition=[second], recreate=True, check=True, diff=True)
    begun = now()
    done = run("application", **shop, definition=[second], recreate=True)
    acts = [(one["action"], one["kind"]) for one in done["changes"] if one["name"] == key.name]
    assert acts == [("delete", key.kind), ("create", key.kind)]
    assert (planned["changes"], planned["plan_digest"]) == (done["changes"], done["plan_digest"])
    after = live(cluster, first, shop["namespace"])
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    idle("application", **shop, definition=[second], recreate=True)
    idle("application", **shop, definition=[second])
    seen(f"{result['msg'].partition(' Keep')[0]} Then created anew in {(now() - begun).total_seconds():.0f} s.")


@pytest.fixture
def wide(cluster: Cluster, run: Run, shop: Object) -> Iterator[str]:
    """Objects without a namespace, which go with the test."""
    name = f"it-{uuid.uuid4().hex[:8]}"
    yield WIDE.replace("NAME", name)
    run("application", name=shop["name"], namespace=shop["namespace"], state="absent")


@pytest.mark.step("immutable 13", "several at once, of a cluster's own kinds")
def test_several_are_all_named(run: Run, idle: Run, refused: Run, shop: Object, wide: str, seen: Seen) -> None:
    run("application", **shop, definition=[wide])
    changed = wide.replace("slow", "fast").replace("value: 10", "value: 20").replace("com/one", "com/two")
    result = refused("application", **shop, definition=[changed])
    named = [one["kind"] for one in result["details"]["objects"]]
    assert sorted(named) == ["IngressClass", "PriorityClass", "StorageClass"]
    assert all(kind in result["msg"] for kind in named)
    run("application", **shop, definition=[changed], recreate=True)
    idle("application", **shop, definition=[changed])
    seen(result["msg"])


CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 8Mi}}}
"""


@pytest.mark.parametrize("change", [("8Mi", "16Mi"), ("8Mi", "4Mi"), ("ReadWriteOnce", "ReadWriteMany")])
@pytest.mark.step("immutable 13", "claims are never created anew")
def test_a_claim_is_kept(
    change: tuple[str, str], cluster: Cluster, run: Run, refused: Run, shop: Object, seen: Seen
) -> None:
    run("application", **shop, definition=[CLAIM])
    uid = live(cluster, CLAIM, shop["namespace"])["metadata"]["uid"]
    for recreate in (False, True):
        result = refused("application", **shop, definition=[CLAIM.replace(*change)], recreate=recreate)
        assert result["code"] == "immutable"
        assert has_facts(result["msg"], "immutable & never recreated")
    assert live(cluster, CLAIM, shop["namespace"])["metadata"]["uid"] == uid
    seen(result["msg"])


@pytest.mark.step("immutable 13", "a StatefulSet that is created anew keeps its pod and its claim, which grows")
def test_a_stateful_set_keeps_pods_and_claims(
    cluster: Cluster, run: Run, idle: Run, shop: Object, growing: str, seen: Seen
) -> None:
    first = STATEFUL.replace("accessModes", f"storageClassName: {growing}, accessModes")
    shop = {**shop, "wait": True, "wait_timeout": 120}
    run("application", **shop, definition=[first])
    namespace = shop["namespace"]

    def of(kind: str, name: str) -> Object:
        found = cluster.get(Kind("v1", kind), name, namespace)
        assert found is not None
        return found

    pod, claim = of("Pod", "db-0")["metadata"]["uid"], of("PersistentVolumeClaim", "data-db-0")["metadata"]["uid"]
    done = run("application", **shop, definition=[first.replace("8Mi", "16Mi")], recreate=True)
    assert [(one["action"], one["kind"]) for one in done["changes"]] == [
        ("delete", "StatefulSet"),
        ("create", "StatefulSet"),
        ("update", "PersistentVolumeClaim"),
    ]
    assert of("Pod", "db-0")["metadata"]["uid"] == pod
    grown = of("PersistentVolumeClaim", "data-db-0")
    assert grown["metadata"]["uid"] == claim
    assert grown["spec"]["resources"]["requests"]["storage"] == "16Mi"
    idle("application", **shop, definition=[first.replace("8Mi", "16Mi")], recreate=True)
    owner = of("Pod", "db-0")["metadata"]["ownerReferences"][0]["kind"]
    seen(f"the pod is the same and belongs to a {owner}, the claim asks for 16Mi")


@pytest.mark.step("immutable 13", "a StatefulSet with other pods: its claim stays, unless it would go with them")
def test_a_stateful_set_of_other_pods(
    cluster: Cluster, run: Run, idle: Run, refused: Run, shop: Object, seen: Seen
) -> None:
    shop = {**shop, "wait": True, "wait_timeout": 120}
    policy = "persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete, whenScaled: Retain}"
    first = STATEFUL.replace("serviceName", f"{policy}\n  serviceName")
    run("application", **shop, definition=[first])
    other = first.replace("app: a", "app: b")
    result = refused("application", **shop, definition=[other], recreate=True)
    assert "whenDeleted to Retain first" in result["msg"]
    kept = "persistentVolumeClaimRetentionPolicy: {whenDeleted: Retain, whenScaled: Retain}"
    run("application", **shop, definition=[first.replace(policy, kept)])

    def of(kind: str, name: str) -> str:
        found = cluster.get(Kind("v1", kind), name, shop["namespace"])
        assert found is not None
        return str(found["metadata"]["uid"])

    pod, claim = of("Pod", "db-0"), of("PersistentVolumeClaim", "data-db-0")
    run("application", **shop, definition=[other.replace(policy, kept)], recreate=True)
    assert of("Pod", "db-0") != pod
    assert of("PersistentVolumeClaim", "data-db-0") == claim
    idle("application", **shop, definition=[other.replace(policy, kept)])
    seen(result["msg"])


@pytest.fixture
def growing(cluster: Cluster) -> Iterator[str]:
    """A StorageClass like the lab's own that allows its claims to grow."""
    classes = cluster.list(Kind("storage.k8s.io/v1", "StorageClass"))
    assert classes, "the lab has no StorageClass"
    name = f"it-{uuid.uuid4().hex[:8]}"
    made = {name: value for name, value in classes[0].items() if name in ("provisioner", "volumeBindingMode")}
    kind = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}}
    cluster.create({**kind, **made, "allowVolumeExpansion": True}, manager="tests")
    yield name
    cluster.delete(Kind("storage.k8s.io/v1", "StorageClass"), name)


@pytest.fixture
def addons(run: Run, lab: Lab, namespace: str) -> Iterator[Object]:
    """The options of addons in a namespace of their own, which go with the test."""
    yield {**lab.release, "namespace": namespace, "wait": False}
    run("addons", namespace=namespace, state="absent")


@pytest.mark.step("immutable 14", "Loki with another size, by the product's own variable")
def test_loki(run: Run, idle: Run, refused: Run, addons: Object, seen: Seen) -> None:
    options = {**addons, "addons": ["loki"]}
    run("addons", **options)
    result = refused("addons", **options, storage={"loki": "20Gi"})
    assert result["code"] == "immutable"
    for part in (f"StatefulSet {addons['namespace']}/loki", "volumeClaimTemplates", "mesh_addons_storage", "recreate"):
        assert part in result["msg"]
    done = run("addons", **options, storage={"loki": "20Gi"}, recreate=True)
    assert ("delete", "StatefulSet") in [(one["action"], one["kind"]) for one in done["changes"]]
    idle("addons", **options, storage={"loki": "20Gi"})
    seen(result["msg"])


@pytest.mark.step("immutable 14", "Prometheus with a larger claim, where the class does not let it grow")
def test_prometheus(run: Run, refused: Run, addons: Object, seen: Seen) -> None:
    options = {**addons, "addons": ["prometheus"]}
    run("addons", **options, storage={"prometheus": "1Gi"})
    for recreate in (False, True):
        result = refused("addons", **options, storage={"prometheus": "2Gi"}, recreate=recreate)
        for part in (
            f"PersistentVolumeClaim {addons['namespace']}/prometheus-data",
            "mesh_addons_storage",
            "never recreated",
        ):
            assert part in result["msg"]
    seen(result["msg"])
