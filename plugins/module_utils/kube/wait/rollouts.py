# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roll-outs that are under way: which of a workload's pods are of its newest revision, and who has restarted it."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..errors import MeshError
from ..objects import managed_fields
from ..objects.objects import Kind, Object
from .readiness.states import condition, field, mappings, whole
from .status import CURRENT, TERMINATING, status

if TYPE_CHECKING:
    from ..api.cluster import Cluster

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
"""The annotation of a pod template by which kubectl restarts: whoever looks at a roll-out's history knows it."""

RECENT = 3600.0
"""Seconds after which a DaemonSet's pods that are not ready are no more put down to its restart: it remembers none."""

NOT_MADE = ""
"""The newest revision where its controller has not made it yet: no pod is of it."""

_LABELS = {
    "Deployment": "pod-template-hash",
    "StatefulSet": "controller-revision-hash",
    "DaemonSet": "controller-revision-hash",
}
_REVISION = "deployment.kubernetes.io/revision"
_REPLICA_SET, _CONTROLLER_REVISION = Kind("apps/v1", "ReplicaSet"), Kind("apps/v1", "ControllerRevision")


def revision_of(kind: str, pod: Object) -> str:
    """The revision of its workload's pod template that a pod was made from; empty where it does not tell."""
    return str((field(pod, "metadata.labels") or {}).get(_LABELS.get(kind, ""), ""))


def newest_revision(cluster: Cluster, workload: Object) -> str | None:
    """The newest revision of a Deployment, StatefulSet or DaemonSet while its roll-out is under way.

    None where no roll-out is under way, or where it cannot be told.
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
    except MeshError:  # a lack of rights among them
        return None
    newest = max(made, key=_number, default=None)
    return revision_of(workload["kind"], newest) or None if newest else None


def has_not_come_up(workload: Object, manager: str, now: float | None = None) -> bool:
    """Tell whether a workload that a field manager has restarted has never been ready since."""
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
    owners = mappings(field(revision, "metadata.ownerReferences"))
    return any(one.get("kind") == workload["kind"] and one.get("name") == name for one in owners)


def _number(revision: Object) -> int:
    number = (field(revision, "metadata.annotations") or {}).get(_REVISION) or revision.get("revision") or 0
    return int(number) if str(number).isdecimal() else 0
