# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pod made by hand, in the mesh and behind its ingress gateway."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from ansible_collections.meshops.istio.tests.integration.labs.conftest import Sow
from ansible_collections.meshops.istio.tests.integration.labs.seed import Seed, who
from ansible_collections.meshops.istio.tests.integration.traffic.traffic import Door, eventually
from ansible_collections.meshops.istio.tests.support.lab import now
from ansible_collections.meshops.istio.tests.support.steps import Seen

HELLO = "/helloWorld/sayHello"
GREETING = "Hello, World from service helloWorld !"


@pytest.fixture(scope="module")
def hellodemo(sown: Sow) -> Iterator[Seed]:
    with sown("labs.about_istio", "default") as seed:
        seed.play(mesh_ingress_type="LoadBalancer")
        yield seed


@pytest.mark.step("002.1", "the CRDs before there is a control plane to use them, and before the gateways")
def test_the_order(hellodemo: Seed, seen: Seen) -> None:
    definitions = [one["metadata"] for one in hellodemo.get("crd")["items"]]
    crds = [one["creationTimestamp"] for one in definitions if one["name"].endswith(".istio.io")]
    conditions = hellodemo.get("deployment", "istiod", namespace="istio-system")["status"]["conditions"]
    istiod = next(one["lastTransitionTime"] for one in conditions if one["type"] == "Available")
    gateway = hellodemo.get("deployment", "istio-ingressgateway", namespace="istio-system")["metadata"]
    assert max(crds) <= istiod <= gateway["creationTimestamp"]
    times = [one.removesuffix("Z").partition("T")[2] for one in (max(crds), istiod, gateway["creationTimestamp"])]
    seen(f"{len(crds)} CRDs by {times[0]}, istiod available {times[1]}, gateway made {times[2]}")


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
    assert hellodemo.get("namespace", "default")["metadata"]["labels"]["istio-injection"] == "enabled"
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


@contextmanager
def outsider(hellodemo: Seed) -> Iterator[Callable[[], str]]:
    """A pod that has curl and no sidecar: what it is answered in plain text."""
    name = "outsider"
    image, label = "docker.io/curlimages/curl:8.16.0", "sidecar.istio.io/inject=false"
    hellodemo.kubectl("run", name, f"--image={image}", f"--labels={label}", "--command", "--", "sleep", "infinity")
    hellodemo.kubectl("wait", "pod", name, "--for=condition=Ready", "--timeout=60s")
    command = ("curl", "-sS", "-m", "5", f"http://helloworldservice:9095{HELLO}")
    yield lambda: hellodemo.execute(name, name, *command, check=False).strip()
    hellodemo.kubectl("delete", "pod", name, "--now")


def mode(hellodemo: Seed) -> str:
    """What the whole mesh takes."""
    return str(hellodemo.get("peerauthentication", "default", namespace="istio-system")["spec"]["mtls"]["mode"])


@pytest.mark.step("002.1", "mutual TLS is not set while somebody speaks plain text")
def test_plain_text_is_not_shut_out_unasked(hellodemo: Seed, seen: Seen) -> None:
    with outsider(hellodemo) as plainly:
        played = hellodemo.play(fails=True, hellodemo_mutual_tls=True)
        assert (mode(hellodemo), plainly()) == ("PERMISSIVE", GREETING)
    assert "would shut out clients that may speak plain text, Pod default/outsider (no sidecar)" in played.text
    seen("refused for Pod default/outsider (no sidecar), which is answered still")


@pytest.mark.step("002.1", "with mutual TLS plain text is refused, and the kubelet's health checks pass")
def test_mutual_tls(hellodemo: Seed, seen: Seen) -> None:
    hellodemo.play(hellodemo_mutual_tls=True)
    try:
        with outsider(hellodemo) as plainly:
            refused = eventually(plainly, lambda said: "reset" in said)
            found = mode(hellodemo), hellodemo.gateway.ask(HELLO).status, hellodemo.pod("run=hellodemo").ready
    finally:
        hellodemo.play()
    assert found == ("STRICT", 200, "2/2")
    seen(f"{found[0]}: plain text '{refused.splitlines()[0]}', {found[1]} through the gateway, {found[2]}")


@pytest.mark.step("002", "a second run changes and writes nothing")
def test_again(hellodemo: Seed, seen: Seen) -> None:
    since = now()
    changed = hellodemo.play().changed
    writes = hellodemo.lab.writes_since(since)
    assert (changed, writes) == (0, 0)
    seen(f"changed={changed}, {writes} writes")
