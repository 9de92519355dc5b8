# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Three microservices in the mesh, beside an infrastructure that stays outside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from ansible_collections.meshops.istio.tests.integration.labs.conftest import Sow
from ansible_collections.meshops.istio.tests.integration.labs.seed import Object, Seed, ways, who
from ansible_collections.meshops.istio.tests.support.lab import now
from ansible_collections.meshops.istio.tests.support.steps import Seen

CUSTOMERS, ORDERS = "/customers-service/v2/customers", "/orders-service/v2/orders"
INSIDE = ("customer", "notification", "order")
OUTSIDE = ("customer-mongodb", "kafka", "kafka-zookeeper", "order-postgres")


@pytest.fixture(scope="module")
def microservices(sown: Sow) -> Iterator[Seed]:
    with sown("labs.microservices", "default") as seed:
        seed.play()
        yield seed


@pytest.mark.step("001.1", "istioctl of the named version, and its precheck")
def test_precheck(microservices: Seed, seen: Seen) -> None:
    version = json.loads(microservices.istioctl("version", "--remote=false", "-o", "json"))["clientVersion"]["version"]
    said = microservices.istioctl("x", "precheck", check=False)
    assert version == microservices.lab.release["version"]
    assert "No issues found" in said
    seen(f"{version}; {said.strip().splitlines()[0]}")


@pytest.mark.step("001.2", "core, istiod, egress and ingress gateways")
def test_the_demo_profile(microservices: Seed, seen: Seen) -> None:
    pods = microservices.pods("istio", namespace="istio-system")
    assert sorted(pod.labels["app"] for pod in pods) == ["istio-egressgateway", "istio-ingressgateway", "istiod"]
    assert {pod.ready for pod in pods} == {"1/1"}
    definitions = microservices.kubectl("get", "crd", "-o", "name").count("istio.io")
    assert definitions >= 14
    seen(f"{definitions} CRDs; {', '.join(sorted(pod.labels['app'] for pod in pods))}: 1/1 each")


@pytest.mark.step("001.3", "the namespace default is labelled")
def test_the_label(microservices: Seed, seen: Seen) -> None:
    labels = microservices.get("namespace", "default")["metadata"]["labels"]
    assert labels["istio-injection"] == "enabled"
    seen("istio-injection=enabled")


@pytest.mark.step("001.4", "each microservice has its configuration, two have Services; their infrastructure is older")
def test_the_parts(microservices: Seed, seen: Seen) -> None:
    configured = {one["metadata"]["name"] for one in microservices.get("configmaps")["items"]}
    mounted = {
        one["metadata"]["name"]: {volume["configMap"]["name"] for volume in volumes(one) if "configMap" in volume}
        for one in microservices.get("deployments", *[f"{name}-deployment" for name in INSIDE])["items"]
    }
    assert all(names and names <= configured for names in mounted.values())
    served = {one["metadata"]["name"] for one in microservices.get("services")["items"]}
    assert {"customer-service", "order-service"} <= served
    assert not any("notification" in name for name in served)
    begun = {pod.labels["app"]: pod.object["metadata"]["creationTimestamp"] for pod in microservices.pods()}
    assert max(begun[name] for name in OUTSIDE) <= min(begun[name] for name in INSIDE)
    seen(f"{len(mounted)} Deployments with ConfigMaps, 2 Services; {len(OUTSIDE)} parts in place before the label")


def volumes(deployment: Object) -> list[Object]:
    found: list[Object] = deployment["spec"]["template"]["spec"].get("volumes") or []
    return found


@pytest.mark.step("001.5", "the microservices are in the mesh, what they need is outside")
def test_the_pods(microservices: Seed, seen: Seen) -> None:
    ready = {pod.labels["app"]: pod.ready for pod in microservices.pods()}
    assert ready == {**dict.fromkeys(INSIDE, "2/2"), **dict.fromkeys(OUTSIDE, "1/1")}
    seen(", ".join(f"{name} {count}" for name, count in sorted(ready.items())))


@pytest.mark.step("001.5", "the services have the node ports of the text")
def test_the_services(microservices: Seed, seen: Seen) -> None:
    found = {}
    for name in ("customer-service", "order-service"):
        spec = microservices.get("service", name)["spec"]
        (port,) = spec["ports"]
        found[name] = f"{spec['type']} {port['port']}:{port['nodePort']}"
    assert found == {"customer-service": "NodePort 8102:32102", "order-service": "NodePort 8103:32103"}
    seen(", ".join(f"{name} {port}" for name, port in found.items()))


