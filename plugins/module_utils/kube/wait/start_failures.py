# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find containers that do not start while their workloads are awaited: ImagePullBackOff, CrashLoopBackOff and others."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from .. import threads
from ..api.cluster import Cluster
from ..errors import MeshError
from ..objects.kinds import POD
from ..objects.objects import Key, Object
from .diagnosis import container_problems, pod_phrase, pods_of
from .rollouts import newest_revision, revision_of

EVERY = 5.0
"""Seconds between two reads of the pods, and before the first."""

GRACE = 60.0
"""Seconds after which an error that another object may mend counts as permanent, such as a missing ConfigMap."""

_BACK_OFF = frozenset({"CrashLoopBackOff", "ErrImagePull", "ImagePullBackOff", "RunContainerError"})
_PERMANENT = frozenset({"ErrImageNeverPull", "InvalidImageName"})
_PASSING = frozenset({"CreateContainerConfigError", "CreateContainerError"})
_ROLLED_OUT = frozenset({"DaemonSet", "Deployment", "StatefulSet"})
_WITH_PODS = _ROLLED_OUT | {"Job", "Pod", "ReplicaSet", "Service"}
_AT_ONCE = 8


class StartFailure(NamedTuple):
    """Why a container of a workload does not start. `final`: the kubelet does not recover from it."""

    key: Key
    phrase: str
    final: bool


class StartFailures:
    """Reads the pods of awaited workloads in the background, so that waiting goes on while the API server is slow.

    back_off: seconds after which a container in back-off counts as failed; None for never, because an image may be
    pushed late, and what a container needs may start late.
    """

    def __init__(self, cluster: Cluster, back_off: float | None = None) -> None:
        self._cluster, self._back_off = cluster, back_off
        self._objects: dict[Key, Object] = {}
        self._since: dict[tuple[Key, str, str], float] = {}
        self._due = time.monotonic() + EVERY
        self._next = 0
        self._reading: threading.Thread | None = None
        self._found: list[StartFailure] = []

    def note(self, key: Key, obj: Object | None) -> None:
        """Remember the current state of an awaited object; an empty one is read with its pods."""
        if key.kind in _WITH_PODS and obj is not None:
            self._objects[key] = obj
        else:
            self._objects.pop(key, None)

    def found(self, waiting: Iterable[Key]) -> list[StartFailure]:
        """Return what was found since the last call, at most one for each workload; read the pods again when due."""
        if self._reading is not None:
            if self._reading.is_alive():
                return []
            self._reading, self._due = None, time.monotonic() + EVERY
            found, self._found = self._found, []
            return found
        if time.monotonic() >= self._due and (keys := self._some([key for key in waiting if key in self._objects])):
            self._reading = threads.start(self._read, [(key, self._objects[key]) for key in keys], name="read pods")
        return []

    def _some(self, keys: list[Key]) -> list[Key]:
        first = self._next if self._next < len(keys) else 0
        self._next = first + _AT_ONCE
        return keys[first : self._next]

    def _read(self, workloads: list[tuple[Key, Object]]) -> None:
        for key, obj in workloads:
            try:
                self._found += islice(self._failures(key, obj), 1)
            except MeshError:  # such as missing permissions: the wait does not depend on it
                continue

    def _failures(self, key: Key, obj: Object) -> Iterator[StartFailure]:
        obj = obj or self._cluster.get(key.of, key.name, key.namespace) or {}
        pods = pods_of(self._cluster, key, obj)
        problems = [(pod, one) for pod in pods for one in container_problems(pod)]
        problems = [(pod, one) for pod, one in problems if one["reason"] in _BACK_OFF | _PERMANENT | _PASSING]
        if not problems:
            return
        # A Service may have pods of several revisions, of which one that starts is enough.
        known = key.kind != "Service" or len({pod["metadata"]["name"] for pod, _one in problems}) == len(pods)
        if key.kind in _ROLLED_OUT:
            # Pods of older revisions are about to be replaced.
            newest = newest_revision(self._cluster, obj)
            known = newest is not None
            problems = [(pod, one) for pod, one in problems if not known or revision_of(key.kind, pod) == newest]
        found = [self._failure(key, pod, one) for pod, one in problems]
        yield from sorted((one._replace(final=one.final and known) for one in found), key=lambda one: not one.final)

    def _failure(self, key: Key, pod: Mapping[str, Any], problem: Mapping[str, Any]) -> StartFailure:
        reason, pod_name = problem["reason"], pod["metadata"]["name"]
        # ErrImagePull and ImagePullBackOff take turns.
        fault = "back-off" if reason in _BACK_OFF else reason
        lasted = time.monotonic() - self._since.setdefault((key, pod_name, fault), time.monotonic())
        limit = 0.0 if reason in _PERMANENT else GRACE if reason in _PASSING else self._back_off
        final = limit is not None and lasted >= limit
        phrase = pod_phrase({"name": pod_name, **problem})
        return StartFailure(key, phrase.removeprefix(f"pod {key.name}, ") if key.of == POD else phrase, final)
