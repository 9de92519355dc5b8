# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build a Gateway: the ports and hosts of a gateway workload, and their certificates."""

from __future__ import annotations

from typing import Any

from ....kube.errors import InvalidInput
from ....kube.objects.objects import Object
from ..shared.fields import NETWORKING, Options, each, given, make, refuse_repeated, texts

_SECURE = frozenset({"https", "tls"})
_TERMINATING = frozenset({"simple", "mutual", "optional_mutual"})


def build(options: Options) -> list[Object]:
    """Build the Gateway from the options of `gateway`. Raises InvalidInput."""
    servers = [_server(server, where) for where, server in each(options, "servers")]
    if not servers:
        raise InvalidInput("The gateway is empty: it needs at least one server. Set servers.", option="servers")
    refuse_repeated((server["port"]["name"] for server in servers), "server name")
    _refuse_contradictions(servers)
    spec = given(selector=texts(options["selector"]), servers=servers)
    return [make(NETWORKING, "Gateway", options["namespace"], options["name"], spec)]


def _server(server: Options, where: str) -> dict[str, Any]:
    protocol, number = server["protocol"], server["port"]
    tls, redirect = server.get("tls") or {}, server.get("https_redirect")
    if protocol in _SECURE and not tls:
        raise InvalidInput(
            f"{where} is invalid: protocol {protocol} needs tls. Set tls.mode and tls.secret.", option=where
        )
    if tls and protocol not in _SECURE:
        raise InvalidInput(
            f"{where} is invalid: protocol {protocol} does not support tls. Use the protocol https or tls, or remove tls.",
            option=where,
        )
    if redirect and protocol != "http":
        raise InvalidInput(
            f"{where} is invalid: https_redirect is for protocol http only. Remove https_redirect.", option=where
        )
    return given(
        port={"number": number, "name": server.get("name") or f"{protocol}-{number}", "protocol": protocol.upper()},
        hosts=server.get("hosts") or ["*"],
        tls={"httpsRedirect": True} if redirect else _tls(tls, f"{where}.tls"),
    )


def _tls(tls: Options, where: str) -> dict[str, Any]:
    mode, secret, versions = tls.get("mode") or "simple", tls.get("secret"), ("min_version", "max_version")
    if not tls:
        return {}
    if mode in _TERMINATING and not secret:
        raise InvalidInput(
            f"{where} is invalid: mode {mode} needs a certificate. Set secret to the name of its Secret.", option=where
        )
    if mode not in _TERMINATING and secret:
        raise InvalidInput(
            f"{where} is invalid: mode {mode} does not terminate TLS, so that it uses no Secret. Remove secret.",
            option=where,
        )
    lowest, highest = (f"TLSV{tls[one].replace('.', '_')}" if tls.get(one) else None for one in versions)
    return given(
        mode=mode.upper(),
        credentialName=secret,
        minProtocolVersion=lowest,
        maxProtocolVersion=highest,
        subjectAltNames=tls.get("subject_alt_names"),
        cipherSuites=tls.get("cipher_suites"),
    )


def _refuse_contradictions(servers: list[dict[str, Any]]) -> None:
    """Refuse servers with different protocols or the same host at one port."""
    protocols: dict[int, str] = {}
    for server in servers:
        number, protocol = server["port"]["number"], server["port"]["protocol"]
        known = protocols.setdefault(number, protocol)
        # A port may terminate TLS for some hosts (HTTPS) and pass it through for others (TLS).
        if known != protocol and not {known.lower(), protocol.lower()} <= _SECURE:
            raise InvalidInput(
                f"Port {number} of servers has conflicting protocols, {known} and {protocol}. Use two ports.",
                port=number,
            )
    refuse_repeated((f"{host}:{server['port']['number']}" for server in servers for host in server["hosts"]), "host")
