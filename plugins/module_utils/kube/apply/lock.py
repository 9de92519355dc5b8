# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Allow one writer at a time, by a Lease that its holder renews, and that expires soon after a holder was killed.

The lock is a fence: every attempt to write, including retries, first checks that it is still held. A request may still
arrive late; therefore updates and deletions have the resourceVersion of the object as precondition (see write.py).
Creations cannot have one.
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
"""It exists in every cluster before Istio is installed, and unlike kube-system is often writable."""

DURATION = 12.0
"""Seconds after the last renewal until the lock expires: with rounding, within 15 s."""

RELEASE = 5.0
"""Timeout in seconds for releasing the lock; otherwise it expires."""

RELEASE_INTERRUPTED = 0.7
"""The same for an interrupted run, which has to end within 2 s."""

LONGEST_NAME = 63

_PAUSE = 0.5
_VERBS = ("get", "create", "patch", "delete")
_HELD: set[_Held] = set()
"""The locks that this process holds."""


class Lock(NamedTuple):
    """The name of a Lease and its namespace, in which its users have permissions; `default` if it does not exist."""

    name: str
    namespace: str = DEFAULT_NAMESPACE

    @classmethod
    def of(cls, *parts: str, namespace: str = DEFAULT_NAMESPACE) -> Lock:
        """Return the lock with the name of `parts`, with a hash if the name is too long or not a DNS label."""
        plain = "-".join(parts)
        name = re.sub(r"[^a-z0-9]+", "-", f"meshops-istio-{plain}".lower()).strip("-")
        if name != f"meshops-istio-{plain}" or len(name) > LONGEST_NAME:
            digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:10]
            name = f"{name[: LONGEST_NAME - len(digest) - 1].rstrip('-')}-{digest}"
        return cls(name, namespace)

    @property
    def access(self) -> list[Access]:
        """The permissions that acquiring it needs, in addition to get the Namespace."""
        return [Access(verb, LEASE.group, "leases", self.namespace) for verb in _VERBS]


def placed(cluster: Cluster, lock: Lock) -> Lock:
    """Return the lock in its namespace, or in `default` if that does not exist or is being deleted."""
    if lock.namespace == DEFAULT_NAMESPACE:
        return lock
    try:
        found = cluster.get(NAMESPACE, lock.namespace)
    except ApiError as error:
        if error.status != 403:
            raise
        return lock  # without permission to get Namespaces, the user does not create them either
    there = found is not None and not found["metadata"].get("deletionTimestamp")
    return lock if there else lock._replace(namespace=DEFAULT_NAMESPACE)


@contextlib.contextmanager
def locked(cluster: Cluster, lock: Lock, *, manager: str, deadline: float, progress: Progress) -> Iterator[None]:
    """Hold `lock` within the context, as a fence of the cluster's writes.

    Waits for another holder until `deadline`. After another run has taken the lock over, because this one was suspended
    or disconnected, each write raises NotReady.
    """
    holder = f"{socket.gethostname()}-{os.getpid()}-{os.urandom(4).hex()}"
    held = _acquired(cluster, lock, holder, manager, deadline, progress)
    _HELD.add(held)
    threads.start(held.keep, name="renew the lock")
    outer, cluster.fence = cluster.fence, held.check
    patience = RELEASE
    try:
        yield
    except Exception:
        cluster.fence = outer
        raise
    except BaseException:
        # Keep the fence, closed, because threads may still try to write.
        patience = RELEASE_INTERRUPTED
        raise
    else:
        cluster.fence = outer
    finally:
        _HELD.discard(held)
        held.release(patience)


def release_held() -> None:
    """Release the locks of all threads, and let them write no more, because the run was interrupted."""
    threads.each(lambda held: held.release(RELEASE_INTERRUPTED), list(_HELD), size=len(_HELD))


def _acquired(cluster: Cluster, lock: Lock, holder: str, manager: str, deadline: float, progress: Progress) -> _Held:
    """Acquire the lock in the namespace in which every new run looks for it."""
    while True:
        place = placed(cluster, lock)
        waiting = _Waiting(cluster, place, deadline, progress)
        lease, begun = waiting.acquire(holder, manager)
        held = _Held(cluster, place, lease, begun, manager)
        try:
            if place == lock and lock.namespace != DEFAULT_NAMESPACE:
                # A run that started before the namespace existed has its lock in `default`.
                _Waiting(cluster, lock._replace(namespace=DEFAULT_NAMESPACE), deadline, progress).until_free()
            if placed(cluster, lock) == place:
                return held
        except BaseException as error:
            held.release(RELEASE if isinstance(error, Exception) else RELEASE_INTERRUPTED)
            raise
        held.release(RELEASE)


