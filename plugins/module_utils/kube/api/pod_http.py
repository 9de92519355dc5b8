# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send HTTP requests to a port of a pod by port-forward, also if it only listens on the loopback interface."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Iterable, Iterator

from ..errors import Unreachable
from .cluster import Access, Cluster

_TIMEOUT = 10.0
"""Timeout of a request in seconds."""


def asking(namespaces: Iterable[str]) -> Iterator[Access]:
    """Yield the permissions to port-forward to pods of these namespaces; the verb depends on the server's version."""
    for namespace in namespaces:
        for verb in ("get", "create"):
            yield Access(verb, "", "pods", namespace, subresource="portforward")


def ask(cluster: Cluster, namespace: str, pod: str, port: int, path: str) -> str:
    """Send a GET request to a port of a pod; return the answer's text. Raises Unreachable for any status but 200."""
    where = f"Port {port} of Pod {namespace}/{pod}"
    with contextlib.closing(cluster.socket_to(namespace, pod, port)) as opened:
        opened.settimeout(_TIMEOUT)
        connection = http.client.HTTPConnection("localhost")
        connection.sock = opened
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(
                f"{where} cannot be reached: {str(error).rstrip('.') or type(error).__name__}. Check the pod and its log."
            ) from error
    if answer.status != http.client.OK:
        raise Unreachable(f"{where} answered {answer.status} to GET {path}. Check the pod and its log.")
    return text
