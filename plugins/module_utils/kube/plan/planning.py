# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare a unit with the cluster, and plan the changes that it needs and no others.

The desired objects are compared with the live ones and with the owners of their fields. A server-side dry run confirms
whatever differs, so that a change in a plan is a change in the cluster.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..api.cluster import Cluster
from ..errors import ApiError, InvalidInput, Refused
from ..objects import managed_fields, merge_patch
from ..objects.ignore_fields import without_ignored
from ..objects.object_shapes import refuse_misshapen
from ..objects.objects import Key, Kind, Object, key_of, kind_of
from ..objects.selector_check import refuse_unselected
from . import takeover
from .change import Change, clean
from .foreign_owners import refuse_object
from .immutable_fields import ImmutableFields, immutable_fields
from .node_ports import refuse_node_ports, remove_unset
from .plan import Identity, Plan
from .prune import Pruning
from .refusals import WEBHOOK, refusal
from .runtime_fields import RuntimeFields, is_scaler
from .unit import Unit

DRY_RUNS = 3
"""How often a dry run is repeated because the object has changed meanwhile."""

LIST_FROM = 3
"""From as many objects of a kind in a namespace on, one list is cheaper than a request for each."""


def make_plan(cluster: Cluster, unit: Unit) -> Plan:
    """Compare a unit with the cluster. Reads, and makes dry runs; writes nothing.

    Raises Refused where the API server would reject an update, or for a node port that cannot be had; InvalidInput for
    an object given twice, without the namespace that it needs, or with a selector that cannot work.
    """
    for obj in unit.objects:
        refuse_misshapen(obj, str(key_of(obj)))
    prepared = [prepare(obj) for obj in unit.objects]
    cluster.learn(obj for obj in prepared if obj["kind"] == "CustomResourceDefinition")
    for obj in prepared:
        _place(cluster, obj)
        refuse_unselected(obj)
    prepared = _without_repeated(prepared)
    pruning = Pruning(cluster, unit)
    wanted = {key_of(obj).identity for obj in prepared}
    listed = {key_of(obj) for obj in pruning.found.values()}
    unread = [key_of(obj) for obj in prepared if key_of(obj) not in listed] + pruning.to_read(wanted)
    live = {**pruning.found, **_read(cluster, unread)}
    present = {identity: obj for identity, obj in live.items() if not _terminating(obj)}
    leftovers = pruning.leftovers(live, prepared)
    departing = {key_of(obj).identity for obj in leftovers.deleted}
    managers = {unit.manager, *unit.previous_managers}
    runtime = RuntimeFields(cluster, prepared, departing, managers, force=unit.force)
    objects = [_adjusted(obj, present.get(key_of(obj).identity), unit, runtime) for obj in prepared]
    plan = Plan(unit, objects, live, adjust=runtime.adjusted, kept=leftovers.kept, recording=leftovers.recording)

    differing: list[Object] = []
    for obj in objects:
        key = key_of(obj)
        if key.identity not in present:
            plan.changes.append(Change("create", key, None, obj, desired=obj))
            plan.leaving += [key] if key.identity in live else []
        elif not _in_sync(obj, present[key.identity], unit):
            differing.append(obj)
    written = [change.after for change in plan.changes if change.after] + differing
    refuse_node_ports(cluster, [(obj, present.get(key_of(obj).identity)) for obj in written])
    updates = cluster.parallel(lambda obj: _update(cluster, unit, obj, present[key_of(obj).identity]), differing)
    plan.changes += [change for change in updates if change is not None]

    # An autoscaler that goes must not set the replicas that are applied.
    plan.changes += [Change("delete", key_of(obj), obj, None, first=is_scaler(obj)) for obj in leftovers.deleted]
    plan.changes += unit.changes(cluster) if unit.changes else ()
    plan.ending = list(leftovers.ending)
    named = [*plan.ending, *(change.key for change in plan.changes), *(one.key for one in plan.kept)]
    known = {*wanted, *(key.identity for key in named)}
    conflicting = pruning.conflicting()
    deleted = [Change("delete", key_of(obj), obj, None, first=True) for obj in conflicting.deleted]
    plan.changes += [change for change in deleted if change.key.identity not in known]
    plan.kept += [one for one in conflicting.kept if one.key.identity not in known]
    # Nothing waits for it where nothing is created.
    ending = plan.leaving if prepared else plan.ending
    ending += [key for key in conflicting.ending if key.identity not in known]
    plan.stages = list(unit.stages(plan)) if unit.stages and plan.changes else []
    return plan


