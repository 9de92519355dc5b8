# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a gateway answers: at its load balancer, at the nodes, or inside only."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.gateways.addresses import describe, read_ingress
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.tests.support.memory_cluster import MemoryCluster, make, pod
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern

Object = dict[str, Any]

PORTS = [
    {"name": "status-port", "port": 15021, "nodePort": 31021},
    {"name": "http2", "port": 80, "nodePort": 30080},
    {"name": "https", "port": 443, "nodePort": 30443},
    {"name": "tcp", "port": 31400, "nodePort": 31400},
]
READY = [{"type": "Ready", "status": "True"}]


def service(kind: str, *, ingress: list[Object] | None = None, **spec: Any) -> Object:
    return make(
        "Service",
        "istio-ingressgateway",
        "istio-system",
        spec={"type": kind, "ports": PORTS, "selector": {"app": "gw"}, **spec},
        status={"loadBalancer": {"ingress": ingress or []}},
    )


def node(name: str, internal: str, external: str = "", *, ready: bool = True) -> Object:
    addresses = [{"type": "InternalIP", "address": internal}, {"type": "Hostname", "address": name}]
    if external:
        addresses.append({"type": "ExternalIP", "address": external})
    return make("Node", name, status={"addresses": addresses, "conditions": READY if ready else []})


def gateway_pod(where: str) -> Object:
    one = pod("gw", "istio-system", labels={"app": "gw"}, spec={"nodeName": where})
    one["status"]["conditions"] = READY
    return one


def test_a_load_balancers_address() -> None:
    found = describe(service("LoadBalancer", ingress=[{"ip": "192.0.2.7"}]))
    assert found["urls"] == {"http2": "http://192.0.2.7", "https": "https://192.0.2.7"}
    assert found["ports"]["http2"] == {"port": 80, "node_port": 30080}
    assert (found["type"], found["hosts"], found["addresses"], found["pending"]) == (
        "LoadBalancer",
        ["192.0.2.7"],
        ["192.0.2.7"],
        False,
    )


def test_a_load_balancers_name_and_ipv6() -> None:
    assert describe(service("LoadBalancer", ingress=[{"hostname": "lb.example.com"}]))["addresses"] == []
    found = describe(service("LoadBalancer", ingress=[{"ip": "2001:db8::7"}]))
    assert found["urls"]["http2"] == "http://[2001:db8::7]"


def test_a_load_balancer_without_an_address_is_pending() -> None:
    found = describe(service("LoadBalancer"))
    assert (found["pending"], found["urls"], found["hosts"]) == (True, {}, [])


def test_node_ports_at_ready_nodes_external_addresses_first() -> None:
    nodes = [node("a", "10.0.0.1"), node("b", "10.0.0.2", "192.0.2.2"), node("c", "10.0.0.3", ready=False)]
    found = describe(service("NodePort"), nodes, [gateway_pod("a")])
    assert found["hosts"] == ["192.0.2.2", "10.0.0.1", "10.0.0.2"]
    assert found["urls"] == {"http2": "http://192.0.2.2:30080", "https": "https://192.0.2.2:30443"}


def test_a_local_policy_leaves_only_nodes_with_a_gateway() -> None:
    nodes = [node("a", "10.0.0.1"), node("b", "10.0.0.2")]
    local = service("NodePort", externalTrafficPolicy="Local")
    assert describe(local, nodes, [gateway_pod("b")])["hosts"] == ["10.0.0.2"]
    assert describe(local, nodes)["pending"]


def test_inside_only() -> None:
    found = describe(service("ClusterIP"))
    assert found["urls"]["http2"] == "http://istio-ingressgateway.istio-system.svc"


def test_it_is_read_from_the_cluster() -> None:
    cluster = MemoryCluster(service("NodePort"), node("a", "10.0.0.1"), gateway_pod("a"))
    assert read_ingress(cluster, "istio-ingressgateway", "istio-system")["hosts"] == ["10.0.0.1"]
    with pytest.raises(InvalidInput, match=facts_pattern("Service istio-system/gw & not found & istio-ingressgateway")):
        read_ingress(cluster, "gw", "istio-system")


@pytest.mark.parametrize("kind", ["ClusterIP", "LoadBalancer", "NodePort"])
def test_external_addresses_answer_at_the_ports_of_any_service(kind: str) -> None:
    found = describe(service(kind, externalIPs=["198.51.100.4"]), [node("a", "10.0.0.1")])
    assert (found["hosts"], found["pending"]) == (["198.51.100.4"], False)
    assert found["urls"]["http2"] == "http://198.51.100.4"
    assert found["readiness_url"] == "http://198.51.100.4:15021/healthz/ready"


def test_an_assigned_address_comes_before_external_ones() -> None:
    found = describe(service("LoadBalancer", ingress=[{"ip": "192.0.2.7"}], externalIPs=["198.51.100.4"]))
    assert found["hosts"] == ["192.0.2.7", "198.51.100.4"]


def test_where_a_gateway_says_that_it_is_ready() -> None:
    at_node = describe(service("NodePort"), [node("a", "10.0.0.1")])
    assert at_node["readiness_url"] == "http://10.0.0.1:31021/healthz/ready"
    assert describe(service("ClusterIP"))["readiness_url"] == ""
    assert describe(service("LoadBalancer"))["readiness_url"] == ""
    closed = describe(service("NodePort", ports=PORTS[1:]), [node("a", "10.0.0.1")])
    assert (closed["readiness_url"], closed["pending"]) == ("", False)