@pytest.mark.step("001.6", "in their own pods they answer with what they keep, which is nothing")
def test_in_the_pods(microservices: Seed, seen: Seen) -> None:
    said = [
        microservices.execute(
            microservices.pod(f"app={app}").name, f"{app}-ms", "wget", "-qO-", f"localhost:{port}{path}"
        )
        for app, port, path in (("customer", 8102, CUSTOMERS), ("order", 8103, ORDERS))
    ]
    assert said == ["[]", "[]"]
    seen(" and ".join(said), "stand-ins for customer and order")


@pytest.mark.step("001.7", "Istio's analysis finds nothing but what the text forgets about")
def test_analysis(microservices: Seed, seen: Seen) -> None:
    said = microservices.istioctl("analyze", "-n", "default", check=False)
    codes = set(re.findall(r"\[(IST\d+)\]", said))
    assert codes <= {"IST0103", "IST0118"}, said
    missing = re.findall(r"\[IST0103\] \(Pod default/([a-z-]+?)(?:-[a-z0-9]+)*-?[0-9a-z]*\)", said)
    assert len(missing) == len(OUTSIDE)
    seen(f"{', '.join(sorted(codes))} for {len(missing)} pods")


@pytest.mark.parametrize("path", [CUSTOMERS, ORDERS])
@pytest.mark.step("001.8", "through the gateway's node port they answer as the text shows")
def test_through_the_gateway(microservices: Seed, seen: Seen, path: str) -> None:
    door = microservices.gateway
    assert door.host == microservices.node
    answer = door.ask(path, name=f"{door.host}:{door.port}")
    kind = answer.headers["content-type"]
    assert (answer.status, answer.headers["server"], answer.text) == (200, "istio-envoy", "[]")
    assert kind == "application/json;charset=UTF-8"
    seen(f"{door.host}:{door.port}{path}: {answer.status} {answer.headers['server']} {kind} {answer.text}", who(answer))


@pytest.mark.step("001.9", "all addons of the release are there, and Kiali answers on 20001")
def test_the_addons(microservices: Seed, seen: Seen) -> None:
    workloads = microservices.get("deployments,statefulsets", "-l", "!istio", namespace="istio-system")["items"]
    ready = {one["metadata"]["name"]: one["status"].get("readyReplicas") for one in workloads}
    assert ready == dict.fromkeys(("grafana", "jaeger", "kiali", "loki", "prometheus"), 1)
    page = microservices.addon("kiali", 20001, "/kiali/")
    assert "Kiali" in page
    seen(f"{', '.join(sorted(ready))} ready; kiali:20001 answers", "Prometheus real, the others stand-ins")


@pytest.mark.step("001.9", "a picture of the topology, from the gateway to each workload")
def test_the_picture(microservices: Seed, seen: Seen) -> None:
    drawn = microservices.ask("topology_info", namespaces=["default"])
    found, route = ways(drawn), "VirtualService default/microservices"
    assert ("Gateway default/microservices-gateway", route, "*") in found
    assert ("Service default/order-service", "Deployment default/order-deployment", "") in found
    assert {target for source, target, _label in found if source == route} == {
        "Service default/customer-service",
        "Service default/order-service",
    }
    workloads = {node["name"]: node["in_mesh"] for node in drawn["nodes"] if node["in_mesh"] is not None}
    assert workloads == {**{f"{name}-deployment": True for name in INSIDE}, **dict.fromkeys(OUTSIDE, False)}
    assert drawn["mermaid"].count("no sidecar") == len(OUTSIDE)
    seen(f"{len(found)} ways, {len(workloads)} workloads, {len(OUTSIDE)} of them marked as without a sidecar")


@pytest.mark.step("001", "an order is kept, and notified by way of the queue")
def test_an_order(microservices: Seed, seen: Seen) -> None:
    door = microservices.gateway
    pod = microservices.pod("app=order").name
    put = [
        "curl",
        "-sS",
        "-X",
        "PUT",
        "-H",
        "Content-Type: application/json",
        "-d",
        '{"orderId": 1, "customerId": "a"}',
    ]
    microservices.execute(pod, "order-ms", *put, f"localhost:8103{ORDERS}")
    answer = door.ask(ORDERS)
    assert [order["orderId"] for order in json.loads(answer.text)] == [1]
    microservices.kubectl("wait", "pod", "-l", "app=notification", "--for=condition=Ready")
    log = microservices.kubectl("logs", "-l", "app=notification", "-c", "notification-ms", "--tail=20")
    door.ask(ORDERS, method="DELETE")
    assert door.ask(ORDERS).text == "[]"
    seen(f"{answer.text}; {log.strip().splitlines()[-1][20:]}", who(answer))


@pytest.mark.step("001", "a second run changes and writes nothing")
def test_again(microservices: Seed, seen: Seen) -> None:
    since = now()
    changed = microservices.play().changed
    writes = microservices.lab.writes_since(since)
    assert (changed, writes) == (0, 0)
    seen(f"changed={changed}, {writes} writes")