def prepare(obj: Mapping[str, Any]) -> Object:
    """Return an object as it can be applied: without nulls, status and what only the server sets; secrets in `data`."""
    prepared: Object = _without_nulls(obj)
    prepared.pop("status", None)
    for name in ("creationTimestamp", "managedFields", "resourceVersion", "uid", "generation", "selfLink"):
        prepared["metadata"].pop(name, None)
    if kind_of(prepared) == Kind("v1", "Secret"):
        _prepare_secret(prepared)
    remove_unset(prepared)
    return prepared


def _prepare_secret(secret: Object) -> None:
    # The server moves it into data, where it would look like somebody else's.
    texts = secret.pop("stringData", None) or {}
    if texts:
        encoded = {name: base64.b64encode(text.encode()).decode() for name, text in texts.items()}
        secret["data"] = {**secret.get("data", {}), **encoded}


def _place(cluster: Cluster, obj: Object) -> None:
    """Refuse an object without a namespace that needs one; remove the namespace of one that needs none."""
    if not cluster.namespaced(kind_of(obj)):
        obj["metadata"].pop("namespace", None)
    elif not obj["metadata"].get("namespace"):
        raise InvalidInput(f"{key_of(obj)} has no namespace; give it one.", object=key_of(obj)._asdict())


def _without_repeated(objects: Sequence[Object]) -> list[Object]:
    """Return the objects, each once. Raises InvalidInput for one that is given twice and not the same each time."""
    seen: dict[Identity, Object] = {}
    for obj in objects:
        if seen.setdefault(key_of(obj).identity, obj) != obj:
            raise InvalidInput(
                f"{key_of(obj)} is given more than once, and not the same each time; keep one of them.",
                object=key_of(obj)._asdict(),
            )
    return list(seen.values())


def _read(cluster: Cluster, keys: Sequence[Key]) -> dict[Identity, Object]:
    """Return the live objects of these keys, with as few requests as make sense, in parallel."""
    groups: dict[tuple[Kind, str], list[Key]] = {}
    for key in keys:
        groups.setdefault((key.of, key.namespace), []).append(key)
    requests: list[Key | tuple[Kind, str]] = []
    for group, members in groups.items():
        requests += members if len(members) < LIST_FROM else [group]

    def read(request: Key | tuple[Kind, str]) -> list[Object]:
        if isinstance(request, Key):
            obj = cluster.get(request.of, request.name, request.namespace)
            return [obj] if obj is not None else []
        return cluster.list(*request)

    wanted = {key.identity for key in keys}
    found = {key_of(obj).identity: obj for answer in cluster.parallel(read, requests) for obj in answer}
    return {identity: obj for identity, obj in found.items() if identity in wanted}


def _in_sync(obj: Object, live: Object, unit: Unit) -> bool:
    owned = managed_fields.owned_by(live, unit.manager) or {}
    return not takeover.previous(live, unit) and managed_fields.in_sync(obj, live, owned)


def _update(cluster: Cluster, unit: Unit, obj: Object, live: Object) -> Change | None:
    """Return the change that an apply would make; None for no change."""
    change = _dry_run(cluster, unit, obj, live)
    for _try in range(DRY_RUNS):
        if change is None or change.after is None or change.problem or _version_of(change.after) == _version_of(live):
            break
        # A controller wrote between the reading and the dry run: the difference may be all its own.
        newer = cluster.get(change.key.of, change.key.name, change.key.namespace)
        if newer is None:
            break
        live = newer
        change = None if _in_sync(obj, live, unit) else _dry_run(cluster, unit, obj, live)
    return change


