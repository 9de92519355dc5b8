# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fields of the wrong shape: all of them are named, with file and document, and no value is shown."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.gateways.addresses import node_hosts
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput, Unreachable
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.object_shapes import readable
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind, read_manifests
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.planning import make_plan
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern, has_facts

CONTAINER = "{name: c, image: busybox}"
WORKLOAD = """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      selector: {matchLabels: {app: web}}
      template:
        metadata: {labels: LABELS}
        spec: {containers: CONTAINERS}
"""


def workload(labels: str = "{app: web}", containers: str = f"[{CONTAINER}]") -> str:
    return WORKLOAD.replace("LABELS", labels).replace("CONTAINERS", containers)


def core(kind: str, **fields: str) -> str:
    body = {"metadata": "{name: web}", **fields}
    return f"apiVersion: v1\nkind: {kind}\n" + "".join(f"{name}: {value}\n" for name, value in body.items())


def refusal(text: str) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read_manifests(textwrap.dedent(text), "mesh.yaml")
    assert caught.value.message.startswith("mesh.yaml, document 1")
    return caught.value


@pytest.mark.parametrize(
    ("text", "field", "wanted"),
    [
        (core("ConfigMap", metadata="{name: web, labels: [app=web]}"), "metadata.labels", "a map"),
        (core("ConfigMap", metadata="{name: web, labels: x}"), "metadata.labels", "a map"),
        (core("ConfigMap", metadata="{name: web, annotations: a=b}"), "metadata.annotations", "a map"),
        (core("ConfigMap", metadata="{name: web, namespace: [a]}"), "metadata.namespace", "text"),
        (core("ConfigMap", data="[a]"), "data", "a map"),
        (core("Secret", data="[{key: s3cret}]"), "data", "a map"),
        (core("Secret", stringData="s3cret"), "stringData", "a map"),
        (core("Secret", stringData="{pin: 12345}"), "stringData.pin", "text"),
        (core("Service", spec="[]"), "spec", "a map"),
        (core("Service", spec="{ports: [80, 443]}"), "spec.ports[1]", "a map"),
        (core("Service", spec="{ports: {port: 80}}"), "spec.ports", "a list"),
        (core("Service", spec="{selector: [app]}"), "spec.selector", "a map"),
        (core("Pod", spec="{containers: x}"), "spec.containers", "a list"),
        (core("Pod", spec="{containers: [{image: busybox}]}"), "spec.containers[0]", "no name"),
        (workload(labels="['app: web']"), "spec.template.metadata.labels", "a map"),
        (workload(labels="{app: web, version: 1.0}"), "spec.template.metadata.labels.version", "quote it"),
        (workload(containers=CONTAINER), "spec.template.spec.containers", "a list"),
        (core("List", items="{kind: ConfigMap}"), "items", "a list"),
        (
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\n"
            "spec: {names: [things], versions: v1}\n",
            "spec.versions",
            "a list",
        ),
        (
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: a}\nroleRef: admin\n",
            "roleRef",
            "a map",
        ),
        (
            "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\nspec: {scaleTargetRef: web}",
            "spec.scaleTargetRef",
            "a map",
        ),
        (
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: a}\nroleRef: {name: admin}\n",
            "roleRef",
            "no kind",
        ),
    ],
)
def test_a_field_of_the_wrong_shape_is_refused(text: str, field: str, wanted: str) -> None:
    error = refusal(text)
    assert field in error.message
    assert wanted in error.message
    assert "s3cret" not in error.message
    assert "12345" not in error.message
    assert field in error.details["fields"]


def test_all_wrong_fields_are_named_at_once() -> None:
    error = refusal(workload(labels="x", containers="[{name: 1, env: {}, ports: [80]}]"))
    pod = "spec.template.spec.containers[0]"
    labels = "spec.template.metadata.labels"
    assert error.details["fields"] == [labels, f"{pod}.name", f"{pod}.env", f"{pod}.ports[0]"]


