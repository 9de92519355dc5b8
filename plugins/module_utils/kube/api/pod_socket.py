# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A socket to a port of a pod, through the API server's port-forward.

The kubernetes client would open it by itself, but leaves out whom a user acts as, and of a refusal tells a page.
"""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from ..errors import Unreachable

if TYPE_CHECKING:
    from .connection import Connection

_PROTOCOL = "v4.channel.k8s.io"
_TIMEOUT = 30.0
"""Seconds that the API server may take to open it."""


def socket_to(connection: Connection, namespace: str, pod: str, port: int) -> Any:
    """A socket whose other end is the port of the pod. Raises Unreachable where the API server does not open it."""
    import websocket
    from kubernetes.stream.ws_client import PortForward
    from urllib3 import HTTPHeaderDict

    headers = HTTPHeaderDict()
    connection.authorise(headers)
    path = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod)}/portforward?ports={port}"
    try:
        opened = websocket.create_connection(
            # https becomes wss, and http ws.
            f"ws{connection.configuration.host.removeprefix('http')}{path}",
            timeout=_TIMEOUT,
            header=[f"{name}: {value}" for name, value in headers.iteritems()],
            subprotocols=[_PROTOCOL],
            sslopt=_tls(connection.configuration),
            **_proxy(connection),
        )
    except websocket.WebSocketBadStatusException as error:
        raise _unreachable(namespace, pod, port, _said(error)) from error
    except (websocket.WebSocketException, OSError) as error:
        raise _unreachable(namespace, pod, port, " ".join(str(error).split())) from error
    opened.settimeout(None)
    forward: Any = PortForward
    return forward(opened, [port]).socket(port)


def _unreachable(namespace: str, pod: str, port: int, cause: str) -> Unreachable:
    return Unreachable(f"Port {port} of Pod {namespace}/{pod} cannot be reached: {cause.rstrip('.')}.")


def _said(error: Any) -> str:
    """What the API server says instead of opening it: a Status, or whatever stands between."""
    try:
        return str(json.loads(error.resp_body)["message"])
    except (ValueError, TypeError, KeyError):
        return f"the API server answers with status {error.status_code}"


def _tls(configuration: Any) -> dict[str, Any]:
    """How to be sure of the server, and it of us, as the client does it for its requests."""
    options = {
        "cert_reqs": ssl.CERT_REQUIRED if configuration.verify_ssl else ssl.CERT_NONE,
        "ca_certs": configuration.ssl_ca_cert if configuration.verify_ssl else None,
        "certfile": configuration.cert_file,
        "keyfile": configuration.key_file,
        # What was loaded may hold no more than requests need.
        "server_hostname": getattr(configuration, "tls_server_name", None),
        "check_hostname": configuration.verify_ssl and getattr(configuration, "assert_hostname", None) is not False,
    }
    return {name: value for name, value in options.items() if value is not None}


def _proxy(connection: Connection) -> dict[str, Any]:
    if not connection.proxy:
        return {}
    proxy = urlsplit(connection.proxy)
    credentials = (unquote(proxy.username), unquote(proxy.password or "")) if proxy.username else None
    return {"http_proxy_host": proxy.hostname, "http_proxy_port": proxy.port, "http_proxy_auth": credentials}
