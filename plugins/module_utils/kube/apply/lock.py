# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One writer at a time: a Lease that its holder renews, and that is free again soon after a holder was killed.

The lock fences: while it is held every attempt of the cluster to write, retries included, asks first whether it still
is. Between that and the arrival of a request there is no telling; therefore updates and deletions name the version of
the object that they are for (see apply.py), which a late one does not find any more. Creations cannot name one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from .. import threads
from ..api.cluster import Access, Cluster
from ..errors import ApiError, MeshError, NotReady
from ..objects import managed_fields
from ..objects.kinds import LEASE, NAMESPACE
from ..progress import Progress

DEFAULT_NAMESPACE = "default"
"""It exists in every cluster before Istio does, and may be written to where kube-system may not."""

DURATION = 12.0
"""Seconds after which a holder that no longer renews has lost the lock: with all roundings it is free within 15."""

RELEASE = 5.0
"""Seconds that giving the lock back may take; it frees itself otherwise."""

RELEASE_INTERRUPTED = 0.7
"""The same for a run that is interrupted, which has to end within 2 s."""

LONGEST_NAME = 63

_PAUSE = 0.5
_VERBS = ("get", "create", "patch", "delete")


class Lock(NamedTuple):
    """The name of a Lease, and the namespace that it belongs into where that exists, so that its users need no rights
    elsewhere; in `default` otherwise."""

    name: str
    namespace: str = DEFAULT_NAMESPACE

    @classmethod
    def of(cls, *parts: str, namespace: str = DEFAULT_NAMESPACE) -> Lock:
        """The lock of what `parts` name together; a hash keeps names apart that are too long or no DNS labels."""
        plain = "-".join(parts)
        name = re.sub(r"[^a-z0-9]+", "-", f"meshops-istio-{plain}".lower()).strip("-")
        if name != f"meshops-istio-{plain}" or len(name) > LONGEST_NAME:
            digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:10]
            name = f"{name[: LONGEST_NAME - len(digest) - 1].rstrip('-')}-{digest}"
        return cls(name, namespace)

    @property
    def access(self) -> list[Access]:
        """What taking it asks of the user, beside a look at the namespace."""
        return [Access(verb, LEASE.group, "leases", self.namespace) for verb in _VERBS]


def placed(cluster: Cluster, lock: Lock) -> Lock:
    """The lock where it can be now: in `default` while its namespace does not exist, or is being deleted."""
    if lock.namespace == DEFAULT_NAMESPACE:
        return lock
    try:
        found = cluster.get(NAMESPACE, lock.namespace)
    except ApiError as error:
        if error.status != 403:
            raise
        return lock  # who may not look at namespaces does not create one either
    there = found is not None and not found["metadata"].get("deletionTimestamp")
    return lock if there else lock._replace(namespace=DEFAULT_NAMESPACE)


@contextlib.contextmanager
def locked(cluster: Cluster, lock: Lock, *, manager: str, deadline: float, progress: Progress) -> Iterator[None]:
    """Hold `lock` for the length of the context, and fence the cluster's writes with it.

    Waits for another holder until `deadline`. Once another run has taken the lock over, as it may when this one was
    suspended or cut off, each write raises NotReady.
    """
    holder = f"{socket.gethostname()}-{os.getpid()}-{os.urandom(4).hex()}"
    held = _acquired(cluster, lock, holder, manager, deadline, progress)
    threads.start(held.keep, name="renew the lock")
    outer, cluster.fence = cluster.fence, held.check
    patience = RELEASE
    try:
        yield
    except Exception:
        cluster.fence = outer
        raise
    except BaseException:
        # The fence stays, closed: threads that still write must not outlive the lock.
        patience = RELEASE_INTERRUPTED
        raise
    else:
        cluster.fence = outer
    finally:
        held.release(patience)


def _acquired(cluster: Cluster, lock: Lock, holder: str, manager: str, deadline: float, progress: Progress) -> _Held:
    """The lock, in the one place where every run that starts now would look for it."""
    while True:
        place = placed(cluster, lock)
        waiting = _Waiting(cluster, place, deadline, progress)
        lease, begun = waiting.acquire(holder, manager)
        held = _Held(cluster, place, lease, begun, manager)
        try:
            if place == lock and lock.namespace != DEFAULT_NAMESPACE:
                # A run that began before the namespace was there has its lock in `default`.
                _Waiting(cluster, lock._replace(namespace=DEFAULT_NAMESPACE), deadline, progress).until_free()
            if placed(cluster, lock) == place:
                return held
        except BaseException as error:
            held.release(RELEASE if isinstance(error, Exception) else RELEASE_INTERRUPTED)
            raise
        held.release(RELEASE)