@pytest.mark.parametrize(
    ("lists", "key"),
    [
        ("env: [{name: MODE, value: s3cret}, {name: B}, {name: MODE, value: b}]", "name MODE"),
        ("ports: [{containerPort: 80, name: a}, {containerPort: 80, protocol: TCP, name: b}]", "containerPort 80"),
        ("volumeMounts: [{name: a, mountPath: /a}, {name: b, mountPath: /a}]", "mountPath /a"),
    ],
)
def test_list_items_with_the_same_key_are_refused_with_what_to_do(lists: str, key: str) -> None:
    message = refusal(workload(containers=f"[{{name: c, {lists}}}]")).message
    assert key in message
    assert "keep one" in message
    assert "server-side apply" in message
    assert "s3cret" not in message


def test_ports_of_two_protocols_are_two() -> None:
    ports = "[{containerPort: 53, protocol: TCP}, {containerPort: 53, protocol: UDP}]"
    assert read_manifests(textwrap.dedent(workload(containers=f"[{{name: c, ports: {ports}}}]")), "a")


def test_an_item_of_a_list_that_is_no_object_is_named() -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n- null\n"
    assert has_facts(refusal(text).message, "mesh.yaml, document 1, items[1] & is null & Kubernetes object")


@pytest.mark.parametrize(
    "text",
    [
        core("ConfigMap", metadata="{name: web, labels: , annotations: {}}", data=""),
        core("Service", spec="{ports: [], selector: }"),
        core("Secret", data="{}", stringData="{}"),
        "apiVersion: example.com/v1\nkind: Service\nmetadata: {name: a}\nspec: [of, another, kind]\n",
    ],
)
def test_null_empty_and_what_other_kinds_have_is_taken(text: str) -> None:
    assert len(read_manifests(text, "mesh.yaml")) == 1


def test_what_is_built_here_is_checked_before_it_is_planned(api: ApiServer, cluster: Cluster) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "a", "namespace": "b"},
        "spec": {"ports": "80"},
    }
    with pytest.raises(InvalidInput, match=facts_pattern("Service b/a & spec.ports is text, but must be a list")):
        make_plan(cluster, Unit("meshops.istio/test", [service]))
    assert api.requests == []


# --- what clusters answer -----------------------------------------------------------------------------------------


def test_what_a_cluster_answers_is_read_without_fields_of_the_wrong_shape() -> None:
    odd: dict[str, Any] = {
        "apiVersion": "example.com/v1",
        "kind": "Thing",
        "metadata": {"name": "a", "labels": ["x"], "finalizers": ["a", 1]},
        "spec": "anything",
        "status": {"conditions": [{"type": "Ready", "status": "True"}, "odd", {"type": 7}]},
    }
    assert readable(odd, "server") == {
        "apiVersion": "example.com/v1",
        "kind": "Thing",
        "metadata": {"name": "a", "finalizers": ["a"], "resourceVersion": ""},
        "spec": "anything",
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }


@pytest.mark.parametrize("body", [{}, {"kind": "Pod"}, {"apiVersion": "v1", "kind": "Pod", "metadata": [1]}])
def test_an_answer_that_is_no_object_comes_from_no_api_server(api: ApiServer, cluster: Cluster, body: object) -> None:
    api.fault = lambda _request: Answer(200, body)
    with pytest.raises(Unreachable, match="not a Kubernetes API server"):
        cluster.get(Kind("v1", "Pod"), "a", "b")
    api.fault = lambda _request: Answer(200, {"items": [body]})
    with pytest.raises(Unreachable, match="not a Kubernetes API server"):
        cluster.list(Kind("v1", "Node"))


def test_what_stands_in_two_places_is_left_out_once() -> None:
    shared = {"labels": ["a"], "finalizers": [1, 2]}
    spec = {"jobTemplate": {"metadata": shared, "spec": {"template": {"metadata": shared}}}}
    read = readable({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "a"}, "spec": spec}, "server")
    assert read["spec"]["jobTemplate"]["spec"]["template"]["metadata"] == {"finalizers": []}


