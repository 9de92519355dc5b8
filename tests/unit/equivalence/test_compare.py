# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What counts as a difference between two clusters, and how it is told."""

from __future__ import annotations

from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, key_of
from ansible_collections.meshops.istio.tests.equivalence.compare import Difference, differences, normalised, text_of

Object = dict[str, Any]


def deployment(**spec: Any) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "istiod", "namespace": "istio-system"},
        "spec": spec,
    }


def compared(theirs: Object, ours: Object) -> list[Difference]:
    return differences({key_of(theirs): normalised(theirs)}, {key_of(ours): normalised(ours)})


def service(ports: list[Object], asked_for: Object) -> Object:
    fields = [{"manager": "any", "operation": "Apply", "fieldsV1": {"f:spec": asked_for}}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "ingress", "namespace": "istio-system", "managedFields": fields},
        "spec": {"clusterIP": "10.0.0.7", "clusterIPs": ["10.0.0.7"], "type": "NodePort", "ports": ports},
    }


def test_what_the_cluster_writes_by_itself_is_no_difference() -> None:
    theirs, ours = deployment(replicas=1), deployment(replicas=1)
    theirs["metadata"] |= {"uid": "1", "resourceVersion": "7", "generation": 2, "creationTimestamp": "2026-01-01"}
    theirs["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "3"}
    theirs["status"] = {"replicas": 1}
    assert compared(theirs, ours) == []


def test_an_annotation_of_a_user_is_a_difference() -> None:
    theirs, ours = deployment(), deployment()
    theirs["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "3", "team": "mesh"}
    assert [found.path for found in compared(theirs, ours)] == [("metadata", "annotations")]


def test_each_value_that_differs_is_named_by_its_path() -> None:
    theirs = deployment(replicas=1, template={"containers": [{"name": "a", "image": "one"}, {"name": "b"}]})
    ours = deployment(replicas=2, template={"containers": [{"name": "a", "image": "two"}, {"name": "b"}]})
    assert [(found.path, found.theirs, found.ours) for found in compared(theirs, ours)] == [
        (("spec", "replicas"), 1, 2),
        (("spec", "template", "containers", 0, "image"), "one", "two"),
    ]


def test_lists_of_another_length_differ_as_a_whole() -> None:
    found = compared(deployment(args=["a", "b"]), deployment(args=["b"]))
    assert [(one.path, one.theirs, one.ours) for one in found] == [(("spec", "args"), ["a", "b"], ["b"])]


def test_values_of_another_type_differ() -> None:
    assert len(compared(deployment(value=1), deployment(value=True))) == 1
    assert len(compared(deployment(value="1"), deployment(value=1))) == 1


def test_an_object_that_only_one_side_has_differs() -> None:
    obj = normalised(deployment())
    key = key_of(obj)
    assert [text_of(found) for found in differences({key: obj}, {})] == [f"{key}: only with istioctl"]
    assert [text_of(found) for found in differences({}, {key: obj})] == [f"{key}: only ours"]


def test_an_address_and_a_node_port_count_only_if_they_were_asked_for() -> None:
    ports = [{"port": 80, "protocol": "TCP", "nodePort": 30001}]
    assigned = service(ports, {"f:ports": {'k:{"port":80,"protocol":"TCP"}': {"f:port": {}}}})
    assert normalised(assigned)["spec"] == {"type": "NodePort", "ports": [{"port": 80, "protocol": "TCP"}]}

    item: Object = {'k:{"port":80,"protocol":"TCP"}': {"f:port": {}, "f:nodePort": {}}}
    pinned = service(ports, {"f:clusterIP": {}, "f:ports": item})
    assert normalised(pinned)["spec"] == {"clusterIP": "10.0.0.7", "type": "NodePort", "ports": ports}


def test_a_difference_within_a_text_is_shown_by_its_lines() -> None:
    key = Key("v1", "ConfigMap", "istio-system", "istio")
    text = text_of(Difference(key, ("data", "mesh"), "a: 1\nb: 2\nc: 3\n", "a: 1\nb: 4\nc: 3\n"))
    assert text.splitlines() == [
        "ConfigMap istio-system/istio: data.mesh",
        "--- istioctl",
        "+++ ours",
        "@@ -1,3 +1,3 @@",
        " a: 1",
        "-b: 2",
        "+b: 4",
        " c: 3",
    ]
