# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The manifests of the labs' applications: current, complete, and fit for a mesh."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.module_utils.istio.model.kinds import KINDS
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.builtin_kinds import BUILT_IN
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import kind_of, read_manifests

Object = dict[str, Any]

ROOT = Path(__file__).resolve().parents[4]
FILES = ROOT / "roles" / "applications" / "files"
WORKLOADS = ("Deployment", "StatefulSet", "Pod")
# How Istio knows a port's protocol by its name.
PROTOCOL = re.compile(r"(http|http2|https|grpc|tcp|tls)(-.+)?")


def objects_of(application: str) -> list[Object]:
    """All objects of an application, of whatever part."""
    files = sorted((FILES / application).rglob("*.yaml"))
    return [obj for file in files for obj in read_manifests(file.read_text(), str(file.relative_to(FILES)))]


APPLICATIONS = {path.name: objects_of(path.name) for path in sorted(FILES.iterdir()) if path.is_dir()}


def of_kinds(*kinds: str) -> list[Any]:
    """A parameter for each object of these kinds, or for each of all."""
    return [
        pytest.param(obj, id=f"{name}-{obj['kind']}-{obj['metadata']['name']}")
        for name, objects in APPLICATIONS.items()
        for obj in objects
        if not kinds or obj["kind"] in kinds
    ]


def pod_of(workload: Object) -> Object:
    """The pod that a workload makes, or is."""
    pod: Object = workload if workload["kind"] == "Pod" else workload["spec"]["template"]
    return pod


def selects(selector: dict[str, str], pod: Object) -> bool:
    labels: dict[str, str] = pod["metadata"]["labels"]
    return selector.items() <= labels.items()


def references(node: Any, kind: str) -> Iterator[str]:
    """The names of ConfigMaps, Secrets or claims that a pod refers to."""
    fields = {
        "Secret": ("secretKeyRef", "name"),
        "ConfigMap": ("configMap", "name"),
        "PersistentVolumeClaim": ("persistentVolumeClaim", "claimName"),
    }
    field, name = fields[kind]
    if isinstance(node, dict):
        if isinstance(node.get(field), dict):
            yield node[field][name]
        for value in node.values():
            yield from references(value, kind)
    elif isinstance(node, list):
        for value in node:
            yield from references(value, kind)


def test_the_labs_have_their_applications() -> None:
    assert set(APPLICATIONS) == {"calculator", "guestbook", "hellodemo", "microservices", "online_boutique"}


@pytest.mark.parametrize("obj", of_kinds())
def test_versions_are_current_and_the_namespace_is_left_to_the_application(obj: Object) -> None:
    kind = kind_of(obj)
    assert kind in BUILT_IN or (kind in KINDS and kind.api_version.endswith("/v1"))
    assert "namespace" not in obj["metadata"]


@pytest.mark.parametrize("workload", of_kinds(*WORKLOADS))
def test_a_workload_is_labelled_as_the_mesh_wants_it_and_selects_its_own_pods_only(workload: Object) -> None:
    labels = pod_of(workload)["metadata"]["labels"]
    assert {"app", "version"} <= set(labels)
    assert workload["metadata"]["labels"].items() <= labels.items()
    if workload["kind"] != "Pod":
        selector = workload["spec"]["selector"]["matchLabels"]
        objects = next(objects for objects in APPLICATIONS.values() if workload in objects)
        selected = [one for one in objects if one["kind"] in WORKLOADS and selects(selector, pod_of(one))]
        assert selected == [workload]