def live(kind: str, spec: object, api_version: str = "v1") -> Any:
    """The spec of an object as it is read from a cluster."""
    return readable({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, "spec": spec}, "server")[
        "spec"
    ]


def test_list_items_without_their_key_are_left_out() -> None:
    containers = [{"image": "a"}, {"name": None}, {"name": 7}, {"name": "c", "env": [{"value": "x"}, {"name": "A"}]}]
    assert live("Pod", {"containers": containers}) == {"containers": [{"name": "c", "env": [{"name": "A"}]}]}
    assert live("Service", {"ports": [{"name": "http"}, {"port": "80"}, {"port": 80}]}) == {"ports": [{"port": 80}]}


def test_list_items_that_lack_what_they_must_have_are_left_out() -> None:
    kind, api_version = "HTTPRoute", "gateway.networking.k8s.io/v1"
    spec = {"parentRefs": [{"namespace": "a"}, {"name": "b"}], "rules": [{"backendRefs": [{"weight": 1}]}, None]}
    assert live(kind, spec, api_version) == {"parentRefs": [{"name": "b"}], "rules": [{"backendRefs": []}]}


@pytest.mark.parametrize("spec", [None, [], "x", {"replicas": None, "template": {"metadata": None, "spec": [1]}}])
def test_nulls_are_read_as_what_is_absent(spec: object) -> None:
    assert live("Deployment", spec, "apps/v1") in ({}, {"template": {}})


def test_what_a_kind_must_have_is_empty_where_it_is_absent() -> None:
    read = live("CustomResourceDefinition", {"names": {"kind": 1}, "versions": "v1"}, "apiextensions.k8s.io/v1")
    assert read == {"group": "", "names": {"kind": "", "plural": ""}, "versions": []}


@pytest.mark.parametrize("time", ["x", "2026-01-31", "2026-01-31T12:00:00", 7, None])
def test_what_is_no_time_is_left_out(time: object) -> None:
    good = "2026-01-31T12:00:00.5Z"
    entries = [{"manager": "a", "time": time}, {"manager": "b", "time": good}]
    metadata = {"name": "a", "creationTimestamp": time, "deletionTimestamp": good, "managedFields": entries}
    read = readable({"apiVersion": "v1", "kind": "Pod", "metadata": metadata}, "server")["metadata"]
    assert (read.get("creationTimestamp"), read["deletionTimestamp"]) == (None, good)
    assert [entry.get("time") for entry in read["managedFields"]] == [None, good]


@pytest.mark.parametrize(
    ("kind", "spec", "read"),
    [
        ("Node", {"providerID": 7}, {}),
        ("PersistentVolumeClaim", {"resources": {"requests": ["1Gi"]}}, {"resources": {}}),
        ("PersistentVolumeClaim", {"resources": "1Gi"}, {}),
    ],
)
def test_what_is_read_of_nodes_and_claims_has_its_shape(kind: str, spec: object, read: object) -> None:
    assert live(kind, spec) == read


def test_claim_templates_without_a_name_are_left_out() -> None:
    templates = [{"spec": {}}, {"metadata": {"name": None}}, {"metadata": {"name": "a"}, "spec": []}]
    read = live("StatefulSet", {"volumeClaimTemplates": templates, "paused": "yes"}, "apps/v1")
    assert read == {"volumeClaimTemplates": [{"metadata": {"name": "a"}}]}


def test_an_address_that_is_no_text_is_left_out() -> None:
    status = {"addresses": [{"type": "InternalIP", "address": -1}, {"type": "InternalIP", "address": "10.0.0.1"}]}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}, "status": status}
    assert node_hosts([readable(node, "server")]) == ["10.0.0.1"]


def test_lists_of_anything_keep_their_nulls() -> None:
    assert live("Thing", [None, 1], "example.com/v1") == [None, 1]
