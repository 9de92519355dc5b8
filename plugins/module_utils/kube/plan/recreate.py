# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recreate objects that differ in immutable fields, if the unit allows it.

The pods of a StatefulSet are kept if the new one selects them. Its PersistentVolumeClaims are always kept, and expanded if
their StorageClass allows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..api.cluster import Cluster
from ..errors import ApiError
from ..objects.kinds import PERSISTENT_VOLUME_CLAIM
from ..objects.managed_fields import quantity
from ..objects.objects import Key, Object, key_of
from .change import Change
from .immutable_fields import CODE, NEVER_RECREATED, adopts, loses_claims
from .plan import Plan


def plan_recreation(cluster: Cluster, plan: Plan) -> None:
    """Replace each update of immutable fields by a deletion and a creation; expand the claims of StatefulSets."""
    changes = []
    for change in plan.changes:
        if not _recreated(change):
            changes.append(change)
            continue
        desired: Any = change.desired
        changes.append(Change("delete", change.key, change.before, None, first=True, recreated=True))
        changes.append(Change("create", change.key, None, desired, desired=desired, recreated=True))
        if change.key.kind == "StatefulSet":
            changes += _growing(cluster, plan, desired)
    plan.changes[:] = changes


def propagation(change: Change, successor: Object | None) -> str | None:
    """Return the propagation policy for a recreated object; None for others."""
    if not change.recreated or change.before is None or successor is None:
        return None
    if change.key.kind == "StatefulSet":
        return "Orphan" if adopts(successor, change.before) else "Foreground"
    return "Background"


def on_trial(desired: Mapping[str, Any]) -> Object:
    """Return a copy of an object with a free name and without addresses, for a dry run while the old one exists."""
    metadata = {**desired["metadata"], "name": f"{desired['metadata']['name'][:50]}-recreated"}
    tried = {**desired, "metadata": metadata}
    if desired["kind"] == "Service":
        given = desired.get("spec") or {}
        spec = {name: value for name, value in given.items() if name not in _ADDRESSES}
        ports = [
            {name: value for name, value in port.items() if name != "nodePort"} for port in spec.get("ports") or ()
        ]
        headless = {"clusterIP": "None"} if given.get("clusterIP") == "None" else {}
        tried["spec"] = {**spec, **headless, **({"ports": ports} if ports else {})}
    return tried


_ADDRESSES = frozenset({"clusterIP", "clusterIPs", "healthCheckNodePort"})


def _recreated(change: Change) -> bool:
    if (
        change.problem is None
        or change.problem.code != CODE
        or change.desired is None
        or change.key.kind in NEVER_RECREATED
    ):
        return False
    stateful = change.key.kind == "StatefulSet" and change.before is not None
    return not (stateful and loses_claims(change.desired, change.before or {}))


def _growing(cluster: Cluster, plan: Plan, stateful: Object) -> Iterator[Change]:
    """Yield the expansions of a StatefulSet's claims to the size in its volumeClaimTemplates."""
    key = key_of(stateful)
    sizes = {
        template["metadata"]["name"]: _size(template)
        for template in (stateful.get("spec") or {}).get("volumeClaimTemplates") or ()
        if _size(template)
    }
    if not sizes:
        return
    names = re.compile(rf"({'|'.join(map(re.escape, sizes))})-{re.escape(key.name)}-\d+")
    for claim in cluster.list(PERSISTENT_VOLUME_CLAIM, key.namespace):
        match = names.fullmatch(claim["metadata"]["name"])
        if match and _is_more(sizes[match[1]], _size(claim)):
            yield from _grown(cluster, plan, claim, sizes[match[1]])


def _grown(cluster: Cluster, plan: Plan, claim: Object, size: str) -> Iterator[Change]:
    key = Key(
        PERSISTENT_VOLUME_CLAIM.api_version,
        PERSISTENT_VOLUME_CLAIM.kind,
        claim["metadata"]["namespace"],
        claim["metadata"]["name"],
    )
    spec = {"resources": {"requests": {"storage": size}}}
    try:
        after = cluster.merge_patch(
            key.of, key.name, key.namespace, {"spec": spec}, manager=plan.unit.manager, dry_run=True
        )
    except ApiError as error:
        if error.status not in (403, 422):
            raise
        plan.warnings.append(
            f"{key} is not expanded: its StorageClass does not allow volume expansion, or the user has no permission to"
            " patch PersistentVolumeClaims."
        )
        return
    wanted: Object = {
        "apiVersion": key.api_version,
        "kind": key.kind,
        "metadata": {"name": key.name, "namespace": key.namespace},
        "spec": spec,
    }
    yield Change("update", key, {**claim, "apiVersion": key.api_version, "kind": key.kind}, after, wanted, patch=True)


def _is_more(wanted: str, there: str) -> bool:
    sizes = quantity(wanted), quantity(there)
    return sizes[0] is not None and sizes[1] is not None and sizes[0] > sizes[1]


def _size(claim: Mapping[str, Any]) -> str:
    return str((((claim.get("spec") or {}).get("resources") or {}).get("requests") or {}).get("storage") or "")
