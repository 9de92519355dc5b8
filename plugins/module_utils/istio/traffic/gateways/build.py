# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds a Gateway: the ports and hosts at which a gateway workload takes requests, and their certificates."""

from __future__ import annotations

from typing import Any

from ....kube.errors import InvalidInput
from ..shared.fields import NETWORKING, Object, Options, each, given, make, refuse_repeated, texts

_SECURE = frozenset({"https", "tls"})
_TERMINATING = frozenset({"simple", "mutual", "optional_mutual"})


def build(options: Options) -> list[Object]:
    """The Gateway of `gateway`'s options. Raises InvalidInput for what can be told without a cluster."""
    servers = [_server(server, where) for where, server in each(options, "servers")]
    if not servers:
        raise InvalidInput("A gateway needs at least one server.", option="servers")
    refuse_repeated((server["port"]["name"] for server in servers), "server name")
    _refuse_contradictions(servers)
    spec = given(selector=texts(options["selector"]), servers=servers)
    return [make(NETWORKING, "Gateway", options["namespace"], options["name"], spec)]


def _server(server: Options, where: str) -> dict[str, Any]:
    protocol, number = server["protocol"], server["port"]
    tls, redirect = server.get("tls") or {}, server.get("https_redirect")
    if protocol in _SECURE and not tls:
        raise InvalidInput(f"{where}: {protocol.upper()} needs tls, its mode and Secret.", option=where)
    if tls and protocol not in _SECURE:
        raise InvalidInput(f"{where}: tls goes with the protocols https and tls, not {protocol}.", option=where)
    if redirect and protocol != "http":
        raise InvalidInput(f"{where}: only requests of protocol http can be redirected to HTTPS.", option=where)
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
        raise InvalidInput(f"{where}: the mode {mode} needs secret, the certificate's.", option=where)
    if mode not in _TERMINATING and secret:
        raise InvalidInput(f"{where}: the mode {mode} uses no Secret, since TLS does not end there.", option=where)
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
    """One port speaks one protocol, and knows each host once."""
    protocols: dict[int, str] = {}
    for server in servers:
        number, protocol = server["port"]["number"], server["port"]["protocol"]
        known = protocols.setdefault(number, protocol)
        # A port may end TLS for some hosts (HTTPS) and pass it on for others (TLS).
        if known != protocol and not {known.lower(), protocol.lower()} <= _SECURE:
            raise InvalidInput(f"Port {number} is given as {known} and as {protocol}; use two ports.", port=number)
    refuse_repeated((f"{host}:{server['port']['number']}" for server in servers for host in server["hosts"]), "host")
