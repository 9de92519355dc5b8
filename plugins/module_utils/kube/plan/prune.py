# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the objects of a unit to prune, and those to keep.

An object is deleted only if the unit's field manager applied it, no controller owns it, and the unit's inventory lists
it. Without an inventory, as after an early release of the collection, objects are searched for by labels, and deleted
only if the field manager has written them itself, so that copies are not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from ..api.cluster import Cluster
from ..objects import managed_fields
from ..objects.builtin_kinds import BUILT_IN, defined_by
from ..objects.kinds import NAMESPACE, PERSISTENT_VOLUME_CLAIM
from ..objects.objects import Key, Object, key_of
from .inventory import Record, Recording, applied_by, is_controlled
from .keep import Kept
from .unit import Unit

Identity = tuple[str, str, str, str]

_DEFINITION = "CustomResourceDefinition"


@dataclass
class Leftovers:
    """The objects of a unit that are no longer desired, and the change of its inventory.

    deleted: those to delete. ending: those that are already being deleted. kept: those to keep, and why.
    """

    deleted: list[Object] = field(default_factory=list)
    ending: list[Key] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    recording: Recording | None = None


class Pruning:
    """The objects of a unit in the cluster, by its inventory, or by its labels if it has none."""

    def __init__(self, cluster: Cluster, unit: Unit) -> None:
        self._cluster, self._unit = cluster, unit
        self._record = unit.inventory.read(cluster, unit.manager) if unit.inventory else Record(None, None)
        searches = self._record.keys is None or (unit.inventory is not None and unit.inventory.searches)
        self.found: dict[Identity, Object] = {
            key_of(obj).identity: obj for obj in (unit.stale(cluster) if unit.stale and searches else ())
        }
        self._listed = {key.identity: key for key in self._record.keys or ()}

    def to_read(self, wanted: Collection[Identity]) -> list[Key]:
        """Return the keys in the inventory that are neither wanted nor found, at versions that the API server serves."""
        keys = [key for identity, key in self._listed.items() if identity not in wanted and identity not in self.found]
        kinds = {key.of for key in keys}
        served = {kind: kind if kind in BUILT_IN else self._cluster.at_served_version(kind) for kind in kinds}
        # A kind that is no longer served has no objects.
        return [key._replace(api_version=kind.api_version) for key in keys if (kind := served[key.of])]

    def leftovers(self, live: Mapping[Identity, Object], wanted: Sequence[Object]) -> Leftovers:
        """Return the unit's live objects that are not `wanted`."""
        named = {key_of(obj).identity for obj in wanted}
        candidates = {**self.found, **{identity: live[identity] for identity in self._listed if identity in live}}
        found, remaining = Leftovers(), []
        for identity, obj in candidates.items():
            if identity in named or not self._is_ours(identity, obj):
                continue
            if obj["metadata"].get("deletionTimestamp"):
                found.ending.append(key_of(obj))
            elif not self._prunes(obj):
                remaining.append(key_of(obj))
            elif reason := self._unit.keeps(obj):
                found.kept.append(Kept(key_of(obj), reason))
            else:
                found.deleted.append(obj)
        self._keep_what_holds(found)
        if self._unit.inventory:
            found.recording = self._recording(found, wanted, [*remaining, *found.ending])
        return found

    def conflicting(self) -> Leftovers:
        """Return the unit's conflicting objects: to delete, being deleted, and kept."""
        found = Leftovers()
        for obj in self._unit.conflicting_objects(self._cluster) if self._unit.conflicting_objects else ():
            if obj["metadata"].get("deletionTimestamp"):
                found.ending.append(key_of(obj))
            elif reason := self._unit.keeps(obj):
                found.kept.append(Kept(key_of(obj), reason))
            else:
                found.deleted.append(obj)
        self._keep_what_holds(found)
        return found

    def _is_ours(self, identity: Identity, obj: Object) -> bool:
        inventory, ours = self._unit.inventory, {self._unit.manager, *self._unit.previous}
        if is_controlled(obj) or (inventory is not None and not inventory.owns(obj)):
            return False
        if identity in self._listed:
            return bool(managed_fields.held_by(obj, ours))
        return applied_by(obj, ours if self._record.keys is None else self._unit.previous)

    def _prunes(self, obj: Object) -> bool:
        return self._unit.inventory is None or self._unit.inventory.prunes(obj)

    def _keep_what_holds(self, found: Leftovers) -> None:
        """Keep namespaces and CRDs whose deletion would delete a kept object, or any PersistentVolumeClaim."""
        deleted = {key_of(obj).identity for obj in found.deleted}
        namespaces = [obj["metadata"]["name"] for obj in found.deleted if obj["kind"] == NAMESPACE.kind]
        claims = [
            key_of(claim)
            for claims in self._cluster.parallel(
                lambda name: self._cluster.list(PERSISTENT_VOLUME_CLAIM, name), namespaces
            )
            for claim in claims
            if key_of(claim).identity not in deleted and self._unit.keeps(claim)
        ]
        kept = [*(one.key for one in found.kept), *claims]
        for obj in list(found.deleted):
            held = next((key for key in kept if _goes_with(key, obj) or (found.kept and self._is_its_place(obj))), None)
            if held is not None:
                found.deleted.remove(obj)
                found.kept.append(
                    Kept(
                        key_of(obj), f"{held} would {'be deleted' if _goes_with(held, obj) else 'no longer be listed'}"
                    )
                )

    def _is_its_place(self, obj: Object) -> bool:
        """Return whether the unit's inventory is in this namespace."""
        inventory = self._unit.inventory
        return inventory is not None and key_of(obj) == Key(*NAMESPACE, "", inventory.namespace)

    def _recording(self, found: Leftovers, wanted: Sequence[Object], remaining: Sequence[Key]) -> Recording | None:
        inventory = self._unit.inventory
        if inventory is None:
            return None
        recorded = [key_of(obj) for obj in wanted if inventory.records(obj)]
        after = [*recorded, *(one.key for one in found.kept), *remaining]
        # A ConfigMap of that name that is not an inventory of this unit is overwritten, but never deleted.
        recording = Recording(inventory, self._record.live if self._record.keys is not None else None, after=after)
        during = [*after, *map(key_of, found.deleted)]
        if not {key.identity for key in during} <= self._listed.keys() and (after or self._record.keys is not None):
            others = [key for identity, key in self._listed.items() if identity not in {one.identity for one in during}]
            recording.during = inventory.listing([*during, *others])
        return recording


def _goes_with(key: Key, obj: Object) -> bool:
    if obj["kind"] == NAMESPACE.kind:
        return bool(key.namespace == obj["metadata"]["name"])
    return obj["kind"] == _DEFINITION and (key.of.group, key.kind) == defined_by(obj)