class _Held:
    """A lock that is ours. Who takes it over makes a new Lease, so that the uid tells whose it is.

    `begun` is when it was asked for: a run may be suspended before it has read the answer.
    """

    def __init__(self, cluster: Cluster, lock: Lock, lease: dict[str, Any], begun: float, manager: str) -> None:
        self._cluster, self._lock, self._manager = cluster, lock, manager
        self._uid: str = lease["metadata"]["uid"]
        # Renewals are not fenced, and those beside the work give up early enough for the next one.
        self._asking, self._keeping = cluster.aside(), cluster.aside()
        self._keeping.patience = DURATION / 4
        self._renewed = begun
        self._renewing = threading.Lock()
        self._released = threading.Event()
        self._lost: NotReady | None = None

    def keep(self) -> None:
        """Renew until it is released or lost."""
        while not self._released.wait(DURATION / 4) and self._lost is None:
            with contextlib.suppress(MeshError):
                self._renew(self._keeping)

    def check(self) -> None:
        """Raise NotReady where another run may hold the lock by now. Good for half of the time that it lasts."""
        if _clock() - self._renewed > DURATION / 2:
            with self._renewing:
                if self._lost is None and _clock() - self._renewed > DURATION / 2:
                    self._asking.deadline = self._cluster.deadline
                    self._renew(self._asking)
        if self._lost is not None:
            raise self._lost
        if self._released.is_set():
            raise NotReady("The run has ended, and writes nothing any more.", code="lock_lost")

    def release(self, patience: float) -> None:
        """Give it back; nothing is written under it any more."""
        self._released.set()
        self._asking.deadline = time.monotonic() + patience
        # Deleted, not emptied: a run that fails should leave the cluster without traces.
        with contextlib.suppress(MeshError):
            self._asking.delete(LEASE, self._lock.name, self._lock.namespace, uid=self._uid)

    def _renew(self, cluster: Cluster) -> None:
        begun = _clock()
        body = {"metadata": {"uid": self._uid}, "spec": {"renewTime": _now()}}
        try:
            cluster.merge_patch(LEASE, self._lock.name, self._lock.namespace, body, manager=self._manager)
        except ApiError as error:
            if error.status not in (404, 409):
                raise
            # A conflict may be about nothing but the moment: whose it is tells.
            live = cluster.get(LEASE, self._lock.name, self._lock.namespace)
            if live is None or live["metadata"]["uid"] != self._uid:
                self._lost = NotReady(
                    "Another run has taken over while this one was cut off from the cluster: run again when it has "
                    "ended.",
                    code="lock_lost",
                )
        else:
            self._renewed = begun


class _Waiting:
    """Waits for another holder of a lock, and takes it from one that no longer renews it."""

    def __init__(self, cluster: Cluster, lock: Lock, deadline: float, progress: Progress) -> None:
        self._cluster, self._lock = cluster.aside(), lock
        self._cluster.deadline = self._deadline = deadline
        self._progress = progress
        self._watched = _Watched()

    def acquire(self, holder: str, manager: str) -> tuple[dict[str, Any], float]:
        """The Lease, ours, and when it was asked for."""
        while True:
            begun = _clock()
            try:
                live = self._read()
                if live is None:
                    live = self._cluster.create(_lease(self._lock, holder), manager=manager)
                # Ours, even where only the answer to its creation was lost.
                if live["spec"].get("holderIdentity") == holder:
                    return live, begun
                if self._expired(live):
                    metadata = live["metadata"]
                    guards = {"uid": metadata["uid"], "resource_version": metadata["resourceVersion"]}
                    self._cluster.delete(LEASE, self._lock.name, self._lock.namespace, **guards)
                    continue
            except ApiError as error:
                if error.status not in (404, 409):
                    raise
                live = None
            self._wait(live)

    def until_free(self) -> None:
        """Wait until nobody holds it; who may not read it takes it for free."""
        while True:
            try:
                live = self._read()
            except ApiError as error:
                if error.status != 403:
                    raise
                return
            if live is None or self._expired(live):
                return
            self._wait(live)

    def _read(self) -> dict[str, Any] | None:
        return self._cluster.get(LEASE, self._lock.name, self._lock.namespace)

    def _expired(self, live: dict[str, Any]) -> bool:
        return self._watched.age(live, self._cluster.now) > DURATION + 1

    def _wait(self, live: dict[str, Any] | None) -> None:
        other = (live or {}).get("spec", {}).get("holderIdentity") or "another run"
        if time.monotonic() + _PAUSE > self._deadline:
            raise NotReady(
                f"Another run ({other}) is changing this cluster; try again when it has ended.",
                code="locked",
                holder=other,
            )
        self._progress(f"waiting for another run ({other}) to end")
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
        times = [datetime.fromisoformat(entry["time"]) for entry in managed_fields.entries(lease) if entry.get("time")]
        return max(watched, (now - max(times)).total_seconds()) if now and times else watched


def _lease(lock: Lock, holder: str) -> dict[str, Any]:
    now = _now()
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": lock.name, "namespace": lock.namespace},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": int(DURATION), "acquireTime": now, "renewTime": now},
    }


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _clock() -> float:
    """Seconds, those of a machine that was suspended included, where the system counts them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
