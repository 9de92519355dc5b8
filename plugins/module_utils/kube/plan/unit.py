# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The unit of reconciliation: the objects of one owner."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..api.cluster import Cluster
from ..objects.objects import Key, Object
from .inventory import Inventory
from .keep import reason_to_keep

if TYPE_CHECKING:
    from .change import Change
    from .plan import Plan, Stage


@dataclass(frozen=True)
class Unit:
    """The objects that one owner wants in a cluster, and how they are applied.

    manager: the field manager that applies it.
    objects: what must exist; each complete, with its namespace.
    previous_managers: previous field managers, whose fields become the manager's (see takeover.py).
    previous_owners: tools whose objects are taken over without being asked (see foreign_owners.py).
    force: take what belongs to others, and overwrite what other managers have set (see conflicts.py).
    stale: searches for the objects that this owner has in the cluster, by labels, which may be copied: what of them is
        not in `objects` is deleted last, if it is the owner's (see prune.py).
    inventory: where it is listed what this owner has in the cluster.
    previous: field managers beside `manager` whose objects are this owner's too.
    keeps: why an object is not deleted although it is no longer wanted; empty where it is.
    conflicting_objects: lists live objects that conflict with the desired ones. Those not in `objects` are deleted
        before anything else, unless `keeps` returns a reason.
    rank: the order of applying where the API itself asks for none; low first, each after the lower ones.
    gate: the Service that must have a ready endpoint before an object is applied.
    adjust: the last word on an object, which it may change, given the live one (or None): fields set at run time.
    ignore_fields: fields that are left to whoever else owns them (see ignore_fields.py).
    awaited: which of the objects must become ready; all by default.
    assumed: namespaces that need not exist yet, because an earlier step may only have planned them. Objects in one that
        does not exist are not created by a dry run.
    with_pods: what is deleted counts as gone only when its pods are gone too.
    recreate: delete and create anew what differs in immutable fields (see recreate.py); None does not offer it.
    changes: plans merge patches, creations and deletions of objects that the owner does not own as a whole; called for
        each plan, because it reads the cluster.
    stages: divides a plan's changes into stages, which are written one after the other; None for a single one.
    awaits: what must become ready beside what the unit changes.
    """

    manager: str
    objects: Sequence[Mapping[str, Any]]
    previous_managers: frozenset[str] = frozenset()
    stale: Callable[[Cluster], Iterable[Object]] | None = None
    inventory: Inventory | None = None
    previous: frozenset[str] = frozenset()
    keeps: Callable[[Object], str] = reason_to_keep
    conflicting_objects: Callable[[Cluster], Iterable[Object]] | None = None
    rank: Callable[[Object], int] | None = None
    gate: Callable[[Object], Key | None] | None = None
    adjust: Callable[[Object, Object | None], Object] | None = None
    ignore_fields: Sequence[str] = ()
    awaited: Callable[[Object], bool] | None = None
    assumed: frozenset[str] = frozenset()
    with_pods: bool = False
    previous_owners: frozenset[str] = frozenset()
    force: bool = False
    recreate: bool | None = None
    changes: Callable[[Cluster], Iterable[Change]] | None = None
    stages: Callable[[Plan], Iterable[Stage]] | None = None
    awaits: Callable[[], Iterable[Key]] = tuple
