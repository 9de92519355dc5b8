# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Open a socket to a port of a pod, by the API server's port-forward.

The kubernetes client's own function ignores impersonation, and reports a refusal as a whole page.
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
"""Timeout for opening in seconds."""


def socket_to(connection: Connection, namespace: str, pod: str, port: int) -> Any:
    """Return a socket to a port of a pod. Raises Unreachable if the API server does not open it."""
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
        raise _unreachable(namespace, pod, port, _message(error)) from error
    except (websocket.WebSocketException, OSError) as error:
        raise _unreachable(namespace, pod, port, " ".join(str(error).split())) from error
    opened.settimeout(None)
    forward: Any = PortForward
    return forward(opened, [port]).socket(port)


def _unreachable(namespace: str, pod: str, port: int, cause: str) -> Unreachable:
    return Unreachable(
        f"Port {port} of Pod {namespace}/{pod} cannot be reached: {cause.rstrip('.')}. Check that the pod is running."
    )


def _message(error: Any) -> str:
    """Return the message of the API server's answer, or of a proxy's."""
    try:
        return str(json.loads(error.resp_body)["message"])
    except (ValueError, TypeError, KeyError):
        return f"the API server answered {error.status_code}"


def _tls(configuration: Any) -> dict[str, Any]:
    """Return the TLS options of the client's configuration."""
    options = {
        "cert_reqs": ssl.CERT_REQUIRED if configuration.verify_ssl else ssl.CERT_NONE,
        "ca_certs": configuration.ssl_ca_cert if configuration.verify_ssl else None,
        "certfile": configuration.cert_file,
        "keyfile": configuration.key_file,
        # Not every configuration has it.
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
