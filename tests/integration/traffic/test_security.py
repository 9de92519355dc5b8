# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mutual TLS, access control and egress, seen in what real clients get."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.integration.traffic.shop import MANAGER, MESH, PLAIN, Shop
from ansible_collections.meshops.istio.tests.integration.traffic.traffic import Door, eventually
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

HELLO = f"http://hello.{MESH}/hello"


def status(shop: Shop, namespace: str, url: str = HELLO, *options: str) -> int:
    return shop.ask_from(namespace, url, *options).status


# --- mutual TLS ----------------------------------------------------------------------------------------------------


@pytest.mark.step("002.5", "mutual TLS for a namespace")
def test_strict_resets_plain_text_and_lets_the_mesh_in(run: Run, shop: Shop, seen: Seen) -> None:
    assert (status(shop, MESH), status(shop, PLAIN)) == (200, 200)
    result = run("mtls")
    assert result["plain_text_clients"] == []
    eventually(lambda: status(shop, PLAIN), lambda found: found == 0)
    assert "reset" in shop.ask_from(PLAIN, HELLO).text
    assert status(shop, MESH) == 200
    run("mtls", mode="permissive")
    eventually(lambda: status(shop, PLAIN), lambda found: found == 200)
    seen("plain text reset, the mesh 200", "stand-in for helloworld")


def test_strict_for_one_workload_but_for_one_of_its_ports(run: Run, shop: Shop) -> None:
    httpbin = f"http://httpbin.{MESH}:8000/get"
    hello = {"name": "hello", "selector": {"app": "hello"}}
    run("mtls", **hello)
    eventually(lambda: status(shop, PLAIN), lambda found: found == 0)
    assert status(shop, PLAIN, httpbin) == 200
    run("mtls", **hello, ports={"5000": "permissive"})
    eventually(lambda: status(shop, PLAIN), lambda found: found == 200)


@pytest.fixture
def node_port(shop: Shop) -> Iterator[None]:
    """A Service by which clients outside of the cluster reach the workload directly."""
    spec = {"type": "NodePort", "selector": {"app": "hello"}, "ports": [{"port": 80, "targetPort": 5000}]}
    metadata = {"name": "hello-direct", "namespace": MESH}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
    shop.cluster.apply(service, manager=MANAGER)
    yield
    shop.cluster.delete(Kind("v1", "Service"), "hello-direct", MESH)


@pytest.mark.usefixtures("node_port")
def test_plain_text_clients_are_named_before_strict_is_set(run: Run, shop: Shop) -> None:
    result = run("mtls", fails=True)
    assert result["code"] == "plain_text_clients"
    assert f"Service {MESH}/hello-direct (NodePort" in result["msg"]
    assert status(shop, PLAIN) == 200
    assert run("mtls", force=True)["changed"]


# --- access --------------------------------------------------------------------------------------------------------


@pytest.mark.step("002.5", "access control by what is asked for")
def test_a_path_is_denied(run: Run, shop: Shop, seen: Seen) -> None:
    rules = [{"to": [{"paths": ["/status/*"]}]}]
    run("authorization", name="no-status", selector={"app": "httpbin"}, action="deny", rules=rules)
    url = f"http://httpbin.{MESH}:8000"
    denied = eventually(lambda: shop.ask_from(MESH, f"{url}/status/200"), lambda answer: answer.status == 403)
    assert denied.text == "RBAC: access denied"
    assert status(shop, MESH, f"{url}/get") == 200
    seen(f"/status/200 {denied.status} {denied.text}, /get 200", "stand-in for httpbin")


