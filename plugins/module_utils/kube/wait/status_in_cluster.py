# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of objects that depends on others: claims on StorageClass and pods, removed Jobs on events."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..errors import MeshError
from ..objects.objects import Key, Kind, Object, key_of, kind_of
from ..objects.shapes import maps_of
from .readiness.states import CURRENT, FAILED, IN_PROGRESS, Status, field, whole
from .status import status

if TYPE_CHECKING:
    from ..api.cluster import Cluster

CLAIM, JOB = Kind("v1", "PersistentVolumeClaim"), Kind("batch/v1", "Job")
_POD, _EVENT, _STORAGE_CLASS = Kind("v1", "Pod"), Kind("v1", "Event"), Kind("storage.k8s.io/v1", "StorageClass")

_FIRST_CONSUMER = "WaitForFirstConsumer"
_SELECTED_NODE = "volume.kubernetes.io/selected-node"
_ABSENT = Status(IN_PROGRESS, "not found")
_FAILURES = frozenset(
    {"BackoffLimitExceeded", "DeadlineExceeded", "FailedIndexes", "MaxFailedIndexesExceeded", "PodFailurePolicy"}
)
"""Reasons of the event of a failed Job."""


class Judge:
    """Computes the status of objects that are created and deleted.

    `expect`: computes the status from an object's fields. `desired`: objects that may be deleted before they are read.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        expect: Callable[[Object], Status] = status,
        desired: Iterable[Object] = (),
    ) -> None:
        self._cluster = cluster
        self._expect = expect
        self._binding_modes: dict[str, str | None] = {}
        self._expiring: set[Key] = set()
        for obj in desired:
            self._note_expiry(obj)

    def present(self, obj: Object) -> Status:
        """Return the status of an existing object."""
        self._note_expiry(obj)
        found = self._expect(obj)
        if kind_of(obj) == CLAIM and found.state == IN_PROGRESS and self._unconsumed(obj):
            return Status(CURRENT, "not bound until the first consumer (WaitForFirstConsumer)")
        return found

    def absent(self, key: Key) -> Status:
        """Return the status of an object that is not found: a Job with ttlSecondsAfterFinished has finished."""
        if key not in self._expiring:
            return _ABSENT
        ended = [one for one in self._events(key) if one.get("reason") in {"Completed", *_FAILURES}]
        last = max(ended, key=last_seen, default={})
        if last.get("reason") in _FAILURES:
            return Status(FAILED, f"{last['reason']}: {str(last.get('message') or '').rstrip('.')}", final=True)
        return Status(CURRENT, "finished, and deleted after ttlSecondsAfterFinished")

    def _note_expiry(self, obj: Object) -> None:
        if kind_of(obj) == JOB and whole(obj, "spec.ttlSecondsAfterFinished") is not None:
            self._expiring.add(key_of(obj))

    # --- claims ------------------------------------------------------------------------------------------------

    def _unconsumed(self, claim: Object) -> bool:
        """Return whether a claim waits for its first consumer, and no pod uses it."""
        annotations = field(claim, "metadata.annotations") or {}
        if field(claim, "spec.volumeName") or _SELECTED_NODE in annotations:
            return False
        try:
            if self._binding_mode(str(field(claim, "spec.storageClassName") or "")) != _FIRST_CONSUMER:
                return False
            pods = self._cluster.list(_POD, field(claim, "metadata.namespace"))
        except MeshError:
            # Without permission to read StorageClasses or pods, use the claim's latest event.
            latest = max(self._events(key_of(claim)), key=last_seen, default={})
            return latest.get("reason") == _FIRST_CONSUMER
        return not any(uses(pod, claim["metadata"]["name"]) for pod in pods)

    def _binding_mode(self, storage_class: str) -> str | None:
        if not storage_class:  # there is no default class, or the API server would have set it
            return None
        if storage_class not in self._binding_modes:
            found = self._cluster.get(_STORAGE_CLASS, storage_class)
            self._binding_modes[storage_class] = (found or {}).get("volumeBindingMode")
        return self._binding_modes[storage_class]

    def _events(self, key: Key) -> list[dict[str, Any]]:
        try:
            return events_of(self._cluster, key)
        except MeshError:
            return []


def events_of(cluster: Cluster, key: Key) -> list[dict[str, Any]]:
    """List all events about one object."""
    # Events about cluster-scoped objects are in the namespace default.
    selector = f"involvedObject.kind={key.kind},involvedObject.name={key.name}"
    return cluster.list(_EVENT, key.namespace or "default", field_selector=selector)


def last_seen(event: Object) -> str:
    """Return the time at which an event was last seen."""
    times = (
        field(event, "series.lastObservedTime"),
        event.get("lastTimestamp"),
        event.get("eventTime"),
        field(event, "metadata.creationTimestamp"),
    )
    return str(next((time for time in times if time), ""))


def uses(pod: Object, claim: str, *, ending: bool = False) -> bool:
    """Return whether a pod uses a claim; false for a completed pod and, unless `ending`, for one being deleted."""
    if field(pod, "status.phase") in ("Succeeded", "Failed") or (
        not ending and field(pod, "metadata.deletionTimestamp")
    ):
        return False
    volumes = maps_of(field(pod, "spec.volumes"))
    named = {field(volume, "persistentVolumeClaim.claimName") for volume in volumes}
    own = {f"{pod['metadata']['name']}-{volume.get('name')}" for volume in volumes if "ephemeral" in volume}
    return claim in named | own
