# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollouts in progress: the newest revision of a workload, and whether a restart has completed."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..errors import MeshError
from ..objects import managed_fields
from ..objects.conditions import condition
from ..objects.objects import Kind, Object
from ..objects.shapes import maps_of
from .readiness.states import field, whole
from .status import CURRENT, TERMINATING, status

if TYPE_CHECKING:
    from ..api.cluster import Cluster

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
"""The annotation of a pod template that `kubectl rollout restart` sets."""

RECENT = 3600.0
"""Seconds after its restart in which pods of a DaemonSet that are not ready are attributed to the restart."""

NOT_MADE = ""
"""The newest revision if its controller has not created it yet."""

_LABELS = {
    "Deployment": "pod-template-hash",
    "StatefulSet": "controller-revision-hash",
    "DaemonSet": "controller-revision-hash",
}
_REVISION = "deployment.kubernetes.io/revision"
_REPLICA_SET, _CONTROLLER_REVISION = Kind("apps/v1", "ReplicaSet"), Kind("apps/v1", "ControllerRevision")


def revision_of(kind: str, pod: Object) -> str:
    """Return the revision of the workload that a pod belongs to; empty if unknown."""
    return str((field(pod, "metadata.labels") or {}).get(_LABELS.get(kind, ""), ""))


def newest_revision(cluster: Cluster, workload: Object) -> str | None:
    """Return the newest revision of a Deployment, StatefulSet or DaemonSet while its rollout is in progress.

    None if no rollout is in progress, or if it is unknown.
    """
    if status(workload).state in (CURRENT, TERMINATING):
        return None
    generation, observed = whole(workload, "metadata.generation"), whole(workload, "status.observedGeneration")
    if generation is not None and generation != observed:
        return NOT_MADE
    if workload["kind"] == "StatefulSet":
        return str(field(workload, "status.updateRevision") or "") or None
    try:
        made = _revisions(cluster, workload)
    except MeshError:  # such as missing permissions
        return None
    newest = max(made, key=_number, default=None)
    return revision_of(workload["kind"], newest) or None if newest else None


def is_restart_incomplete(workload: Object, manager: str, now: float | None = None) -> bool:
    """Return whether a workload that a field manager has restarted has not been ready since."""
    if status(workload).state in (CURRENT, TERMINATING):
        return False
    if not any(one.get("manager") == manager for one in managed_fields.entries(workload)):
        return False
    generation, observed = whole(workload, "metadata.generation"), whole(workload, "status.observedGeneration")
    if generation != observed:
        return True
    if workload["kind"] == "Deployment":
        return condition(workload, "Progressing").get("reason") != "NewReplicaSetAvailable"
    if workload["kind"] == "StatefulSet":
        return bool(field(workload, "status.currentRevision") != field(workload, "status.updateRevision"))
    restarted = str((field(workload, "spec.template.metadata.annotations") or {}).get(RESTARTED_AT, ""))
    try:
        since = (time.time() if now is None else now) - datetime.fromisoformat(restarted).timestamp()
    except ValueError:
        return False
    return since < RECENT


def _revisions(cluster: Cluster, workload: Object) -> list[dict[str, Any]]:
    kind = _REPLICA_SET if workload["kind"] == "Deployment" else _CONTROLLER_REVISION
    chosen = field(workload, "spec.selector.matchLabels") or {}
    selector = ",".join(f"{name}={value}" for name, value in chosen.items())
    found = cluster.list(kind, workload["metadata"]["namespace"], label_selector=selector)
    return [one for one in found if _controls(workload, one)]


def _controls(workload: Object, revision: Object) -> bool:
    name = workload["metadata"]["name"]
    owners = maps_of(field(revision, "metadata.ownerReferences"))
    return any(one.get("kind") == workload["kind"] and one.get("name") == name for one in owners)


def _number(revision: Object) -> int:
    number = (field(revision, "metadata.annotations") or {}).get(_REVISION) or revision.get("revision") or 0
    return int(number) if str(number).isdecimal() else 0
