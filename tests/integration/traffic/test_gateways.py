# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS at the gateway, with real handshakes."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.integration.traffic.shop import MANAGER, MESH, Shop
from ansible_collections.meshops.istio.tests.integration.traffic.traffic import Door, eventually
from ansible_collections.meshops.istio.tests.support.kube.certificates import make_certificate
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

SECRET = Kind("v1", "Secret")
NAME = "traffic-it-certificate"
HOST = "secure.test"


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for the host, and its key."""
    return make_certificate(tmp_path, HOST)


@pytest.fixture
def client(tmp_path: Path) -> tuple[Path, Path]:
    """A client's certificate, and its key."""
    return make_certificate(tmp_path, "client.test")


@pytest.fixture
def secrets(shop: Shop) -> Iterator[Any]:
    """Puts the certificate's Secret into a namespace."""
    used: list[str] = []

    def put(namespace: str, **files: Path) -> None:
        data = {name.replace("_", "."): base64.b64encode(file.read_bytes()).decode() for name, file in files.items()}
        metadata = {"name": NAME, "namespace": namespace}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
        shop.cluster.apply(secret, manager=MANAGER)
        used.append(namespace)

    yield put
    for namespace in used:
        shop.cluster.delete(SECRET, NAME, namespace)


def serve(run: Run, tls: dict[str, Any], **more: Any) -> dict[str, Any]:
    servers = [
        {"port": 80, "hosts": [HOST], "https_redirect": True},
        {"port": 443, "protocol": "https", "hosts": [HOST], "tls": tls},
    ]
    return run("gateway", name="secure", servers=servers, **more)


def to_hello(run: Run) -> None:
    run("traffic_route", name="secure", hosts=[HOST], gateways=["secure"], http=[{"to": [{"host": "hello"}]}])


def trusting(certificate: Path, *own: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certificate))
    if own:
        context.load_cert_chain(*map(str, own))
    return context


@pytest.mark.step("002.5", "TLS termination, and the redirect to it")
def test_a_certificate_and_the_redirect_to_it(
    run: Run, plain_door: Door, secure_door: Door, secrets: Any, certificate: tuple[Path, Path], seen: Seen
) -> None:
    secrets("istio-system", tls_crt=certificate[0], tls_key=certificate[1])
    serve(run, {"secret": NAME, "min_version": "1.3"})
    to_hello(run)
    door = replace(secure_door, tls=trusting(certificate[0]))
    answer = eventually(lambda: door.ask("/hello", name=HOST), lambda answer: answer.status == 200)
    assert answer.headers["server"] == "istio-envoy"
    moved = plain_door.ask("/hello", name=HOST)
    assert (moved.status, moved.headers["location"]) == (301, f"https://{HOST}/hello")
    older = trusting(certificate[0])
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    assert replace(secure_door, tls=older).ask("/hello", name=HOST).status == 0
    seen(f"TLS 1.3 {answer.status} {answer.headers['server']}, http {moved.status} to https, TLS 1.2 refused")


@pytest.mark.step("002.5", "TLS termination with clients' certificates")
def test_clients_need_a_certificate(
    run: Run, secure_door: Door, secrets: Any, certificate: tuple[Path, Path], client: tuple[Path, Path], seen: Seen
) -> None:
    secrets("istio-system", tls_crt=certificate[0], tls_key=certificate[1], ca_crt=client[0])
    serve(run, {"secret": NAME, "mode": "mutual"})
    to_hello(run)
    known = replace(secure_door, tls=trusting(certificate[0], *client))
    eventually(lambda: known.ask("/hello", name=HOST).status, lambda status: status == 200)
    assert replace(secure_door, tls=trusting(certificate[0])).ask("/hello", name=HOST).status == 0
    seen("with one 200, without refused")


@pytest.mark.step("002.5", "TLS passed on to who ends it")
def test_tls_is_passed_on(run: Run, secure_door: Door, shop: Shop, seen: Seen) -> None:
    # Something that speaks TLS itself is there anyway: the control plane.
    istiod = "istiod.istio-system.svc"
    run(
        "gateway",
        name="secure",
        servers=[{"port": 443, "protocol": "tls", "hosts": [istiod], "tls": {"mode": "passthrough"}}],
    )
    to = [{"host": "istiod.istio-system.svc.cluster.local", "port": 443}]
    tls = [{"match": [{"sni_hosts": [istiod], "port": 443}], "to": to}]
    run("traffic_route", name="secure", hosts=[istiod], gateways=["secure"], tls=tls)
    root = shop.cluster.get(Kind("v1", "ConfigMap"), "istio-ca-root-cert", MESH)
    assert root is not None
    context = ssl.create_default_context(cadata=root["data"]["root-cert.pem"])
    door = replace(secure_door, tls=context)
    eventually(lambda: door.ask("/", name=istiod).status, lambda status: status == 404)
    seen("answered by istiod, with its own certificate")


def test_secrets_and_ports_that_cannot_be_used(
    run: Run, secrets: Any, certificate: tuple[Path, Path], shop: Shop
) -> None:
    assert serve(run, {"secret": NAME}, fails=True)["code"] == "secret_missing"
    secrets(MESH, tls_crt=certificate[0], tls_key=certificate[1])
    elsewhere = serve(run, {"secret": NAME}, fails=True)
    assert elsewhere["details"]["found_in"] == [MESH]
    assert run("gateway", name="secure", servers=[{"port": 9999}], fails=True)["code"] == "port_missing"
