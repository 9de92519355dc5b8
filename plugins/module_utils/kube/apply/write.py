# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write one object of a plan: create, apply, patch or delete it at the version that the plan was made for."""

from __future__ import annotations

import time
from typing import cast

from ..api.cluster import Cluster
from ..errors import ApiError, MeshError, NotReady
from ..objects.objects import Object, key_of
from ..plan import conflicts, takeover
from ..plan.change import Change, patch_body
from ..plan.plan import Plan, refuse_changed
from ..plan.refusals import refusal

TRIES = 20
"""Controllers write too: a write that lost a race is tried again on the newer object."""


def write(cluster: Cluster, plan: Plan, change: Change, *, patience: float) -> Object:
    """Create, apply or patch one object; returns it as the API server has it then.

    patience: seconds for which a path that is not served yet is tried again. Raises Refused for an object that the API
    server does not accept, or that has changed since it was planned and must not be overwritten.
    """
    try:
        if change.patch and change.before is None:
            return _create(cluster, plan, change)
        live = _take_over(cluster, plan, change) if change.previous_managers else change.before
        return _apply(cluster, plan, change, live, patience=patience)
    except ApiError as error:
        raise refusal(change.key, error) from error


def _create(cluster: Cluster, plan: Plan, change: Change) -> Object:
    """Create an object that the unit does not own afterwards, and give its fields back to their owners."""
    try:
        made = cluster.create(cast(Object, change.desired), manager=plan.unit.manager)
    except MeshError as error:
        if not change.recreated:
            raise
        raise MeshError(
            f"{change.key} was deleted and could not be created again: {error.message}",
            code="not_recreated",
            object=change.key._asdict(),
        ) from error
    if change.owners:
        takeover.restore_owners(cluster, made, change.owners, plan.unit.manager)
    return made


def _apply(cluster: Cluster, plan: Plan, change: Change, live: Object | None, *, patience: float) -> Object:
    """Apply an object over the version that is live, so that a late request does not undo another run's.

    A status that was written meanwhile must not keep it from being applied: the newer version is read and applied over,
    while the lock is held, and in the end over whatever there is. A patch goes over no other value than was planned.
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
            # A path that is not served gets no reason; the object's namespace that is absent does.
            if error.status != 404 or error.reason or time.monotonic() > ends:
                raise
        time.sleep(0.2)


def _take_over(cluster: Cluster, plan: Plan, change: Change) -> Object | None:
    """Make the previous field managers' fields ours; else fields that are no longer wanted would stay for ever.

    Returns the object as it is then.
    """
    live = change.before
    for _try in range(TRIES):
        if live is None or not takeover.takeable(live, change.previous_managers, plan.unit):
            return live
        entries = takeover.entries_after(live, change.previous_managers, plan.unit)
        version = live["metadata"]["resourceVersion"]
        try:
            return cluster.set_managed_fields(key_of(live), version, entries, manager=plan.unit.manager)
        except ApiError as error:
            if error.status not in (409, 422):
                raise
            live = cluster.get(change.key.of, change.key.name, change.key.namespace)
    raise NotReady(f"{change.key} changes too often to be taken over; try again.", object=change.key._asdict())


def delete_object(cluster: Cluster, propagation: str, change: Change) -> None:
    """Delete an object at the version that is live, but no successor of its name, which would not be ours to delete."""
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
    raise NotReady(f"{key} changes too often to be deleted; try again.", object=key._asdict())
