# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory of a unit: a ConfigMap in the cluster that lists which objects the unit has applied.

Its data has a key for each kind, such as `Deployment.v1.apps`, with a line `namespace/name` for each object. It is
written before the objects and narrowed after the deletions, so that whatever was applied is found again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..api.cluster import Cluster
from ..objects import managed_fields
from ..objects.kinds import CONFIG_MAP
from ..objects.objects import Key, Kind, Object

Identity = tuple[str, str, str, str]

LABEL = "meshops.istio/inventory"
"""Label of each inventory; its value is what made the unit, such as `application`."""

UNIT = "meshops.istio/inventory-of"
"""Annotation with the unit as `namespace/name`: a copy in another namespace is no inventory there."""

_PREFIX = "meshops-istio"
_MANAGED = {"app.kubernetes.io/managed-by": "meshops.istio"}
_ROUNDING = timedelta(seconds=1)
"""An object is created a moment after the time that is noted for the apply which creates it."""


def _every(_obj: Object) -> bool:
    return True


@dataclass(frozen=True)
class Inventory:
    """Where the inventory of a unit is, and what it is about.

    module: what makes the unit. name: the unit's name; empty where there is one in `namespace`.
    records: which of the unit's objects are listed; others are never pruned.
    owns: whether a live object that is listed still belongs to the unit; others are forgotten.
    prunes: which of the objects that are no longer wanted this run deletes; others stay listed.
    searches: whether the unit's `stale` is asked although there is an inventory.
    """

    module: str
    name: str
    namespace: str
    records: Callable[[Object], bool] = _every
    owns: Callable[[Object], bool] = _every
    prunes: Callable[[Object], bool] = _every
    searches: bool = False

    @property
    def key(self) -> Key:
        """The ConfigMap."""
        name = ".".join(filter(None, (_PREFIX, self.module.replace("_", "-"), self.name)))
        return Key(*CONFIG_MAP, self.namespace, name)

    def read(self, cluster: Cluster, manager: str) -> Record:
        """What the cluster has of it. A ConfigMap that `manager` has not applied, or of another unit, is none."""
        live = cluster.get(CONFIG_MAP, self.key.name, self.namespace)
        if live is None:
            return Record(None, None)
        notes = live["metadata"].get("annotations") or {}
        ours = managed_fields.owned_by(live, manager) is not None and notes.get(UNIT) == f"{self.namespace}/{self.name}"
        return Record(live, listed_in(live) if ours else None)

    def listing(self, keys: Collection[Key]) -> Object | None:
        """The ConfigMap that lists these objects; None for none."""
        if not keys:
            return None
        lines: dict[str, list[str]] = {}
        # What was deleted to be created anew is among the keys twice.
        for key in sorted({key.identity: key for key in keys}.values()):
            lines.setdefault(_section(key.of), []).append(f"{key.namespace}/{key.name}")
        return {
            "apiVersion": CONFIG_MAP.api_version,
            "kind": CONFIG_MAP.kind,
            "metadata": {
                "name": self.key.name,
                "namespace": self.namespace,
                "labels": {LABEL: self.module, **_MANAGED},
                "annotations": {UNIT: f"{self.namespace}/{self.name}"},
            },
            "data": {section: "\n".join(listed) for section, listed in lines.items()},
        }


@dataclass(frozen=True)
class Record:
    """An inventory in the cluster: the ConfigMap, and the keys that it lists; None where there is no inventory."""

    live: Object | None
    keys: list[Key] | None


@dataclass
class Recording:
    """An inventory before, while and after a plan is carried out. `during` is None where it need not be written first.

    after: the objects that are listed in the end; without any there is no ConfigMap.
    """

    inventory: Inventory
    before: Object | None
    during: Object | None = None
    after: list[Key] = field(default_factory=list)

    @property
    def first(self) -> Object | None:
        """What has to be written before any of the objects."""
        return self.during if self.during is not None and _differs(self.before, self.during) else None

    @property
    def last(self) -> Object | None:
        """The ConfigMap as it has to be in the end."""
        return self.inventory.listing(self.after)

    @property
    def action(self) -> str:
        """What happens to the ConfigMap in all: create, update or delete; empty for nothing."""
        last = self.last
        if last is None:
            return "delete" if self.before is not None else ""
        if self.before is None:
            return "create"
        if self.first is not None:
            return "update"
        # That it lists what has gone by itself is harmless, and mended by the next run that writes.
        gone = {key.identity for key in listed_in(self.before)} - {key.identity for key in self.after}
        return "update" if not gone and _differs(self.before, last) else ""

    def finish(self, cluster: Cluster, manager: str, remaining: Iterable[Key]) -> None:
        """Write what is listed in the end, and what of the deleted objects is still there."""
        wanted = self.inventory.listing([*self.after, *remaining])
        now = self.during if self.first is not None else self.before
        key = self.inventory.key
        if wanted is None:
            if now is not None:
                cluster.delete(key.of, key.name, key.namespace)
        elif _differs(now, wanted):
            cluster.apply(wanted, manager=manager)


def listed_in(config_map: Object) -> list[Key]:
    """The keys that an inventory's ConfigMap lists."""
    found = []
    for section, lines in (config_map.get("data") or {}).items():
        kind, _dot, rest = section.partition(".")
        version, _dot, group = rest.partition(".")
        for line in lines.splitlines():
            namespace, slash, name = line.partition("/")
            if kind and version and slash and name:
                found.append(Key(f"{group}/{version}" if group else version, kind, namespace, name))
    return found


def applied_by(obj: Mapping[str, Any], managers: Collection[str]) -> bool:
    """Whether one of `managers` has written this very object.

    A copy may carry the managedFields of its original, but these are older than the copy is.
    """
    created = _time(obj["metadata"].get("creationTimestamp"))
    for entry in managed_fields.held_by(obj, managers):
        written = _time(entry.get("time"))
        if created is None or written is None or written + _ROUNDING >= created:
            return True
    return False


def is_controlled(obj: Mapping[str, Any]) -> bool:
    """Whether a controller has made the object, and looks after it."""
    return any(one.get("controller") for one in obj["metadata"].get("ownerReferences") or ())


def _time(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def _differs(live: Object | None, wanted: Object) -> bool:
    if live is None or live.get("data") != wanted["data"]:
        return True
    metadata = live["metadata"]
    parts = ("labels", "annotations")
    return any(not wanted["metadata"][part].items() <= (metadata.get(part) or {}).items() for part in parts)


def _section(kind: Kind) -> str:
    group, _slash, version = kind.api_version.rpartition("/")
    return f"{kind.kind}.{version}.{group}".rstrip(".")
