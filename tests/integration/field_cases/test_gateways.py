# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gateways are found as what they are: of any kind of workload, in any namespace, several of one name, at any address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.filter.checks import checks
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.lab import Lab
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

Object = dict[str, Any]

REVISION = "gateways"
SYSTEM = "istio-system"
"""Where the gateways are, but for those of one name: of a revision with a name, no other namespace has the mesh's settings."""
NAMESPACE = Kind("v1", "Namespace")
SERVICE = Kind("v1", "Service")
PORTS = [
    {"name": "status-port", "port": 15021, "targetPort": 15021},
    {"name": "http2", "port": 80, "targetPort": 8080},
]


@pytest.fixture
def edges(cluster: Cluster, namespace: str) -> Iterator[list[str]]:
    """Two namespaces for gateways, the second one in a name's order too."""
    second = f"{namespace}-b"
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": second}}, manager="tests")
    yield [namespace, second]
    cluster.delete(NAMESPACE, second)


@pytest.fixture
def install(run: Run, lab: Lab) -> Iterator[Run]:
    """Install a revision of its own whose IstioOperator has these gateways."""

    def install(_name: str = "control_plane", /, *gateways: Object, **options: Any) -> Object:
        operator = {
            "apiVersion": "install.istio.io/v1alpha1",
            "kind": "IstioOperator",
            "spec": {
                "components": {"ingressGateways": [{"enabled": True, **one} for one in gateways]},
                "values": {"gateways": {"istio-ingressgateway": {"autoscaleEnabled": False}}},
            },
        }
        overlays = [*lab.control_plane["overlays"], operator]
        given = {**lab.control_plane, "profile": "minimal", "revision": REVISION, "overlays": overlays, **options}
        return run("control_plane", **given)

    yield install
    run("control_plane", state="absent", revision=REVISION, force=True)


def found(run: Run) -> Object:
    """What verify reads of the revision: its control plane and the addresses of its gateways."""
    installed = run("control_plane_info")
    (plane,) = [one for one in installed["control_planes"] if one["revision"] == REVISION]
    entries = [run("ingress_info", name=one["name"], namespace=one["namespace"]) for one in plane["gateways"]]
    return {"control_planes": [plane], "gateways": entries}


def as_kind(kind: str, name: str) -> Object:
    patches = [{"path": "kind", "value": kind}, {"path": "spec.strategy"}, {"path": "spec.replicas"}]
    more = [{"path": "spec.serviceName", "value": name}] if kind == "StatefulSet" else []
    return {"overlays": [{"kind": "Deployment", "name": name, "patches": [*patches, *more]}]}


@pytest.mark.step("gateways 18", "a gateway that an overlay makes a DaemonSet or a StatefulSet")
@pytest.mark.parametrize("kind", ["DaemonSet", "StatefulSet"])
def test_a_gateway_of_another_kind(install: Run, run: Run, seen: Seen, kind: str) -> None:
    gateway = {"name": "edge", "label": {"istio": "edge"}, "k8s": as_kind(kind, "edge")}
    ingress = [{"name": "edge", "type": "NodePort"}]
    done = install("control_plane", gateway, ingress=ingress)
    assert [(one["kind"], one["name"], one["namespace"]) for one in done["gateways"]] == [(kind, "edge", SYSTEM)]
    told = found(run)
    (entry,) = told["gateways"]
    assert entry["urls"]["http2"].startswith("http://")
    answer = {"item": entry, "url": entry["readiness_url"], "status": 200}
    named = [check["name"] for check in checks(told, {"revision": REVISION}, [answer]) if check["ok"]]
    assert {f"gateway {SYSTEM}/edge is healthy", f"gateway {SYSTEM}/edge answers"} <= set(named)
    seen(f"{kind}: {entry['urls']['http2']}, healthy, in the checks of verify")


@pytest.mark.step("gateways 20", "two gateways of one name in two namespaces")
def test_one_name_in_two_namespaces(
    install: Run, refused: Run, run: Run, lab: Lab, cluster: Cluster, edges: list[str], seen: Seen
) -> None:
    gateways = [{"name": "edge", "namespace": one, "label": {"istio": one}} for one in edges]
    wanted = [{"name": "edge", "namespace": one, "type": "NodePort", "annotations": {"team": one}} for one in edges]
    install("control_plane", *gateways, ingress=wanted, wait=False)
    services = [cluster.get(SERVICE, "edge", one) for one in edges]
    assert [(one["spec"]["type"], one["metadata"]["annotations"]["team"]) for one in services if one] == [
        ("NodePort", one) for one in edges
    ]
    told = found(run)
    assert [one["namespace"] for one in told["gateways"]] == edges
    assert len({one["urls"]["http2"] for one in told["gateways"]}) == 2
    operator = {
        "apiVersion": "install.istio.io/v1alpha1",
        "kind": "IstioOperator",
        "spec": {"components": {"ingressGateways": [{"enabled": True, **one} for one in gateways]}},
    }
    overlays = [*lab.control_plane["overlays"], operator]
    options = {**lab.control_plane, "profile": "minimal", "revision": REVISION, "overlays": overlays}
    sentence = refused("control_plane", **options, ingress=[{"name": "edge", "type": "NodePort"}])["msg"]
    assert all(one in sentence for one in ("edge", "namespace", *edges))
    seen(f"both NodePort with an annotation of their own; without a namespace: {sentence}")


@pytest.mark.step("gateways 21", "a gateway's Service with externalIPs")
@pytest.mark.parametrize("kind", ["ClusterIP", "LoadBalancer", "NodePort"])
def test_external_addresses(install: Run, run: Run, cluster: Cluster, seen: Seen, kind: str) -> None:
    (node,) = [one for one in cluster.list(Kind("v1", "Node")) if one["spec"].get("podCIDR")][:1]
    address = next(one["address"] for one in node["status"]["addresses"] if one["type"] == "InternalIP")
    service = {"type": kind, "externalIPs": [address], "ports": PORTS}
    if kind == "LoadBalancer":
        service["loadBalancerClass"] = "example.com/none"
    install("control_plane", {"name": "edge", "label": {"istio": "edge"}, "k8s": {"service": service}}, wait=False)
    entry = run("ingress_info", name="edge", namespace=SYSTEM, wait=True, wait_timeout=5)
    assert (entry["pending"], entry["hosts"], entry["urls"]["http2"]) == (False, [address], f"http://{address}")
    assert entry["readiness_url"] == f"http://{address}:15021/healthz/ready"
    seen(f"{kind}: {entry['urls']['http2']}")
