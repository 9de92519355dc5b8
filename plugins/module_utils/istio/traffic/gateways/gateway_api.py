# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build a Gateway of the Kubernetes Gateway API, for which Istio creates a Deployment and a Service."""

from __future__ import annotations

from typing import Any

from ....kube.errors import InvalidInput
from ....kube.objects.objects import Object
from ..shared.fields import GATEWAY_API, Options, each, given, make
from . import build as gateway

_PROTOCOLS = {"HTTP2": "HTTP", "GRPC": "HTTP"}
_UNSUPPORTED = ("min_version", "max_version", "subject_alt_names")
_OPTION = "gateway.istio.io/"
_SERVICE_TYPE = "networking.istio.io/service-type"


def build(options: Options) -> list[Object]:
    """Build the Gateway from the options of `gateway`, and an HTTPRoute for redirects. Raises InvalidInput."""
    name, namespace = options["name"], options["namespace"]
    (plain,) = gateway.build(options)
    for where, server in each(options, "servers"):
        for setting in _UNSUPPORTED:
            if (server.get("tls") or {}).get(setting):
                raise InvalidInput(
                    f"{where}.tls.{setting} is not supported by the Kubernetes Gateway API. Set api to istio, or remove it."
                )
    listeners = [listener for server in plain["spec"]["servers"] for listener in _listeners(server, namespace)]
    spec = {"gatewayClassName": options["gateway_class"], "listeners": listeners}
    made = make(GATEWAY_API, "Gateway", namespace, name, spec)
    if options.get("service_type"):
        made["metadata"]["annotations"] = {_SERVICE_TYPE: options["service_type"]}
    redirected = [
        listener["name"]
        for server in plain["spec"]["servers"]
        if (server.get("tls") or {}).get("httpsRedirect")
        for listener in _listeners(server, namespace)
    ]
    return [made, *_redirect(name, namespace, redirected)]


def _listeners(server: Options, namespace: str) -> list[dict[str, Any]]:
    """Build a listener for each of the server's hosts."""
    port, hosts, tls = server["port"], server["hosts"], server.get("tls") or {}
    listeners = []
    for number, host in enumerate(hosts, start=1):
        scope, _slash, hostname = host.rpartition("/")
        listeners.append(
            given(
                name=port["name"] if len(hosts) == 1 else f"{port['name']}-{number}",
                port=port["number"],
                protocol=_PROTOCOLS.get(port["protocol"], port["protocol"]),
                hostname=None if hostname == "*" else hostname,
                tls=_tls(tls),
                allowedRoutes={"namespaces": _allowed(scope, namespace)},
            )
        )
    return listeners


def _tls(tls: Options) -> dict[str, Any]:
    mode = tls.get("mode")
    if mode is None:
        return {}
    if mode == "PASSTHROUGH":
        return {"mode": "Passthrough"}
    options = {f"{_OPTION}tls-terminate-mode": mode} if mode != "SIMPLE" else {}
    if tls.get("cipherSuites"):
        options[f"{_OPTION}tls-cipher-suites"] = ",".join(tls["cipherSuites"])
    return given(mode="Terminate", certificateRefs=[{"name": tls["credentialName"]}], options=options)


def _allowed(scope: str, namespace: str) -> dict[str, Any]:
    """Return the namespaces whose routes may use a host; by default all, as with Istio's Gateway."""
    if scope in ("", "*"):
        return {"from": "All"}
    if scope in (".", namespace):
        return {"from": "Same"}
    return {"from": "Selector", "selector": {"matchLabels": {"kubernetes.io/metadata.name": scope}}}


def _redirect(name: str, namespace: str, listeners: list[str]) -> list[Object]:
    if not listeners:
        return []
    to_https = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}
    spec = {
        "parentRefs": [{"name": name, "sectionName": listener} for listener in listeners],
        "rules": [{"filters": [to_https]}],
    }
    return [make(GATEWAY_API, "HTTPRoute", namespace, f"{name}-https-redirect", spec)]
