# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificates of a lab fit together, and its kubeconfig carries all that it needs."""

from __future__ import annotations

import base64
import contextlib
import ssl
from ipaddress import IPv4Address, IPv4Network

import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import NameOID

from lab import certs
from lab.network import Network
from lab.paths import Lab

ADDRESSES = Network(IPv4Network("10.250.7.0/24"))


def test_the_kubeconfig_can_be_copied_anywhere(lab: Lab) -> None:
    certs.ensure(lab, ADDRESSES)
    path = lab.pki / "admin.kubeconfig"
    assert path.stat().st_mode & 0o777 == 0o600
    document = yaml.safe_load(path.read_text())
    (cluster,), (user,) = document["clusters"], document["users"]
    assert cluster["cluster"]["server"] == "https://10.250.7.2:6443"
    certificate = x509.load_pem_x509_certificate(base64.b64decode(user["user"]["client-certificate-data"]))
    authority = x509.load_pem_x509_certificate(base64.b64decode(cluster["cluster"]["certificate-authority-data"]))
    certificate.verify_directly_issued_by(authority)
    assert b"PRIVATE KEY" in base64.b64decode(user["user"]["client-key-data"])
    assert document["current-context"] == "lab-mine"


def test_the_server_is_known_by_its_addresses_and_names(lab: Lab) -> None:
    certs.ensure(lab, ADDRESSES)
    server = x509.load_pem_x509_certificate((lab.pki / "server.crt").read_bytes())
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {IPv4Address("10.250.7.2"), IPv4Address("10.96.0.1"), IPv4Address("127.0.0.1")} == set(
        names.get_values_for_type(x509.IPAddress)
    )
    assert "kubernetes.default.svc" in names.get_values_for_type(x509.DNSName)


def test_the_server_is_trusted_by_the_strict_rules_of_newer_pythons(lab: Lab) -> None:
    certs.ensure(lab, ADDRESSES)
    theirs, ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    theirs.load_cert_chain(lab.pki / "server.crt", lab.pki / "server.key")
    ours.load_verify_locations(lab.pki / "ca.crt")
    ours.verify_flags |= ssl.VERIFY_X509_STRICT
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ours.wrap_bio(to_client, to_server, server_hostname="10.250.7.2")
    server = theirs.wrap_bio(to_server, to_client, server_side=True)
    for _flight in range(3):
        for side in (client, server):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    assert client.getpeercert()


@pytest.mark.parametrize(
    ("name", "user", "group"),
    [
        ("kubelet", "system:node:lab-mine", "system:nodes"),
        ("scheduler", "system:kube-scheduler", ""),
        ("admin", "admin", "system:masters"),
    ],
)
def test_components_are_who_kubernetes_takes_them_for(lab: Lab, name: str, user: str, group: str) -> None:
    certs.ensure(lab, ADDRESSES)
    subject = x509.load_pem_x509_certificate((lab.pki / f"{name}.crt").read_bytes()).subject
    assert [part.value for part in subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == [user]
    assert [part.value for part in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)] == (
        [group] if group else []
    )


def test_keys_are_made_once_and_private(lab: Lab) -> None:
    certs.ensure(lab, ADDRESSES)
    before = {path: path.read_bytes() for path in lab.pki.iterdir()}
    certs.ensure(lab, ADDRESSES)
    assert {path: path.read_bytes() for path in lab.pki.iterdir()} == before
    assert all(path.stat().st_mode & 0o077 == 0 for path in lab.pki.glob("*.key"))
