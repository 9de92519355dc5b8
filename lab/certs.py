# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's certificates: one authority, a server's certificate, and one identity per component."""

from __future__ import annotations

import base64
import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .files import published, write
from .network import SERVICES, Network
from .paths import Lab

_LIFETIME = datetime.timedelta(days=3650)

# Component: its user and groups as Kubernetes' own roles know them.
_IDENTITIES = {
    "admin": ("admin", "system:masters"),
    "apiserver": ("kube-apiserver", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    "proxy": ("system:kube-proxy", ""),
    "addons": ("lab-addons", "system:masters"),
}


@dataclass(frozen=True)
class _Pair:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def ensure(lab: Lab, network: Network) -> None:
    """Make all keys, certificates and kubeconfigs of a lab once, in its `pki` folder."""
    if lab.pki.exists():
        return
    with published(lab.pki) as folder:
        authority = _issue("lab-ca")
        _save(folder, "ca", authority)
        _save(folder, "service-accounts", _issue("service-accounts"))
        names = ["localhost", lab.node, "kubernetes", "kubernetes.default", "kubernetes.default.svc"]
        addresses = [str(network.node), str(SERVICES[1]), "127.0.0.1"]
        _save(folder, "server", _issue(lab.node, "", authority, names, addresses))
        for name, (user, group) in {**_IDENTITIES, "kubelet": (f"system:node:{lab.node}", "system:nodes")}.items():
            pair = _issue(user, group, authority)
            _save(folder, name, pair)
            write(folder / f"{name}.kubeconfig", _kubeconfig(lab, network, user, authority, pair), 0o600)


_MAY_SIGN = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _issue(
    user: str,
    group: str = "",
    authority: _Pair | None = None,
    names: list[str] | None = None,
    addresses: list[str] | None = None,
) -> _Pair:
    """A key and its certificate, signed by `authority`, or by itself as an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, user)]
    if group:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
    subject = x509.Name(parts)
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.certificate.subject if authority else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
    )
    # Python 3.13 trusts no authority without these: it checks as RFC 5280 says.
    issuer = (authority.key if authority else key).public_key()
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
    if authority is None:
        builder = builder.add_extension(_MAY_SIGN, critical=True)
    if authority:
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    if names or addresses:
        alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names or []]
        alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses or []]
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return _Pair(key, builder.sign(authority.key if authority else key, hashes.SHA256()))


def _save(folder: Path, name: str, pair: _Pair) -> None:
    write(folder / f"{name}.crt", pair.certificate_pem)
    write(folder / f"{name}.key", pair.key_pem, 0o600)


def _kubeconfig(lab: Lab, network: Network, user: str, authority: _Pair, pair: _Pair) -> str:
    """A kubeconfig that carries all it needs, so that it can be copied anywhere."""

    def inline(data: bytes) -> str:
        return base64.b64encode(data).decode()

    cluster = {
        "server": f"https://{network.node}:6443",
        "certificate-authority-data": inline(authority.certificate_pem),
    }
    identity = {
        "client-certificate-data": inline(pair.certificate_pem),
        "client-key-data": inline(pair.key_pem),
    }
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": lab.node, "cluster": cluster}],
            "users": [{"name": user, "user": identity}],
            "contexts": [{"name": lab.node, "context": {"cluster": lab.node, "user": user}}],
            "current-context": lab.node,
        },
        sort_keys=False,
    )
