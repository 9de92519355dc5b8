# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""mtls: modes for the mesh, a namespace and a workload, and who a strict one would shut out."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.mesh_api import (
    SECURITY,
    Mesh,
    ingress_gateway,
    istio,
    namespace,
    pod,
    service,
)
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.unit.istio.traffic.conftest import Refused

WEB = {"name": "web", "selector": {"app": "web"}}


def test_a_namespace(mesh: Mesh, run: Run) -> None:
    run("mtls")
    assert mesh.spec("PeerAuthentication", "default") == {"mtls": {"mode": "STRICT"}}


def test_the_mesh(mesh: Mesh, run: Run) -> None:
    run("mtls", namespace="istio-system", mode="permissive")
    assert mesh.spec("PeerAuthentication", "default", "istio-system") == {"mtls": {"mode": "PERMISSIVE"}}


def test_a_workload_and_one_of_its_ports(mesh: Mesh, run: Run) -> None:
    run("mtls", **WEB, ports={"8080": "permissive"})
    assert mesh.spec("PeerAuthentication", "web") == {
        "selector": {"matchLabels": {"app": "web"}},
        "mtls": {"mode": "STRICT"},
        "portLevelMtls": {"8080": {"mode": "PERMISSIVE"}},
    }


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"ports": {"80": "strict"}}, "ports & set selector"),
        ({**WEB, "ports": {"80": "maybe"}}, "ports.80 & 'maybe' & strict, permissive, disable, unset"),
        ({**WEB, "ports": {"http": "strict"}}, "ports & 'http' & port number"),
    ],
)
def test_options_that_make_no_sense(refused: Refused, options: dict[str, Any], words: str) -> None:
    assert has_facts(refused("mtls", **options)["msg"], words)


def test_a_mode_that_says_nothing_is_none(mesh: Mesh, refused: Refused) -> None:
    older = istio("PeerAuthentication", "older", {}, api_version=SECURITY)
    del older["spec"]
    mesh.add(older)
    assert has_facts(refused("mtls")["msg"], "PeerAuthentication shop/older & already exists")


def test_a_second_mode_for_the_same_workloads(mesh: Mesh, refused: Refused) -> None:
    older = istio("PeerAuthentication", "older", {"mtls": {"mode": "PERMISSIVE"}}, api_version=SECURITY)
    mesh.add(older)
    assert refused("mtls", mode="permissive")["code"] == "mode_taken"


# --- plain text ----------------------------------------------------------------------------------------------------


def clients(result: dict[str, Any]) -> set[tuple[str, str]]:
    return {(f"{one['namespace']}/{one['name']}", one["reason"]) for one in result["plain_text_clients"]}


OUTSIDE = "type NodePort, open to clients outside the cluster"


def test_pods_without_a_sidecar(mesh: Mesh, refused: Refused) -> None:
    mesh.add(pod("batch", sidecar=False))
    result = refused("mtls")
    assert result["code"] == "plain_text_clients"
    assert has_facts(result["msg"], "mode strict & plain text & Deployment shop/batch (no sidecar) & force")
    (client,) = result["details"]["plain_text_clients"]
    assert (client["kind"], client["name"]) == ("Deployment", "batch")


def test_pods_of_the_meshs_other_namespaces(mesh: Mesh, refused: Refused) -> None:
    mesh.add(namespace("other", istio_injection="enabled"), pod("batch", namespace="other", sidecar=False))
    assert "Deployment other/batch (no sidecar)" in refused("mtls")["msg"]


def test_services_for_clients_outside(mesh: Mesh, refused: Refused) -> None:
    mesh.add(service("web", 80, type="NodePort"))
    assert f"Service shop/web ({OUTSIDE})" in refused("mtls")["msg"]


def test_rules_that_switch_tls_off(mesh: Mesh, refused: Refused) -> None:
    rule = {"host": "reviews", "trafficPolicy": {"tls": {"mode": "DISABLE"}}}
    mesh.add(istio("DestinationRule", "plain", rule))
    assert has_facts(refused("mtls")["msg"], "DestinationRule shop/plain & DISABLE")


def test_many_are_summed_up(mesh: Mesh, refused: Refused) -> None:
    mesh.add(*(pod(f"batch-{number}", sidecar=False) for number in range(5)))
    result = refused("mtls")
    assert " and 2 more" in result["msg"]
    assert len(result["details"]["plain_text_clients"]) == 5


def test_permissive_names_them_and_goes_on(mesh: Mesh, run: Run) -> None:
    mesh.add(pod("batch", sidecar=False), service("web", 80, type="NodePort"))
    assert clients(run("mtls", mode="permissive")) == {("shop/batch", "no sidecar"), ("shop/web", OUTSIDE)}


def test_force_goes_on(mesh: Mesh, run: Run) -> None:
    mesh.add(pod("batch", sidecar=False))
    assert run("mtls", force=True)["changed"]


def test_what_is_strict_already_shuts_nobody_out_anew(mesh: Mesh, run: Run) -> None:
    run("mtls")
    mesh.add(pod("batch", sidecar=False))
    assert clients(run("mtls")) == {("shop/batch", "no sidecar")}


@pytest.mark.parametrize("target", [8080, "web"])
def test_a_port_that_stays_permissive_is_open_to_clients_outside(mesh: Mesh, run: Run, target: int | str) -> None:
    outside = service("web", type="NodePort")
    outside["spec"]["ports"] = [{"port": 80, "targetPort": target}]
    mesh.add(outside)
    assert run("mtls", **WEB, ports={8080: "permissive"})["changed"]


def test_who_is_no_client(mesh: Mesh, run: Run) -> None:
    mesh.add(
        *ingress_gateway(),  # speaks mutual TLS
        pod("done", sidecar=False, phase="Succeeded"),
        namespace("apart"),
        pod("apart", namespace="apart", sidecar=False),  # not a namespace of the mesh
        pod("dns", namespace="kube-system", sidecar=False),
        service("batch", type="NodePort"),  # leads to no pod
    )
    result = run("mtls", namespace="istio-system")
    assert result["changed"]
    assert clients(result) == set()


def test_a_namespace_without_sidecars_shuts_nobody_out(mesh: Mesh, run: Run) -> None:
    mesh.add(namespace("plain"), pod("batch", namespace="plain", sidecar=False))
    assert run("mtls", namespace="plain")["plain_text_clients"] == []