@pytest.mark.step("002.5", "access control by who asks")
def test_only_whom_a_policy_names_is_allowed(run: Run, shop: Shop, seen: Seen) -> None:
    account = f"cluster.local/ns/{MESH}/sa/default"
    rules = [{"from": [{"principals": [account]}]}]
    run("authorization", name="own", selector={"app": "hello"}, rules=rules)
    eventually(lambda: status(shop, PLAIN), lambda found: found == 403)
    assert status(shop, MESH) == 200
    run("authorization", name="own", selector={"app": "hello"}, rules=[])
    eventually(lambda: status(shop, MESH), lambda found: found == 403)
    seen("another namespace 403, its own 200; with no rule 403", "stand-in for helloworld")


class Issuer:
    """Issues tokens, signed with a key of its own."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def keys(self) -> str:
        """The public key, as a JSON Web Key Set."""
        numbers = self._key.public_key().public_numbers()
        key = {"kty": "RSA", "kid": "one", "alg": "RS256", "n": _number(numbers.n), "e": _number(numbers.e)}
        return json.dumps({"keys": [key]})

    def token(self) -> str:
        """A token that holds for an hour."""
        claims = {"iss": "tests", "sub": "somebody", "exp": int(time.time()) + 3600}
        text = ".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "one"}, claims))
        signature = self._key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{_encoded(signature)}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value: int) -> str:
    return _encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


@pytest.mark.step("002.5", "end-to-end authentication by token")
def test_a_token_is_asked_for_and_checked(run: Run, shop: Shop, seen: Seen) -> None:
    issuer, other = Issuer(), Issuer()
    jwt = [{"issuer": "tests", "jwks": issuer.keys}]
    run("authorization", name="tokens", selector={"app": "hello"}, jwt=jwt)

    def with_token(token: str) -> set[int]:
        # Both of its pods are asked, which hear of the rule at times of their own.
        return {status(shop, MESH, HELLO, "-H", f"Authorization: Bearer {token}") for _time in range(6)}

    eventually(lambda: status(shop, MESH), lambda found: found == 403)
    eventually(lambda: with_token(other.token()), lambda found: found == {401})
    assert with_token(issuer.token()) == {200}
    seen("without 403, with one 200, with another issuer's 401", "stand-in for helloworld")


def test_a_gateway_denies_a_host(run: Run, gate: Door, shop: Shop) -> None:
    run("traffic_route", name="hello", hosts=["hello.test"], gateways=["gate"], http=[{"to": [{"host": "hello"}]}])
    eventually(lambda: gate.ask("/hello").status, lambda found: found == 200)
    deny: dict[str, Any] = {"name": "traffic-it", "namespace": "istio-system"}
    rules = [{"to": [{"hosts": ["hello.test"]}]}]
    try:
        run("authorization", **deny, selector={"istio": "ingressgateway"}, action="deny", rules=rules)
        eventually(lambda: gate.ask("/hello").status, lambda found: found == 403)
    finally:
        run("authorization", **deny, state="absent")
    eventually(lambda: gate.ask("/hello").status, lambda found: found == 200)


# --- egress --------------------------------------------------------------------------------------------------------


@pytest.mark.step("002.5", "egress control")
def test_a_namespace_reaches_only_what_it_names(run: Run, shop: Shop, seen: Seen) -> None:
    address = shop.pod("app=outside", PLAIN)["status"]["podIP"]
    url = f"http://{address}:8080/get"
    assert status(shop, MESH, url) == 200
    run("egress", name="only", outbound="registry_only")
    eventually(lambda: status(shop, MESH, url), lambda found: found in (0, 502))
    named: dict[str, Any] = {
        "hosts": ["outside.test"],
        "ports": [{"number": 8080, "protocol": "http"}],
        "resolution": "static",
        "endpoints": [{"address": address}],
    }
    run("egress", name="outside", **named)
    asked = ("-H", "Host: outside.test")
    eventually(lambda: status(shop, MESH, url, *asked), lambda found: found == 200)
    assert status(shop, MESH, url) in (0, 502)
    assert run("egress", name="twice", **named, fails=True)["code"] == "host_taken"
    seen("what is not named 502, what is named 200", "stand-in for httpbin")
