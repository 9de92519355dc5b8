# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Forward a local port to a Service of the cluster, through the API server."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Iterator, Mapping
from typing import Any

from .. import threads
from ..errors import InvalidInput, MeshError, NotReady
from ..objects.conditions import is_ready
from ..objects.kinds import POD
from ..progress import Progress
from .cluster import Cluster

_CHUNK = 1 << 16


@contextlib.contextmanager
def forwarded(
    cluster: Cluster, service: Mapping[str, Any], port: int, *, address: str, local_port: int, progress: Progress
) -> Iterator[int]:
    """Forward `address`:`local_port` (0: any free port) to a port of a Service, within the context.

    Yields the local port. Each connection goes to a ready pod. Raises NotReady if there is none at first, and
    InvalidInput if the local port cannot be used.
    """
    backend(cluster, service, port)
    with _listening(address, local_port) as listener:
        threads.start(_serve, cluster, service, port, listener, progress)
        yield int(listener.getsockname()[1])


def backend(cluster: Cluster, service: Mapping[str, Any], port: int) -> tuple[str, int]:
    """Return the name of a ready pod of a Service, and its port. Raises NotReady if there is none."""
    namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
    selector = ",".join(f"{key}={value}" for key, value in (service["spec"].get("selector") or {}).items())
    pods = cluster.list(POD, namespace, label_selector=selector) if selector else []
    ready = [pod for pod in pods if is_ready(pod) and not pod["metadata"].get("deletionTimestamp")]
    if not ready:
        raise NotReady(
            f"Cannot connect to Service {namespace}/{name}: no ready Pod found. Wait until one is ready, or check its pods."
        )
    target = next(
        (one.get("targetPort", port) for one in service["spec"].get("ports") or () if one["port"] == port), port
    )
    pod = ready[0]["metadata"]["name"]
    number = int(target) if isinstance(target, (int, float)) else _named(ready[0], target)
    if number is None:
        raise NotReady(
            f"Cannot connect to port {port} of Service {namespace}/{name}: its target port '{target}' was not found in Pod"
            f" {namespace}/{pod}. Correct the targetPort."
        )
    return pod, number


def _named(pod: Mapping[str, Any], name: str) -> int | None:
    ports = [one for container in pod["spec"].get("containers") or () for one in container.get("ports") or ()]
    return next((int(one["containerPort"]) for one in ports if one.get("name") == name), None)


def _listening(address: str, port: int) -> socket.socket:
    try:
        return socket.create_server((address, port))
    except (OSError, OverflowError) as error:
        raise InvalidInput(
            f"Cannot listen on port {port} of {address} on this machine: {error}. Choose another port.", port=port
        ) from error


def _serve(
    cluster: Cluster, service: Mapping[str, Any], port: int, listener: socket.socket, progress: Progress
) -> None:
    with contextlib.suppress(OSError):  # closed when the context exits
        while True:
            client, _from = listener.accept()
            threads.start(_connect, cluster, service, port, client, progress)


def _connect(
    cluster: Cluster, service: Mapping[str, Any], port: int, client: socket.socket, progress: Progress
) -> None:
    with client:
        try:
            pod, target = backend(cluster, service, port)
            server = cluster.socket_to(service["metadata"]["namespace"], pod, target)
        except MeshError as error:
            progress(error.message)
            return
        with contextlib.closing(server), contextlib.suppress(OSError):
            _pump(client, server)


def _pump(one: Any, other: Any) -> None:
    """Copy data in both directions until one side closes."""
    ways = {one: other, other: one}
    while ways:
        for source in select.select(list(ways), [], [])[0]:
            data = source.recv(_CHUNK)
            if data:
                ways[source].sendall(data)
            else:
                return
