# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to be written so that a cluster is as it should be, and nothing more.

A plan compares here what is desired with what is live and with who owns it, and asks the server (by a dry run) about
whatever differs, so that a change in a plan is a change in the cluster.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from . import fields
from .cluster import Cluster
from .errors import ApiError, InvalidInput, Refused
from .objects import Key, Kind, key_of

Object = dict[str, Any]
Identity = tuple[str, str, str, str]

LIST_FROM = 5
"""From as many objects of a kind in a namespace on, one list is cheaper than a request for each."""


@dataclass(frozen=True)
class Unit:
    """What one owner wants of a cluster.

    manager: the field manager that applies it.
    objects: what must exist; each complete, with its namespace.
    retired: field managers whose fields become the manager's (take-over).
    stale: lists the objects that this owner has in the cluster; what of them is not in `objects` is deleted, last.
    rank: the order of applying where the API itself asks for none; low first, each after the lower ones.
    gate: the Service that must have a ready endpoint before an object is applied.
    adjust: the last word on an object, given the live one (or None): values that were handed over at run time.
    ignore_fields: paths such as `spec.replicas`, or `Deployment/name:spec.replicas`, left to whoever else owns them.
    awaited: which of the objects must become ready; all by default.
    """

    manager: str
    objects: Sequence[Mapping[str, Any]]
    retired: frozenset[str] = frozenset()
    stale: Callable[[Cluster], Iterable[Object]] | None = None
    rank: Callable[[Object], int] | None = None
    gate: Callable[[Object], Key | None] | None = None
    adjust: Callable[[Object, Object | None], Object] | None = None
    ignore_fields: Sequence[str] = ()
    awaited: Callable[[Object], bool] | None = None


@dataclass(frozen=True)
class Change:
    """One object to create, update or delete. `before` is live, `after` what the server says it will be."""

    action: str
    key: Key
    before: Object | None
    after: Object | None
    desired: Object | None = None
    take_over: bool = False

    @property
    def summary(self) -> dict[str, str]:
        """The change as data: action, api_version, kind, namespace, name."""
        return {"action": self.action, **self.key._asdict()}


@dataclass
class Plan:
    """The changes that are owed, deletions last, and the objects as they should be and as they are."""

    unit: Unit
    objects: list[Object]
    live: dict[Identity, Object]
    changes: list[Change] = field(default_factory=list)

    @cached_property
    def digest(self) -> str:
        """Names this plan: equal as long as the same objects would change in the same way."""
        content = [[change.action, *change.key, clean(change.before), clean(change.after)] for change in self.changes]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def make_plan(cluster: Cluster, unit: Unit) -> Plan:
    """Compare a unit with the cluster. Reads, and makes dry runs; writes nothing.

    Raises Refused where the API server would reject an object, InvalidInput for an object given twice.
    """
    prepared = [prepare(obj) for obj in unit.objects]
    _refuse_repeated(prepared)
    cluster.learn(obj for obj in prepared if obj["kind"] == "CustomResourceDefinition")
    owned = {key_of(obj).identity: obj for obj in (unit.stale(cluster) if unit.stale else ())}
    live = {**owned, **_read(cluster, [key_of(obj) for obj in prepared if key_of(obj).identity not in owned])}
    objects = [_adjusted(obj, live.get(key_of(obj).identity), unit) for obj in prepared]
    plan = Plan(unit, objects, live)

    doubtful: list[Object] = []
    for obj in objects:
        there = live.get(key_of(obj).identity)
        if there is None:
            plan.changes.append(Change("create", key_of(obj), None, obj, desired=obj))
        elif not _settled(obj, there, unit):
            doubtful.append(obj)
    updates = cluster.parallel(lambda obj: _update(cluster, unit, obj, live[key_of(obj).identity]), doubtful)
    plan.changes += [change for change in updates if change is not None]

    wanted = {key_of(obj).identity for obj in objects}
    gone = [obj for identity, obj in owned.items() if identity not in wanted and not _terminating(obj)]
    plan.changes += [Change("delete", key_of(obj), obj, None) for obj in gone]
    return plan


