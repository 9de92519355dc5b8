# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A gateway's Service as its own `ingress` entry wants it, and no other gateway's."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.gateways.service import apply_ingress
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.tests.support.memory_cluster import make
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern, has_facts

COMPONENT = {"operator.istio.io/component": "IngressGateways"}


def gateway(name: str, **spec: Any) -> dict[str, Any]:
    ports = [
        {"name": "status-port", "port": 15021, "targetPort": 15021},
        {"name": "http2", "port": 80, "targetPort": 8080},
        {"name": "https", "port": 443, "targetPort": 8443},
    ]
    full = {"type": "LoadBalancer", "ports": ports, **spec}
    service = make("Service", name, "istio-system", labels=COMPONENT, spec=full)
    service["metadata"]["annotations"] = None
    return service


def applied(*entries: dict[str, Any], services: tuple[str, ...] = ("istio-ingressgateway", "inner")) -> dict[str, Any]:
    objects = [gateway(name) for name in services]
    apply_ingress(objects, entries)
    return {obj["metadata"]["name"]: obj for obj in objects}


def test_node_ports_are_pinned_and_the_list_stays_complete() -> None:
    service = applied({"type": "NodePort", "node_ports": {"http2": 30080, "https": "30443"}})["istio-ingressgateway"]
    assert service["spec"]["type"] == "NodePort"
    ports = {port["name"]: port.get("nodePort") for port in service["spec"]["ports"]}
    assert ports == {"status-port": None, "http2": 30080, "https": 30443}


def test_only_the_named_gateway_changes() -> None:
    services = applied({"name": "inner", "type": "ClusterIP"})
    assert services["inner"]["spec"]["type"] == "ClusterIP"
    assert services["istio-ingressgateway"] == gateway("istio-ingressgateway")


def test_a_load_balancers_settings() -> None:
    service = applied(
        {
            "type": "LoadBalancer",
            "address": "10.0.0.7",
            "source_ranges": ["10.0.0.0/8"],
            "external_traffic_policy": "Local",
            "annotations": {"service.beta.kubernetes.io/azure-load-balancer-internal": True},
        }
    )["istio-ingressgateway"]
    assert service["spec"]["loadBalancerIP"] == "10.0.0.7"
    assert service["spec"]["loadBalancerSourceRanges"] == ["10.0.0.0/8"]
    assert service["spec"]["externalTrafficPolicy"] == "Local"
    assert service["metadata"]["annotations"] == {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}


def test_another_type_leaves_nothing_of_a_load_balancer() -> None:
    objects = [gateway("istio-ingressgateway", loadBalancerIP="10.0.0.7", externalTrafficPolicy="Local")]
    apply_ingress(objects, [{"type": "ClusterIP"}])
    assert set(objects[0]["spec"]) == {"type", "ports"}


def test_what_an_entry_leaves_out_stays_as_rendered() -> None:
    before = gateway("istio-ingressgateway", externalTrafficPolicy="Local")
    objects = [copy.deepcopy(before)]
    apply_ingress(objects, [{"name": "istio-ingressgateway", "node_ports": {}, "annotations": None}])
    assert objects == [before]


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (
            {"name": "outer", "type": "NodePort"},
            "gateway outer & not found & istio-system/inner, istio-system/istio-ingressgateway",
        ),
        ({"node_ports": {"http": 30080}}, "port http & not found & status-port, http2, https"),
        ({"type": "ExternalName"}, "type 'ExternalName' & ClusterIP, LoadBalancer, NodePort"),
        (
            {"type": "ClusterIP", "node_ports": {"http2": 30080}},
            "node_ports & type ClusterIP & NodePort or LoadBalancer",
        ),
        ({"type": "NodePort", "address": "10.0.0.1"}, "address & type NodePort & LoadBalancer"),
        ({"external_traffic_policy": "local"}, "external_traffic_policy 'local' & Cluster or Local"),
        ({"node_ports": {"http2": 30080, "https": 30080}}, "node port 30080 & twice"),
        ({"node_ports": {"http2": "http"}}, "node port 'http' & invalid"),
        ({"typ": "NodePort"}, "unknown setting 'typ'."),
    ],
)
def test_contradictions_are_refused(entry: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        applied(entry)
    assert has_facts(caught.value.message, sentence)


def test_a_gateway_is_named_once() -> None:
    with pytest.raises(InvalidInput, match=facts_pattern("istio-ingressgateway & more than one entry")):
        applied({"type": "NodePort"}, {"name": "istio-ingressgateway", "type": "ClusterIP"})


def test_gateways_of_one_name_are_distinguished_by_namespace() -> None:
    objects = [gateway("edge"), gateway("edge")]
    for obj, namespace in zip(objects, ("edge-a", "edge-b"), strict=True):
        obj["metadata"]["namespace"] = namespace
    with pytest.raises(InvalidInput, match=facts_pattern("gateway edge & ambiguous & edge-a, edge-b & set namespace")):
        apply_ingress(objects, [{"name": "edge", "type": "NodePort"}])
    entries = [{"name": "edge", "namespace": "edge-b", "type": "NodePort"}]
    apply_ingress(objects, entries)
    assert [obj["spec"]["type"] for obj in objects] == ["LoadBalancer", "NodePort"]
    with pytest.raises(InvalidInput, match=facts_pattern("edge-c/edge & not found & edge-a/edge")):
        apply_ingress(objects, [{"name": "edge", "namespace": "edge-c", "type": "NodePort"}])


def test_a_gateway_named_with_and_without_its_namespace_is_named_twice() -> None:
    with pytest.raises(InvalidInput, match=facts_pattern("inner & more than one entry")):
        applied(
            {"name": "inner", "type": "NodePort"},
            {"name": "inner", "namespace": "istio-system", "type": "ClusterIP"},
        )


def test_node_port_zero_is_one_that_the_api_server_chooses() -> None:
    service = applied({"type": "NodePort", "node_ports": {"http2": 0, "https": 30443}})["istio-ingressgateway"]
    assert [port.get("nodePort") for port in service["spec"]["ports"]] == [None, None, 30443]
