# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Questions to a pod's own ports, asked as if from inside of it: many programs answer nobody else."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Iterable, Iterator

from ..errors import Unreachable
from .cluster import Access, Cluster

_TIMEOUT = 10.0
"""Seconds that a pod may take for an answer."""


def asking(namespaces: Iterable[str]) -> Iterator[Access]:
    """What asking pods of these namespaces needs: the verb depends on the server's version."""
    for namespace in namespaces:
        for verb in ("get", "create"):
            yield Access(verb, "", "pods", namespace, subresource="portforward")


def ask(cluster: Cluster, namespace: str, pod: str, port: int, path: str) -> str:
    """What a pod answers to an HTTP request at one of its ports. Raises Unreachable where it does not, with 200."""
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
            raise Unreachable(f"{where} does not answer: {str(error).rstrip('.') or type(error).__name__}.") from error
    if answer.status != http.client.OK:
        raise Unreachable(f"{where} answers {path} with status {answer.status}.")
    return text
