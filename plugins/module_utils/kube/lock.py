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
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from . import fields, threads
from .cluster import Cluster
from .errors import ApiError, MeshError, NotReady
from .objects import Kind
from .progress import Progress

NAMESPACE = "default"
"""It exists in every cluster before Istio does, and may be written to where kube-system may not."""

DURATION = 12.0
"""Seconds after which a holder that no longer renews has lost the lock: with all roundings it is free within 15."""

_PAUSE = 0.5
_LEASE = Kind("coordination.k8s.io/v1", "Lease")


@contextlib.contextmanager
def locked(
    cluster: Cluster, name: str, *, manager: str, deadline: float, progress: Progress
) -> Iterator[Callable[[], None]]:
    """Hold the lock `name` for the length of the context; waits for another holder until `deadline`.

    Gives a function that raises NotReady once another run has taken the lock over, as it may when this one was
    suspended or cut off: to be called before each write.
    """
    holder = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    held = _Held(cluster, _acquire(cluster, name, holder, manager, deadline, progress), manager)
    renewing = threads.start(held.keep, name="renew the lock")
    try:
        yield held.check
    finally:
        held.released.set()
        renewing.join(timeout=2)
        # Deleted, not emptied: a run that fails should leave the cluster without traces.
        with contextlib.suppress(MeshError):
            cluster.delete(_LEASE, name, NAMESPACE, uid=held.uid)


class _Held:
    """A lock that is ours. Who takes it over makes a new Lease, so that the uid tells whose it is."""

    def __init__(self, cluster: Cluster, lease: dict[str, Any], manager: str) -> None:
        self.released = threading.Event()
        self.uid: str = lease["metadata"]["uid"]
        self._name: str = lease["metadata"]["name"]
        self._cluster, self._manager = cluster, manager
        self._renewed = time.monotonic()
        self._lost: NotReady | None = None

    def keep(self) -> None:
        """Renew until it is released or lost."""
        while not self.released.wait(DURATION / 4) and self._lost is None:
            with contextlib.suppress(MeshError):
                self._renew()

    def check(self) -> None:
        """Raise NotReady where another run holds the lock by now."""
        if self._lost is None and time.monotonic() - self._renewed > DURATION:
            self._renew()
        if self._lost is not None:
            raise self._lost

    def _renew(self) -> None:
        begun = time.monotonic()
        body = {"metadata": {"uid": self.uid}, "spec": {"renewTime": _now()}}
        try:
            self._cluster.merge_patch(_LEASE, self._name, NAMESPACE, body, manager=self._manager)
        except ApiError as error:
            if error.status not in (404, 409):
                raise
            # A conflict may be about nothing but the moment: whose it is tells.
            live = self._cluster.get(_LEASE, self._name, NAMESPACE)
            if live is None or live["metadata"]["uid"] != self.uid:
                self._lost = NotReady(
                    "Another run has taken over while this one was cut off from the cluster: run again when it has "
                    "ended.",
                    code="lock_lost",
                )
        else:
            self._renewed = begun


def _acquire(
    cluster: Cluster, name: str, holder: str, manager: str, deadline: float, progress: Progress
) -> dict[str, Any]:
    watched = _Watched()
    while True:
        other = "another run"
        try:
            live = cluster.get(_LEASE, name, NAMESPACE)
            if live is None:
                return cluster.create(_lease(name, holder), manager=manager)
            other = live["spec"].get("holderIdentity") or other
            if other == holder:
                return live  # ours: only the answer to its creation was lost
            if watched.age(live, cluster.now) > DURATION + 1:
                metadata = live["metadata"]
                cluster.delete(
                    _LEASE, name, NAMESPACE, uid=metadata["uid"], resource_version=metadata["resourceVersion"]
                )
                continue
        except ApiError as error:
            if error.status not in (404, 409):
                raise
        if time.monotonic() + _PAUSE > deadline:
            raise NotReady(
                f"Another run ({other}) is changing this cluster; try again when it has ended.",
                code="locked",
                holder=other,
            )
        progress(f"waiting for another run ({other}) to end")
        time.sleep(_PAUSE)


class _Watched:
    """How long ago a Lease was renewed, by the server's clock alone: those of two machines differ."""

    def __init__(self) -> None:
        self._version = ""
        self._since = 0.0

    def age(self, lease: dict[str, Any], now: datetime | None) -> float:
        """Seconds, a second more or less; where the server does not tell, as long as the Lease was watched."""
        if lease["metadata"]["resourceVersion"] != self._version:
            self._version, self._since = lease["metadata"]["resourceVersion"], time.monotonic()
        watched = time.monotonic() - self._since
        # These times are the server's, unlike the renewTime.
        times = [datetime.fromisoformat(entry["time"]) for entry in fields.entries(lease) if entry.get("time")]
        return max(watched, (now - max(times)).total_seconds()) if now and times else watched


def _lease(name: str, holder: str) -> dict[str, Any]:
    now = _now()
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": int(DURATION), "acquireTime": now, "renewTime": now},
    }


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
