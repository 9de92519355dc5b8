# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory of a unit: a ConfigMap that lists the objects that the unit has applied.

Its data has a key for each kind, such as `Deployment.v1.apps`, with a line `namespace/name` for each object. It is written
before the objects, and reduced after deletions, so that all applied objects are found again.
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
"""Label of each inventory; its value is the module, such as `application`."""

UNIT = "meshops.istio/inventory-of"
"""Annotation with the unit as `namespace/name`, so that a copy in another namespace is ignored."""

_PREFIX = "meshops-istio"
_MANAGED = {"app.kubernetes.io/managed-by": "meshops.istio"}
_ROUNDING = timedelta(seconds=1)
"""creationTimestamp may be later than the time of the apply in managedFields."""


def _every(_obj: Object) -> bool:
    return True


@dataclass(frozen=True)
class Inventory:
    """The location and the rules of a unit's inventory.

    module: the module of the unit. name: the unit's name; empty if there is only one in `namespace`.
    records: which of the unit's objects are listed; others are never pruned.
    owns: whether a listed live object still belongs to the unit; others are removed from the list.
    prunes: which objects that are no longer desired this run deletes; others stay listed.
    searches: whether to call the unit's `stale` in addition to the inventory.
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
        """The key of the ConfigMap."""
        name = ".".join(filter(None, (_PREFIX, self.module.replace("_", "-"), self.name)))
        return Key(*CONFIG_MAP, self.namespace, name)

    def read(self, cluster: Cluster, manager: str) -> Record:
        """Read the inventory. Ignores a ConfigMap of another unit, or that `manager` has not applied."""
        live = cluster.get(CONFIG_MAP, self.key.name, self.namespace)
        if live is None:
            return Record(None, None)
        notes = live["metadata"].get("annotations") or {}
        ours = managed_fields.owned_by(live, manager) is not None and notes.get(UNIT) == f"{self.namespace}/{self.name}"
        return Record(live, listed_in(live) if ours else None)

    def listing(self, keys: Collection[Key]) -> Object | None:
        """Return the ConfigMap that lists these objects; None for no objects."""
        if not keys:
            return None
        lines: dict[str, list[str]] = {}
        # Recreated objects are in the keys twice.
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
    """An inventory in the cluster: the ConfigMap and its keys; None without an inventory."""

    live: Object | None
    keys: list[Key] | None


@dataclass
class Recording:
    """An inventory before, during and after a plan is applied. `during`: None if it need not be written first.

    after: the objects listed at the end; if empty, the ConfigMap is deleted.
    """

    inventory: Inventory
    before: Object | None
    during: Object | None = None
    after: list[Key] = field(default_factory=list)

    @property
    def first(self) -> Object | None:
        """The ConfigMap to write before any of the objects."""
        return self.during if self.during is not None and _differs(self.before, self.during) else None

    @property
    def last(self) -> Object | None:
        """The ConfigMap at the end."""
        return self.inventory.listing(self.after)

    @property
    def action(self) -> str:
        """The action for the ConfigMap: create, update or delete; empty for none."""
        last = self.last
        if last is None:
            return "delete" if self.before is not None else ""
        if self.before is None:
            return "create"
        if self.first is not None:
            return "update"
        # Listed objects that others have deleted are harmless, and removed by the next run with changes.
        gone = {key.identity for key in listed_in(self.before)} - {key.identity for key in self.after}
        return "update" if not gone and _differs(self.before, last) else ""

    def finish(self, cluster: Cluster, manager: str, remaining: Iterable[Key]) -> None:
        """Write the final list, and the deleted objects that still exist."""
        wanted = self.inventory.listing([*self.after, *remaining])
        now = self.during if self.first is not None else self.before
        key = self.inventory.key
        if wanted is None:
            if now is not None:
                cluster.delete(key.of, key.name, key.namespace)
        elif _differs(now, wanted):
            cluster.apply(wanted, manager=manager)


def listed_in(config_map: Object) -> list[Key]:
    """Return the keys in an inventory's ConfigMap."""
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
    """Return whether one of `managers` has written this object, and not an original of which it is a copy.

    A copy may have the managedFields of its original, but these are older than the copy.
    """
    created = _time(obj["metadata"].get("creationTimestamp"))
    for entry in managed_fields.held_by(obj, managers):
        written = _time(entry.get("time"))
        if created is None or written is None or written + _ROUNDING >= created:
            return True
    return False


def is_controlled(obj: Mapping[str, Any]) -> bool:
    """Return whether a controller owns the object."""
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
