# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One writer at a time: a Lease that its holder renews, and that is free again soon after a holder was killed."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from .cluster import Cluster
from .errors import ApiError, MeshError, NotReady
from .objects import Kind
from .progress import Progress

NAMESPACE = "default"
"""It exists in every cluster before Istio does, and may be written to where kube-system may not."""

DURATION = 15
"""Seconds after which a holder that no longer renews has lost the lock."""

_LEASE = Kind("coordination.k8s.io/v1", "Lease")


@contextlib.contextmanager
def locked(cluster: Cluster, name: str, *, manager: str, deadline: float, progress: Progress) -> Iterator[None]:
    """Hold the lock `name` for the length of the context; waits for another holder until `deadline`."""
    holder = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    lease = _acquire(cluster, name, holder, manager, deadline, progress)
    stop = threading.Event()
    renewing = threading.Thread(target=_renew, args=(cluster, lease, manager, stop), daemon=True)
    renewing.start()
    try:
        yield
    finally:
        stop.set()
        renewing.join(timeout=2)
        # Deleted, not emptied: a run that fails should leave the cluster without traces.
        with contextlib.suppress(MeshError):
            cluster.delete(_LEASE, name, NAMESPACE, uid=lease["metadata"]["uid"])


def _acquire(
    cluster: Cluster, name: str, holder: str, manager: str, deadline: float, progress: Progress
) -> dict[str, Any]:
    seen: tuple[str, float] | None = None
    while True:
        live = cluster.get(_LEASE, name, NAMESPACE)
        try:
            if live is None:
                return cluster.create(_lease(name, holder), manager=manager)
            # Clocks of two machines differ: what counts is how long the Lease has stood unchanged, watched from here.
            version = live["metadata"]["resourceVersion"]
            if seen is None or seen[0] != version:
                seen = (version, time.monotonic())
            if live["spec"].get("holderIdentity") == holder:
                return live
            if time.monotonic() - seen[1] >= DURATION or _outdated(live):
                metadata = {"resourceVersion": version, "uid": live["metadata"]["uid"]}
                return cluster.replace(_lease(name, holder, **metadata), manager=manager)
        except ApiError as error:
            if error.status not in (404, 409):
                raise
            continue
        other = live["spec"].get("holderIdentity") or "another run"
        if time.monotonic() + 1 > deadline:
            raise NotReady(
                f"Another run ({other}) is changing this cluster; try again when it has ended.", holder=other
            )
        progress(f"waiting for another run ({other}) to end")
        time.sleep(1)


def _outdated(lease: dict[str, Any]) -> bool:
    """Whether the holder has not renewed for so long that no difference of clocks explains it."""
    try:
        renewed = datetime.fromisoformat(lease["spec"]["renewTime"])
    except (KeyError, ValueError):
        return False
    return (datetime.now(UTC) - renewed).total_seconds() > 20 * DURATION


def _renew(cluster: Cluster, lease: dict[str, Any], manager: str, stop: threading.Event) -> None:
    metadata = lease["metadata"]
    while not stop.wait(DURATION / 3):
        with contextlib.suppress(MeshError):
            cluster.merge_patch(
                _LEASE,
                metadata["name"],
                NAMESPACE,
                {"metadata": {"uid": metadata["uid"]}, "spec": {"renewTime": _now()}},
                manager=manager,
            )


def _lease(name: str, holder: str, **metadata: str) -> dict[str, Any]:
    now = _now()
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": NAMESPACE, **metadata},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": DURATION, "acquireTime": now, "renewTime": now},
    }


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