@pytest.mark.parametrize("workload", of_kinds(*WORKLOADS))
def test_a_workload_is_ready_when_it_serves_drains_when_it_ends_and_says_what_it_needs(workload: Object) -> None:
    spec = pod_of(workload)["spec"]
    for container in spec["containers"]:
        assert re.fullmatch(r"[\w.-]+\.[\w.-]+/[\w./-]+:[\w.-]+", container["image"]), "with its registry and its tag"
        ports = {port["name"] for port in container["ports"]}
        (handler,) = [field for field in container["readinessProbe"] if field in ("httpGet", "tcpSocket", "grpc")]
        assert container["readinessProbe"][handler]["port"] in ports
        assert spec["terminationGracePeriodSeconds"] > container["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("service", of_kinds("Service"))
def test_a_service_has_pods_with_its_ports_and_protocols_that_the_mesh_can_tell(service: Object) -> None:
    objects = next(objects for objects in APPLICATIONS.values() if service in objects)
    pods = [pod_of(one) for one in objects if one["kind"] in WORKLOADS]
    behind = [pod for pod in pods if selects(service["spec"]["selector"], pod)]
    assert behind
    for port in service["spec"]["ports"]:
        assert PROTOCOL.fullmatch(port["name"])
        for pod in behind:
            assert port["targetPort"] in {
                one["name"] for container in pod["spec"]["containers"] for one in container["ports"]
            }


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap", "PersistentVolumeClaim"])
@pytest.mark.parametrize("application", APPLICATIONS)
def test_what_pods_refer_to_is_there_and_is_used(application: str, kind: str) -> None:
    objects = APPLICATIONS[application]
    there = {obj["metadata"]["name"] for obj in objects if obj["kind"] == kind}
    used = {name for obj in objects if obj["kind"] in WORKLOADS for name in references(pod_of(obj), kind)}
    assert there == used


@pytest.mark.parametrize("route", of_kinds("VirtualService"))
def test_a_route_leads_from_a_gateway_to_a_service(route: Object) -> None:
    objects = next(objects for objects in APPLICATIONS.values() if route in objects)
    gateways = {obj["metadata"]["name"] for obj in objects if obj["kind"] == "Gateway"}
    assert set(route["spec"]["gateways"]) <= gateways
    ports = {
        (obj["metadata"]["name"], port["port"])
        for obj in objects
        if obj["kind"] == "Service"
        for port in obj["spec"]["ports"]
    }
    for rule in route["spec"]["http"]:
        for target in rule["route"]:
            assert (target["destination"]["host"], target["destination"]["port"]["number"]) in ports


def test_the_lab_has_a_stand_in_for_every_image() -> None:
    rows = {row["image"] for row in yaml.safe_load((ROOT / "lab" / "standins.yml").read_text())}
    workloads = [obj for objects in APPLICATIONS.values() for obj in objects if obj["kind"] in WORKLOADS]
    images = {container["image"] for obj in workloads for container in pod_of(obj)["spec"]["containers"]}
    assert images <= rows


# --- what the documents name ---------------------------------------------------------------------------------------


def one(application: str, kind: str, name: str) -> Object:
    return next(obj for obj in APPLICATIONS[application] if (obj["kind"], obj["metadata"]["name"]) == (kind, name))


@pytest.mark.parametrize(
    ("application", "name", "kind", "ports"),
    [
        ("guestbook", "guestbook-ui", "LoadBalancer", [(80, None)]),
        ("microservices", "customer-service", "NodePort", [(8102, 32102)]),
        ("microservices", "order-service", "NodePort", [(8103, 32103)]),
        ("microservices", "kafka-headless", "ClusterIP", [(9092, None), (9093, None)]),
        ("microservices", "kafka-zookeeper", "ClusterIP", [(2181, None), (2888, None), (3888, None)]),
        ("microservices", "order-postgres", "ClusterIP", [(5432, None)]),
        ("microservices", "customer-mongodb", "ClusterIP", [(27017, None)]),
        ("hellodemo", "helloworldservice", "ClusterIP", [(9095, None)]),
        ("calculator", "calcfrontendsvc", "ClusterIP", [(80, None)]),
        ("calculator", "calcbackendsvc", "ClusterIP", [(80, None)]),
    ],
)
def test_ports_are_those_of_the_documents(
    application: str, name: str, kind: str, ports: list[tuple[int, int | None]]
) -> None:
    spec = one(application, "Service", name)["spec"]
    assert spec.get("type", "ClusterIP") == kind
    assert [(port["port"], port.get("nodePort")) for port in spec["ports"]] == ports


def test_notification_declares_the_port_that_it_listens_on() -> None:
    conf = one("microservices", "ConfigMap", "notification-conf")["data"]["application.properties"]
    (container,) = pod_of(one("microservices", "Deployment", "notification-deployment"))["spec"]["containers"]
    assert "server.port=8104" in conf.splitlines()
    assert [port["containerPort"] for port in container["ports"]] == [8104]


def test_the_calculator_may_reach_application_insights_and_nobody_else_by_that() -> None:
    entries = [obj["spec"] for obj in APPLICATIONS["calculator"] if obj["kind"] == "ServiceEntry"]
    assert sorted(host for entry in entries for host in entry["hosts"]) == [
        "dc.applicationinsights.microsoft.com",
        "dc.services.visualstudio.com",
        "rt.applicationinsights.microsoft.com",
        "rt.services.visualstudio.com",
    ]
    assert all(entry["exportTo"] == ["."] for entry in entries)
    assert all([port["number"] for port in entry["ports"]] == [443] for entry in entries)
