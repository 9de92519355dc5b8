# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mesh in use: its ingress gateway changes its type and workloads come into the mesh, and clients notice nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.integration.labs.conftest import Sow
from ansible_collections.meshops.istio.tests.integration.labs.seed import Seed, who
from ansible_collections.meshops.istio.tests.integration.traffic.traffic import Client, Door, eventually
from ansible_collections.meshops.istio.tests.support.lab import now
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.steps import Seen

NAMESPACE, PODS = "it-ingress", 20
HTTP, PARTNERS = 30080, 30081
PATH = "/hello"
SMALL = {"requests": {"cpu": "5m", "memory": "16Mi"}}
PORTS = {"http2": HTTP, "https": 30443}


def gateway(name: str, pods: str, host: str) -> list[dict[str, Any]]:
    """A Gateway for a host at the pods with this label, and a route from it to the service."""
    metadata = {"name": name}
    server = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": [host]}
    to = {"route": [{"destination": {"host": "hello", "port": {"number": 80}}}]}
    kind = {"apiVersion": "networking.istio.io/v1", "metadata": metadata}
    return [
        {**kind, "kind": "Gateway", "spec": {"selector": {"istio": pods}, "servers": [server]}},
        {**kind, "kind": "VirtualService", "spec": {"hosts": [host], "gateways": [name], "http": [to]}},
    ]


def workload(number: int) -> dict[str, Any]:
    """A Deployment with a fourth of the pods."""
    labels = {"app": "hello", "version": f"v{number}"}
    container = {
        "name": "hello",
        "image": "docker.io/istio/examples-helloworld-v1:1.0",
        "readinessProbe": {"httpGet": {"path": "/health", "port": 5000}, "periodSeconds": 1},
        "resources": SMALL,
    }
    spec = {
        "replicas": PODS // 4,
        "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 2}},
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": f"hello-{number}"}, "spec": spec}


SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "hello"},
    "spec": {"selector": {"app": "hello"}, "ports": [{"name": "http", "port": 80, "targetPort": 5000}]},
}
APPLICATION = [SERVICE, *map(workload, range(1, 5)), *gateway("front", "ingressgateway", "hello.test")]
HELLO = {"name": "hello", "namespace": NAMESPACE, "definition": APPLICATION}
VARIABLES = {
    "mesh_create_namespaces": True,
    "mesh_ingress_type": "NodePort",
    "mesh_ingress_node_ports": PORTS,
    # So that the node of a lab has room for all the sidecars.
    "mesh_values": {"global": {"proxy": {"resources": {"requests": {"cpu": "5m", "memory": "40Mi"}}}}},
    "mesh_applications": [HELLO],
}


@pytest.fixture(scope="module")
def site(sown: Sow) -> Iterator[Seed]:
    with sown("site", NAMESPACE, **VARIABLES) as seed:
        seed.play()
        yield seed
    seed.kubectl("delete", "namespace", NAMESPACE, "--wait=true")


@pytest.fixture(scope="module")
def door(site: Seed) -> Door:
    """The pinned node port."""
    found = Door(site.node, HTTP)
    eventually(lambda: found.ask(PATH).status, lambda status: status == 200)
    return found


def service(site: Seed) -> dict[str, Any]:
    return site.get("service", "istio-ingressgateway", namespace="istio-system")


@pytest.mark.step(
    "shows", "20 pods come into the mesh, NodePort to LoadBalancer and back: 50 requests a second, all 200"
)
def test_no_client_of_a_pinned_node_port_notices(site: Seed, door: Door, seen: Seen) -> None:
    assert {pod.ready for pod in site.pods()} == {"1/1"}
    begun = now()
    with Client(door, PATH) as client:
        site.play(mesh_inject_namespaces=[NAMESPACE])
        inside = [pod.ready for pod in site.pods()]
        site.play(mesh_inject_namespaces=[NAMESPACE], mesh_ingress_type="LoadBalancer", mesh_ingress_wait=True)
        address = service(site)["status"]["loadBalancer"]["ingress"][0]["ip"]
        at_address = Door(address, 80).ask(PATH)
        back = site.play(mesh_inject_namespaces=[NAMESPACE])
    seconds = (now() - begun).total_seconds()
    assert inside == ["2/2"] * PODS
    assert at_address.status == 200
    assert {port["name"]: port["nodePort"] for port in service(site)["spec"]["ports"]}.items() >= PORTS.items()
    assert f"which releases the address {address}" in back.text
    assert set(client.seen) == {"200"}, client.seen
    # Fewer than 50 a second where the machine has other things to do, but never few.
    assert client.seen["200"] > 20 * seconds
    seen(f"{client.seen['200']} requests in {seconds:.0f} s, all 200; {address} for a while, said to be released")


