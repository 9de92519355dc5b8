# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of an upgrade in the cluster: a ConfigMap with what cannot be read from the mesh once it has changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ...kube.apply.lock import Lock
from ...kube.errors import Refused
from ...kube.objects.kinds import CONFIG_MAP
from ...kube.objects.objects import Object, key_of
from ...kube.objects.shapes import MAP, TEXT, List, Map, fitting
from ...kube.plan.change import Change
from ...kube.plan.unit import Unit
from ..model.ownership import UPGRADE_RECORD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...kube.api.cluster import Cluster

MANAGER = "meshops.istio/upgrade"
LOCK = Lock.of("upgrade")

_KEY = "upgrade"
_PLANE = Map({"revision": TEXT, "version": TEXT}, required=("revision", "version"))
_SHAPE = Map(
    {"from": _PLANE, "to": _PLANE, "tags": List(TEXT), "namespaces": MAP, "moved": TEXT}, required=("from", "to")
)


class Plane(NamedTuple):
    """A control plane: its revision (`default` for the one without a name) and its version."""

    revision: str
    version: str

    def __str__(self) -> str:
        return f"{self.version} (revision {self.revision})"


@dataclass(frozen=True)
class Record:
    """An upgrade from one control plane to another.

    tags: the revision tags that pointed at the old one. namespaces: the injection labels of each namespace that it
    injected. moved: when the last proxy had left the old one, as a time stamp; empty before.
    """

    old: Plane
    new: Plane
    tags: tuple[str, ...] = ()
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    moved: str = ""

    def including(self, tags: Iterable[str], namespaces: Mapping[str, Mapping[str, str]]) -> Record:
        """Return the record with tags and namespaces that were not there when it was begun."""
        return replace(
            self,
            tags=tuple(sorted({*self.tags, *tags})),
            namespaces={**namespaces, **self.namespaces},
        )

    def unit(self, namespace: str) -> Unit:
        """Return the unit that writes it."""
        content = {
            "from": self.old._asdict(),
            "to": self.new._asdict(),
            "tags": sorted(self.tags),
            "namespaces": {name: dict(own) for name, own in sorted(self.namespaces.items())},
            "moved": self.moved,
        }
        data = {_KEY: json.dumps(content, indent=1, sort_keys=True)}
        return Unit(MANAGER, [{**_empty(namespace), "data": data}])


def read(cluster: Cluster, namespace: str) -> Record | None:
    """Read the record; None if there is none. Raises Refused for one that cannot be read."""
    found = cluster.get(CONFIG_MAP, UPGRADE_RECORD, namespace)
    return None if found is None else parse(found)


def parse(config_map: Mapping[str, Any]) -> Record:
    """Return the record in a ConfigMap. Raises Refused if it holds none."""
    place = f"ConfigMap {config_map['metadata'].get('namespace', '')}/{UPGRADE_RECORD}"
    try:
        found = fitting(json.loads((config_map.get("data") or {}).get(_KEY) or ""), _SHAPE)
    except ValueError:
        found = None
    if not found or not all(found[end][part] for end in ("from", "to") for part in Plane._fields):
        raise Refused(
            f"Cannot read the upgrade in {place}: it is not what this collection wrote. Delete it to begin an upgrade"
            " anew.",
            code="record_unreadable",
        )
    return Record(
        Plane(found["from"]["revision"], found["from"]["version"]),
        Plane(found["to"]["revision"], found["to"]["version"]),
        tuple(found.get("tags") or ()),
        {name: dict(own) for name, own in (found.get("namespaces") or {}).items() if isinstance(own, dict)},
        found.get("moved") or "",
    )


def removed(namespace: str) -> Unit:
    """Return the unit without the record."""

    def deletions(cluster: Cluster) -> list[Change]:
        live = cluster.get(CONFIG_MAP, UPGRADE_RECORD, namespace)
        key = key_of(_empty(namespace))
        return [] if live is None else [Change("delete", key, live, None, patch=True)]

    return Unit(MANAGER, [], changes=deletions)


def _empty(namespace: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": UPGRADE_RECORD, "namespace": namespace}}
