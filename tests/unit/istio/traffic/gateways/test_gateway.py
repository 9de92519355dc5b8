# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""gateway: what becomes of its options, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, Request, status
from ansible_collections.meshops.istio.tests.support.mesh_api import Mesh, ingress_gateway, secret
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.unit.istio.traffic.conftest import Refused, warnings_of

HTTPS = {"port": 443, "protocol": "https", "hosts": ["shop.example.com"], "tls": {"secret": "shop"}}


@pytest.fixture(autouse=True)
def _gateway(mesh: Mesh) -> None:
    mesh.add(*ingress_gateway())


def mutual(**tls: Any) -> dict[str, Any]:
    return {**HTTPS, "tls": {"secret": "shop", "mode": "mutual", **tls}}


def test_a_port_for_every_host(mesh: Mesh, run: Run) -> None:
    run("gateway", name="gate", servers=[{"port": 80}])
    assert mesh.spec("Gateway", "gate") == {
        "selector": {"istio": "ingressgateway"},
        "servers": [{"port": {"number": 80, "name": "http-80", "protocol": "HTTP"}, "hosts": ["*"]}],
    }


def test_https_with_a_redirect_to_it(mesh: Mesh, run: Run) -> None:
    mesh.add(secret("shop", "tls.crt", "tls.key"))
    tls = {"secret": "shop", "min_version": "1.2", "max_version": "1.3"}
    run("gateway", name="gate", servers=[{"port": 80, "https_redirect": True}, {**HTTPS, "tls": tls}])
    plain, secure = mesh.spec("Gateway", "gate")["servers"]
    assert plain["tls"] == {"httpsRedirect": True}
    assert secure == {
        "port": {"number": 443, "name": "https-443", "protocol": "HTTPS"},
        "hosts": ["shop.example.com"],
        "tls": {
            "mode": "SIMPLE",
            "credentialName": "shop",
            "minProtocolVersion": "TLSV1_2",
            "maxProtocolVersion": "TLSV1_3",
        },
    }


def test_a_port_by_its_number_in_the_pods(mesh: Mesh, run: Run) -> None:
    # As Istio's own bookinfo sample has it.
    assert run("gateway", name="gate", servers=[{"port": 8080}])["changed"]


def test_passing_tls_on_needs_no_secret(mesh: Mesh, run: Run) -> None:
    run("gateway", name="gate", servers=[{"port": 443, "protocol": "tls", "tls": {"mode": "passthrough"}}])
    assert mesh.spec("Gateway", "gate")["servers"][0]["tls"] == {"mode": "PASSTHROUGH"}


@pytest.mark.parametrize("keys", [("tls.crt", "tls.key", "ca.crt"), ("cert", "key", "cacert")])
def test_clients_with_certificates(mesh: Mesh, run: Run, keys: tuple[str, ...]) -> None:
    mesh.add(secret("shop", *keys))
    run("gateway", name="gate", servers=[mutual(subject_alt_names=["client.example.com"])])
    tls = mesh.spec("Gateway", "gate")["servers"][0]["tls"]
    assert (tls["mode"], tls["subjectAltNames"]) == ("MUTUAL", ["client.example.com"])


def test_the_clients_authority_in_a_secret_of_its_own(mesh: Mesh, run: Run) -> None:
    mesh.add(secret("shop", "tls.crt", "tls.key"), secret("shop-cacert", "ca.crt"))
    assert run("gateway", name="gate", servers=[mutual()])["changed"]


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("servers", "words"),
    [
        ([], "needs at least one server"),
        ([{"port": 443, "protocol": "https"}], "servers[0] & https needs tls"),
        ([{"port": 80, "tls": {"secret": "x"}}], "servers[0] & protocol http does not support tls"),
        ([{**HTTPS, "tls": {"mode": "simple"}}], "servers[0].tls & mode simple & set secret"),
        ([{**HTTPS, "tls": {"mode": "passthrough", "secret": "x"}}], "mode passthrough & no Secret"),
        ([{**HTTPS, "https_redirect": True}], "https_redirect & protocol http only"),
        ([{"port": 80}, {"port": 80, "hosts": ["a"]}], "server name 'http-80' & duplicate"),
        ([{"port": 80}, {"port": 80, "name": "again"}], "host '*:80' & duplicate"),
        ([{"port": 80}, {"port": 80, "protocol": "tcp", "hosts": ["a"]}], "port 80 & conflict & HTTP & TCP"),
    ],
)
def test_options_that_make_no_sense(refused: Refused, servers: list[Any], words: str) -> None:
    result = refused("gateway", name="gate", servers=servers)
    assert (result["code"], has_facts(result["msg"], words)) == ("invalid_input", True), result["msg"]


def test_a_port_that_the_gateway_does_not_have(refused: Refused) -> None:
    result = refused("gateway", name="gate", servers=[{"port": 9999}])
    assert result["code"] == "port_missing"
    assert has_facts(result["msg"], "port 9999 & not found & Service istio-system/istio-ingressgateway & 80, 443")


def test_labels_that_no_gateway_has(refused: Refused) -> None:
    result = refused("gateway", name="gate", selector={"istio": "egress"}, servers=[{"port": 80}])
    assert has_facts(result["msg"], "not found & istio=egress & install a gateway & selector")


def test_a_secret_that_does_not_exist(refused: Refused) -> None:
    result = refused("gateway", name="gate", servers=[HTTPS])
    assert result["code"] == "secret_missing"
    assert has_facts(result["msg"], "Secret istio-system/shop & not found & or in any other namespace")


def test_a_secret_in_the_wrong_namespace(mesh: Mesh, refused: Refused) -> None:
    mesh.add(secret("shop", "tls.crt", "tls.key", namespace="shop"))
    result = refused("gateway", name="gate", servers=[HTTPS])
    assert has_facts(result["msg"], "not found & but in namespace shop & create it in namespace istio-system")
    assert result["details"]["found_in"] == ["shop"]


@pytest.mark.parametrize(
    ("keys", "server", "words"),
    [
        (("tls.crt",), HTTPS, "Secret istio-system/shop & tls.crt or tls.key not found"),
        (("password",), HTTPS, "Secret istio-system/shop & tls.crt or tls.key not found"),
        (("tls.crt", "tls.key"), mutual(), "Secret istio-system/shop & ca.crt not found"),
    ],
)
def test_a_secret_that_is_not_enough(
    mesh: Mesh, refused: Refused, keys: tuple[str, ...], server: dict[str, Any], words: str
) -> None:
    mesh.add(secret("shop", *keys))
    result = refused("gateway", name="gate", servers=[server])
    assert (result["code"], has_facts(result["msg"], words)) == ("secret_incomplete", True)
    assert "c2VjcmV0" not in str(result)


def test_who_may_not_read_secrets_is_only_warned(mesh: Mesh, run: Run) -> None:
    def fault(request: Request) -> Answer | None:
        return status(403, "Forbidden", "secrets is forbidden") if "/secrets" in request.path else None

    mesh.fault = fault
    result = run("gateway", name="gate", servers=[HTTPS])
    assert result["changed"]
    assert has_facts(warnings_of(result), "Secret istio-system/shop & not checked & forbidden")