class _Held:
    """A lock held by this run. A takeover creates a new Lease with another uid.

    `begun`: when it was requested, since a run may be suspended before it reads the answer.
    """

    def __init__(self, cluster: Cluster, lock: Lock, lease: dict[str, Any], begun: float, manager: str) -> None:
        self._cluster, self._lock, self._manager = cluster, lock, manager
        self._uid: str = lease["metadata"]["uid"]
        # Renewals are not fenced, and those in the background time out before the next one.
        self._foreground, self._background = cluster.without_limits(), cluster.without_limits()
        self._background.patience = DURATION / 4
        self._renewed = begun
        self._renewing = threading.Lock()
        self._released = threading.Event()
        self._lost: NotReady | None = None

    def keep(self) -> None:
        """Renew the lock until it is released or lost."""
        while not self._released.wait(DURATION / 4) and self._lost is None:
            with contextlib.suppress(MeshError):
                self._renew(self._background)

    def check(self) -> None:
        """Raise NotReady if another run may hold the lock. Renews it after half of its duration."""
        if _clock() - self._renewed > DURATION / 2:
            with self._renewing:
                if self._lost is None and _clock() - self._renewed > DURATION / 2:
                    self._foreground.deadline = self._cluster.deadline
                    self._renew(self._foreground)
        if self._lost is not None:
            raise self._lost
        if self._released.is_set():
            raise NotReady("Cannot write: the run has ended and released its lock. Run it again.", code="lock_lost")

    def release(self, patience: float) -> None:
        """Release the lock; no writes are allowed from then on."""
        self._released.set()
        self._foreground.deadline = time.monotonic() + patience
        # Delete the Lease, so that a failed run leaves nothing in the cluster.
        with contextlib.suppress(MeshError):
            self._foreground.delete(LEASE, self._lock.name, self._lock.namespace, uid=self._uid)

    def _renew(self, cluster: Cluster) -> None:
        begun = _clock()
        body = {"metadata": {"uid": self._uid}, "spec": {"renewTime": _now()}}
        try:
            cluster.merge_patch(LEASE, self._lock.name, self._lock.namespace, body, manager=self._manager)
        except ApiError as error:
            if error.status not in (404, 409):
                raise
            # A conflict may be due to timing only; the uid shows the holder.
            live = cluster.get(LEASE, self._lock.name, self._lock.namespace)
            if live is None or live["metadata"]["uid"] != self._uid:
                self._lost = NotReady(
                    f"Lease {self._lock.namespace}/{self._lock.name} was taken over by another run: this run could not"
                    " renew it in time. Run it again when the other one has ended.",
                    code="lock_lost",
                )
        else:
            self._renewed = begun


class _Waiting:
    """Waits for another holder of a lock, and takes over an expired one."""

    def __init__(self, cluster: Cluster, lock: Lock, deadline: float, progress: Progress) -> None:
        self._cluster, self._lock = cluster.without_limits(), lock
        self._cluster.deadline = self._deadline = deadline
        self._progress = progress
        self._watched = _Watched()

    def acquire(self, holder: str, manager: str) -> tuple[dict[str, Any], float]:
        """Acquire the Lease; return it and the time of the request."""
        while True:
            begun = _clock()
            try:
                live = self._read()
                if live is None:
                    live = self._cluster.create(_lease(self._lock, holder), manager=manager)
                # Also true if only the answer to its creation was lost.
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
        """Wait until the lock is free; without permission to read it, assume that it is."""
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
                f"Timed out waiting for Lease {self._lock.namespace}/{self._lock.name}: another run ({other}) is changing"
                " this cluster. Run this again when it has ended.",
                code="locked",
                holder=other,
            )
        self._progress(
            f"waiting for Lease {self._lock.namespace}/{self._lock.name}: another run ({other}) is changing this cluster"
        )
        time.sleep(_PAUSE)


class _Watched:
    """The time since a Lease was renewed, by the server's clock only, because clocks of machines differ."""

    def __init__(self) -> None:
        self._version = ""
        self._since = 0.0

    def age(self, lease: dict[str, Any], now: datetime | None) -> float:
        """Return the age in seconds, +/- 1; since the first read if the server's times are unknown."""
        if lease["metadata"]["resourceVersion"] != self._version:
            self._version, self._since = lease["metadata"]["resourceVersion"], time.monotonic()
        watched = time.monotonic() - self._since
        # Unlike renewTime, these times are the server's.
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
    """Return a monotonic time that includes suspension of the machine, if the system supports it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