def prepare(obj: Mapping[str, Any]) -> Object:
    """An object as it can be applied: without nulls, status and what only the server sets; secrets in `data`."""
    prepared: Object = _without_nulls(obj)
    prepared.pop("status", None)
    for name in ("creationTimestamp", "managedFields", "resourceVersion", "uid", "generation", "selfLink"):
        prepared["metadata"].pop(name, None)
    if prepared["kind"] == "Secret" and "stringData" in prepared:
        # The server moves it into data, where it would look like somebody else's.
        encoded = {
            name: base64.b64encode(str(text).encode()).decode() for name, text in prepared.pop("stringData").items()
        }
        prepared["data"] = {**prepared.get("data", {}), **encoded}
    return prepared


def clean(obj: Mapping[str, Any] | None) -> Object | None:
    """An object without what changes by itself: status, versions, times, and who owns its fields."""
    if obj is None:
        return None
    metadata = {name: value for name, value in obj["metadata"].items() if name not in _VOLATILE}
    return {**{name: value for name, value in obj.items() if name != "status"}, "metadata": metadata}


_VOLATILE = frozenset({"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"})


def _refuse_repeated(objects: Sequence[Object]) -> None:
    seen: set[Identity] = set()
    for obj in objects:
        key = key_of(obj)
        if key.identity in seen:
            raise InvalidInput(f"{key} is given more than once; keep one of them.", object=key._asdict())
        seen.add(key.identity)


def _read(cluster: Cluster, keys: Sequence[Key]) -> dict[Identity, Object]:
    """The live objects of these keys, with as few requests as make sense, in parallel."""
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


def _settled(obj: Object, live: Object, unit: Unit) -> bool:
    owned = fields.owned_by(live, unit.manager) or {}
    return not fields.held_by(live, unit.retired) and fields.settled(obj, live, owned)


def _update(cluster: Cluster, unit: Unit, obj: Object, live: Object) -> Change | None:
    """What applying would change, by the server's own word; None where it is nothing."""
    key = key_of(obj)
    try:
        after = cluster.apply(obj, manager=unit.manager, dry_run=True)
    except ApiError as error:
        raise refusal(key, error) from error
    take_over = bool(fields.held_by(live, unit.retired))
    if take_over:
        # A dry run cannot show that fields go which only their retired owner kept.
        abandoned = fields.union(entry.get("fieldsV1") or {} for entry in fields.held_by(live, unit.retired))
        fields.without(after, abandoned, obj, fields.others(live, {unit.manager, *unit.retired}))
    elif clean(after) == clean(live) and _ownership(after) == _ownership(live):
        return None
    return Change("update", key, live, after, desired=obj, take_over=take_over)


def refusal(key: Key, error: ApiError) -> Exception:
    """The sentence for an object that the API server does not accept; other errors stay what they are."""
    if error.status in (400, 403, 404, 409, 413, 422):
        message = str(error.body.get("message") or error.message).rstrip(".")
        return Refused(f"The API server refuses {key}: {message}.", object=key._asdict(), status=error.status)
    return error


def _ownership(obj: Object) -> list[Any]:
    kept = [{name: value for name, value in entry.items() if name != "time"} for entry in fields.entries(obj)]
    return sorted(kept, key=lambda entry: json.dumps(entry, sort_keys=True))


def _adjusted(obj: Object, live: Object | None, unit: Unit) -> Object:
    if unit.adjust is not None:
        obj = unit.adjust(deepcopy(obj), live)
    if live is not None and unit.ignore_fields:
        obj = _leave(obj, live, unit)
    return obj


def _leave(obj: Object, live: Object, unit: Unit) -> Object:
    """Leave the ignored fields to their other owner; where there is none, keep what is live."""
    foreign = fields.others(live, {unit.manager, *unit.retired})
    obj = deepcopy(obj)
    for ignored in unit.ignore_fields:
        target, _colon, path = ignored.rpartition(":")
        if target not in ("", obj["kind"], f"{obj['kind']}/{obj['metadata']['name']}"):
            continue
        *parents, last = path.split(".")
        mine: Any = obj
        there: Any = live
        owners: Any = foreign
        for parent in parents:
            mine, there = (value.get(parent) if isinstance(value, dict) else None for value in (mine, there))
            owners = owners.get(f"f:{parent}", {})
        if not isinstance(mine, dict) or not isinstance(there, dict) or last not in there:
            continue
        if f"f:{last}" in owners:
            mine.pop(last, None)
        elif last in mine:
            mine[last] = deepcopy(there[last])
    return obj


def _terminating(obj: Object) -> bool:
    return bool(obj["metadata"].get("deletionTimestamp"))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nulls(child) for name, child in value.items() if child is not None}
    if isinstance(value, (list, tuple)):
        return [_without_nulls(child) for child in value]
    return value
