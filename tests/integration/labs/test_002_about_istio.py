# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pod made by hand, in the mesh and behind its ingress gateway."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from ansible_collections.meshops.istio.tests.integration.conftest import now
from ansible_collections.meshops.istio.tests.integration.labs.conftest import Seen
from ansible_collections.meshops.istio.tests.integration.labs.seed import Seed, who
from ansible_collections.meshops.istio.tests.integration.traffic.traffic import Door, eventually

HELLO = "/helloWorld/sayHello"
GREETING = "Hello, World from service helloWorld !"


@pytest.fixture(scope="module")
def hellodemo(sown: Callable[[str, str], AbstractContextManager[Seed]]) -> Iterator[Seed]:
    with sown("about_istio", "default") as seed:
        seed.play(mesh_ingress_type="LoadBalancer")
        yield seed


@pytest.mark.step("002.2", "istio-ingressgateway from LoadBalancer to NodePort")
def test_the_gateway_becomes_a_node_port(hellodemo: Seed, seen: Seen) -> None:
    service = ("service", "istio-ingressgateway")
    before = hellodemo.get(*service, namespace="istio-system")["spec"]["type"]
    hellodemo.play()
    after = hellodemo.get(*service, namespace="istio-system")["spec"]["type"]
    assert (before, after) == ("LoadBalancer", "NodePort")
    seen(f"{before} -> {after}")


@pytest.mark.step("002.3", "the bare pod is in the mesh")
def test_the_pod(hellodemo: Seed, seen: Seen) -> None:
    pod = hellodemo.pod("run=hellodemo")
    assert (pod.name, pod.ready) == ("hellodemo", "2/2")
    assert "ownerReferences" not in pod.object["metadata"]
    assert pod.object["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    seen(f"{pod.name} {pod.ready}")


@pytest.mark.step("002.4", "in the pod, the service greets by its name")
def test_in_the_pod(hellodemo: Seed, seen: Seen) -> None:
    said = hellodemo.execute("hellodemo", "hellodemo", "curl", "-sS", f"http://helloworldservice:9095{HELLO}").strip()
    assert said == GREETING
    seen(said, "stand-in for istiodemo")


@pytest.mark.step("002.4", "and at any node's address, at the gateway's port")
def test_through_the_gateway(hellodemo: Seed, seen: Seen) -> None:
    ports = {
        port["name"]: port["nodePort"]
        for port in hellodemo.get("service", "istio-ingressgateway", namespace="istio-system")["spec"]["ports"]
    }
    answer = Door(hellodemo.node, ports["http2"]).ask(HELLO)
    assert (answer.status, answer.headers["server"], answer.text.strip()) == (200, "istio-envoy", GREETING)
    assert 30000 <= ports["https"] <= 32767
    seen(f"INGRESS_PORT {ports['http2']}, SECURE_INGRESS_PORT {ports['https']}: {answer.text.strip()}", who(answer))


@pytest.fixture
def outsider(hellodemo: Seed) -> Iterator[str]:
    """The name of a pod that has curl and no sidecar."""
    name = "outsider"
    image, label = "docker.io/curlimages/curl:8.16.0", "sidecar.istio.io/inject=false"
    hellodemo.kubectl("run", name, f"--image={image}", f"--labels={label}", "--command", "--", "sleep", "infinity")
    hellodemo.kubectl("wait", "pod", name, "--for=condition=Ready", "--timeout=60s")
    yield name
    hellodemo.kubectl("delete", "pod", name, "--now")


@pytest.mark.step("002.1", "permissive, or with mutual TLS: then plain text is refused")
def test_mutual_tls(hellodemo: Seed, outsider: str, seen: Seen) -> None:
    def plainly() -> str:
        command = ("curl", "-sS", "-m", "5", f"http://helloworldservice:9095{HELLO}")
        return hellodemo.execute(outsider, outsider, *command, check=False).strip()

    def mode() -> str:
        return str(hellodemo.get("peerauthentication", "default", namespace="istio-system")["spec"]["mtls"]["mode"])

    assert (mode(), plainly()) == ("PERMISSIVE", GREETING)
    hellodemo.play(hellodemo_mutual_tls=True)
    try:
        assert mode() == "STRICT"
        refused = eventually(plainly, lambda said: "reset" in said)
        answer = hellodemo.gateway.ask(HELLO)
        assert (answer.status, answer.text.strip()) == (200, GREETING)
    finally:
        hellodemo.play()
    seen(f"STRICT: plain text '{refused.splitlines()[0]}', {answer.status} through the gateway", who(answer))


@pytest.mark.step("002", "a second run changes and writes nothing")
def test_again(hellodemo: Seed, seen: Seen) -> None:
    since = now()
    changed = hellodemo.play().changed
    writes = hellodemo.lab.writes_since(since)
    assert (changed, writes) == (0, 0)
    seen(f"changed={changed}, {writes} writes")
