# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write one object of a plan: create, apply, patch or delete it, at the version that was planned."""

from __future__ import annotations

import time
from typing import cast

from ..api.cluster import Cluster
from ..errors import ApiError, MeshError, NotReady
from ..objects.objects import Object
from ..plan import conflicts, takeover
from ..plan.change import Change, patch_body
from ..plan.plan import Plan, refuse_changed
from ..plan.refusals import refusal

TRIES = 20
"""How often a write is tried on a newer version of the object, because controllers changed it meanwhile."""


def write(cluster: Cluster, plan: Plan, change: Change, *, patience: float) -> Object:
    """Create, apply or patch one object, and return its new version.

    patience: how many seconds to retry while the kind is not served yet.
    Raises Refused if the API server rejects the object, or if it has changed since it was planned and must not be
    overwritten.
    """
    try:
        if change.patch and change.before is None:
            return _create(cluster, plan, change)
        live = change.before
        if change.previous_managers and live is not None:
            live = takeover.take_over(cluster, live, change.previous_managers, plan.unit)
        return _apply(cluster, plan, change, live, patience=patience)
    except ApiError as error:
        raise refusal(change.key, error) from error


def _create(cluster: Cluster, plan: Plan, change: Change) -> Object:
    """Create an object that the unit does not own afterwards, and restore the owners of its fields."""
    try:
        made = cluster.create(cast(Object, change.desired), manager=plan.unit.manager)
    except MeshError as error:
        if not change.recreated:
            raise
        raise MeshError(
            f"Cannot recreate {change.key}, which was deleted: {error.message}",
            code="not_recreated",
            object=change.key._asdict(),
        ) from error
    if change.owners:
        takeover.restore_owners(cluster, made, change.owners, plan.unit.manager)
    return made


def _apply(cluster: Cluster, plan: Plan, change: Change, live: Object | None, *, patience: float) -> Object:
    """Apply or patch an object at its live version, so that a delayed request does not undo another run.

    While the lock is held, only controllers write, such as the status: the newer version is read, and the write tried
    again, at last at any version. A patch is refused if the fields that it sets have changed since they were planned.
    """
    key, ends, tries = change.key, time.monotonic() + patience, 0
    while True:
        try:
            if change.patch:
                body = patch_body(cast(Object, change.desired), cast(Object, live))
                return cluster.merge_patch(key.of, key.name, key.namespace, body, manager=plan.unit.manager)
            return conflicts.apply(cluster, plan, change, live)
        except ApiError as error:
            if live is not None and error.outdated:
                tries += 1
                newer = cluster.get(key.of, key.name, key.namespace) if tries < TRIES else None
                if change.patch:
                    refuse_changed(plan, change, live, newer)
                live = newer
                continue
            # Only the error of a missing namespace has a reason, that of an unserved kind has none.
            if error.status != 404 or error.reason or time.monotonic() > ends:
                raise
        time.sleep(0.2)


def delete_object(cluster: Cluster, propagation: str, change: Change) -> None:
    """Delete an object at its live version, unless it was deleted meanwhile and another one has its name."""
    key, live = change.key, change.before
    uid = cast(Object, live)["metadata"].get("uid")
    for _try in range(TRIES):
        if live is None or live["metadata"].get("uid") != uid:
            return
        version = live["metadata"].get("resourceVersion")
        try:
            cluster.delete(key.of, key.name, key.namespace, uid=uid, resource_version=version, propagation=propagation)
            return
        except ApiError as error:
            if error.status != 409:
                raise refusal(key, error) from error
        live = cluster.get(key.of, key.name, key.namespace)
    raise NotReady(
        f"Cannot delete {key}: other clients changed it at each of {TRIES} attempts. Run again.", object=key._asdict()
    )