def _version_of(obj: Object) -> Any:
    """Return the resourceVersion of an object; a dry run has that of the live object."""
    return obj["metadata"].get("resourceVersion")


def _dry_run(cluster: Cluster, unit: Unit, obj: Object, live: Object) -> Change | None:
    """Return the change that a server-side dry run shows; None for no change."""
    key = key_of(obj)
    previous_managers = takeover.previous(live, unit)
    try:
        after = cluster.apply(obj, manager=unit.manager, dry_run=True)
        if previous_managers:
            after = _taken_over(cluster, unit, obj, live, previous_managers, after)
    except ApiError as error:
        refuse_object(live, unit)
        hands = previous_managers | managed_fields.interactive_managers(live)
        if error.status == 422 and hands:
            # What was changed by hand and what we want may not go together, such as two ports of one name.
            forced = _update_by_force(cluster, unit, obj, live, hands)
            if forced is not None:
                return forced
        problem = immutable_fields(key, error, obj, live, recreate=unit.recreate) or refusal(key, error)
        # Those that may be overcome: all that the user may not do is said at once, and a plan may mend a webhook.
        if isinstance(problem, Refused) and (error.status == 403 or problem.code in (WEBHOOK, ImmutableFields.code)):
            guess = managed_fields.overlaid(live, obj, {})
            return Change("update", key, live, guess, desired=obj, previous_managers=previous_managers, problem=problem)
        raise problem from error
    if not previous_managers and clean(after) == clean(live) and _ownership(after) == _ownership(live):
        return None
    return Change("update", key, live, after, desired=obj, previous_managers=previous_managers)


def _update_by_force(
    cluster: Cluster, unit: Unit, obj: Object, live: Object, previous_managers: frozenset[str]
) -> Change | None:
    """Return the update that also removes the fields of `previous_managers`; None if the API server refuses it."""
    try:
        after = _taken_over(cluster, unit, obj, live, previous_managers, takeover.forced(live, obj))
    except ApiError:
        return None
    return Change("update", key_of(obj), live, after, desired=obj, previous_managers=previous_managers)


def _taken_over(
    cluster: Cluster, unit: Unit, obj: Object, live: Object, previous_managers: frozenset[str], applied: Object
) -> Object:
    """Return an object as a takeover would leave it, without the fields that only the previous managers set.

    A dry run of a patch tells, because a removed field may have a default, and an apply would still show the field.
    """
    key = key_of(obj)
    takeover.without_abandoned(applied, live, previous_managers, unit, obj)
    patch = merge_patch.between(clean(live), clean(applied)) or {}
    return cluster.merge_patch(key.of, key.name, key.namespace, patch, manager=unit.manager, dry_run=True)


def _ownership(obj: Object) -> list[Any]:
    kept = [{name: value for name, value in entry.items() if name != "time"} for entry in managed_fields.entries(obj)]
    return sorted(kept, key=lambda entry: json.dumps(entry, sort_keys=True))


def _adjusted(obj: Object, live: Object | None, unit: Unit, runtime: RuntimeFields) -> Object:
    obj = runtime.adjusted(obj, live)
    if unit.adjust is not None:
        obj = unit.adjust(obj, live)
    if live is not None and unit.ignore_fields:
        foreign = managed_fields.others(live, {unit.manager, *unit.previous_managers})
        obj = without_ignored(obj, live, foreign, unit.ignore_fields)
    return obj


def _terminating(obj: Object) -> bool:
    return bool(obj["metadata"].get("deletionTimestamp"))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(child) for name, child in value.items() if child is not None}
    if isinstance(value, (list, tuple)):
        return [_without_nulls(child) for child in value]
    return value
