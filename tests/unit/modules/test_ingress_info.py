# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a gateway is, waited for or not."""

from __future__ import annotations

from typing import Any

from ansible_collections.meshops.istio.tests.support.memory_cluster import MemoryCluster, make
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run

PORTS = [{"name": "http2", "port": 80, "nodePort": 30080}]


def gateway(*, address: str = "") -> dict[str, Any]:
    status = {"loadBalancer": {"ingress": [{"ip": address}]}} if address else {"loadBalancer": {}}
    spec = {"type": "LoadBalancer", "ports": PORTS, "clusterIP": "10.96.0.7"}
    return make("Service", "istio-ingressgateway", "istio-system", spec=spec, status=status)


def test_an_address_that_is_there(on: Run) -> None:
    told = on(MemoryCluster(gateway(address="203.0.113.7")), "ingress_info")
    assert (told["urls"], told["pending"]) == ({"http2": "http://203.0.113.7"}, False)


def test_an_address_that_is_still_to_come(on: Run) -> None:
    told = on(MemoryCluster(gateway()), "ingress_info")
    assert (told["urls"], told["hosts"], told["pending"]) == ({}, [], True)
    [warning] = told["warnings"]
    assert has_facts(warning, "Service istio-system/istio-ingressgateway & no load balancer address yet & NodePort")


def test_minikube_needs_its_tunnel(on: Run) -> None:
    node = make("Node", "minikube", labels={"minikube.k8s.io/name": "minikube"})
    told = on(MemoryCluster(gateway(), node), "ingress_info")
    assert has_facts(told["warnings"][0], "no load balancer address yet & `minikube tunnel`")
    # On Linux the tunnel assigns the Service's address within the cluster, elsewhere this machine's.
    for address in ("10.96.0.7", "127.0.0.1"):
        told = on(MemoryCluster(gateway(address=address), node), "ingress_info")
        assert (told["urls"], told["warnings"]) == ({"http2": f"http://{address}"}, [])


def test_a_load_balancers_name(on: Run) -> None:
    named = gateway()
    named["status"]["loadBalancer"]["ingress"] = [{"hostname": "lb.example.com"}]
    told = on(MemoryCluster(named), "ingress_info", wait=True)
    assert (told["urls"], told["addresses"], told["pending"]) == ({"http2": "http://lb.example.com"}, [], False)


def test_no_node_answers(on: Run) -> None:
    service = make("Service", "istio-ingressgateway", "istio-system", spec={"type": "NodePort", "ports": PORTS})
    told = on(MemoryCluster(service), "ingress_info", wait=True)
    assert (told["pending"], has_facts(told["warnings"][0], "no node & is ready")) == (True, True)


def test_an_address_that_comes_while_it_is_waited_for(on: Run) -> None:
    memory = MemoryCluster(gateway())
    memory.on_watch.append(lambda: memory.put(gateway(address="203.0.113.7")))
    assert on(memory, "ingress_info", wait=True)["addresses"] == ["203.0.113.7"]


def test_an_address_that_never_comes(on: Run) -> None:
    told = on(MemoryCluster(gateway()), "ingress_info", wait=True, wait_timeout=1)
    assert told["code"] == "not_ready"
    assert "use the type NodePort" in told["msg"]


def test_a_gateway_that_does_not_exist(on: Run) -> None:
    told = on(MemoryCluster(), "ingress_info")
    assert (told["code"], "istio-ingressgateway" in told["msg"]) == ("invalid_input", True)


def test_in_check_mode_it_may_only_have_been_planned(on: Run) -> None:
    told = on(MemoryCluster(), "ingress_info", check=True, wait=True)
    assert (told["pending"], told["name"], told["ports"]) == (True, "istio-ingressgateway", {})