@pytest.mark.step("shows", "a second run changes and writes nothing")
def test_again(site: Seed, door: Door, seen: Seen) -> None:
    site.play(mesh_inject_namespaces=[NAMESPACE])
    since = now()
    changed = site.play(mesh_inject_namespaces=[NAMESPACE]).changed
    writes = site.lab.writes_since(since)
    assert (changed, writes) == (0, 0)
    seen(f"changed={changed}, {writes} writes")


@pytest.mark.step("ingress", "a second gateway at a node port of its own, for hosts of its own")
def test_a_second_gateway(site: Seed, door: Door, seen: Seen) -> None:
    partners = {"name": "partners", "labels": {"istio": "partners"}, "type": "NodePort"}
    application = {
        "name": "partners",
        "namespace": NAMESPACE,
        "definition": gateway("partners", "partners", "*.partners"),
    }
    site.play(mesh_applications=[HELLO, application], mesh_ingress=[{**partners, "node_ports": {"http2": PARTNERS}}])
    side = Door(site.node, PARTNERS)
    answer = eventually(lambda: side.ask(PATH, name="a.partners"), lambda one: one.status == 200)
    others = side.ask(PATH).status, door.ask(PATH, name="a.partners").status, door.ask(PATH).status
    assert others == (404, 404, 200)
    site.play()
    seen(
        f"at {PARTNERS} a.partners {answer.status}, hello.test {others[0]}; at {HTTP} a.partners {others[1]}",
        who(answer),
    )


@pytest.mark.step("ingress", "a node port that is taken, or out of range, is refused before the first write")
def test_a_node_port_that_cannot_be_had(site: Seed, seen: Seen) -> None:
    partners = {"name": "partners", "labels": {"istio": "partners"}, "type": "NodePort"}
    since = now()
    said = [
        site.play(fails=True, mesh_ingress=[{**partners, "node_ports": {"http2": port}}]).text for port in (HTTP, 8080)
    ]
    assert site.lab.writes_since(since) == 0
    assert has_facts(said[0], f"Service istio-system/partners (port http2): node port {HTTP} is already allocated to")
    assert "is out of the range 30000 to 32767" in said[1]
    seen("both refused, 0 writes")


@pytest.mark.step("ingress", "ClusterIP: only who is inside gets in, at the gateway's name")
def test_from_inside_only(site: Seed, door: Door, seen: Seen) -> None:
    played = site.play(mesh_ingress_type="ClusterIP", mesh_ingress_node_ports={})
    assert f"which releases the node port {HTTP}" in played.text
    assert "http://istio-ingressgateway.istio-system.svc" in played.text
    eventually(lambda: door.ask(PATH).status, lambda status: status == 0)
    name, image = "inside", "docker.io/curlimages/curl:8.16.0"
    site.kubectl("run", name, f"--image={image}", "--command", "--", "sleep", "infinity")
    try:
        site.kubectl("wait", "pod", name, "--for=condition=Ready", "--timeout=60s")
        asked = ("curl", "-sS", "-H", "Host: hello.test", f"http://istio-ingressgateway.istio-system.svc{PATH}")
        said = site.execute(name, name, *asked)
    finally:
        site.kubectl("delete", "pod", name, "--now")
        site.play()
    assert "version: v1" in said
    seen(f"{said.strip()}; {HTTP} closed", "stand-in for helloworld")
