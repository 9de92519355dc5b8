# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of a mesh: a ConfigMap that lists what the variables of its last runs declared.

There is one for each revision, namespace of control planes and set of variables (site). What it lists and the variables
no longer declare is left over. What is not listed was made by others, and is never left over.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...kube.errors import InvalidInput
from ...kube.objects import managed_fields
from ...kube.objects.kinds import CONFIG_MAP
from ...kube.objects.names import is_label
from ...kube.objects.objects import Key, Object
from ...kube.plan.inventory import LABEL, UNIT
from ...kube.plan.unit import Unit

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

MANAGER = "meshops.istio/mesh_record"
MODULE = "mesh"
"""Value of the label of inventories."""

PARTS = ("addons", "applications", "namespaces", "revision_tags")
"""What a record lists: names of addons, namespaces and tags, and `namespace/name` of applications."""

Declared = Mapping[str, Collection[str]]
"""Names by part."""

_PREFIX = "meshops-istio.mesh"


@dataclass(frozen=True)
class Record:
    """The record of a site. namespace: that of the control plane; `revision` is empty for the default one."""

    namespace: str
    revision: str = ""
    site: str = ""

    def __post_init__(self) -> None:
        if self.site and not is_label(self.site):
            raise InvalidInput(
                f"The site '{self.site}' is invalid: it must consist of at most 63 lower case letters, digits and '-'.",
                site=self.site,
            )

    @property
    def key(self) -> Key:
        """The key of the ConfigMap."""
        name = ".".join(filter(None, (_PREFIX, self.revision or "default", self.site)))
        return Key(*CONFIG_MAP, self.namespace, name)

    def read(self, cluster: Cluster) -> Object | None:
        """Return the ConfigMap; None for one that is not ours, or a copy from another namespace."""
        live = cluster.get(CONFIG_MAP, self.key.name, self.namespace)
        return live if live is not None and place_of(live) == self else None

    def others(self, cluster: Cluster) -> dict[Record, Declared]:
        """Return the records of all other sites of the cluster."""
        return {place: listed_in(one) for place, one in records(cluster).items() if place != self}

    def unit(self, declared: Declared, live: Object | None) -> Unit:
        """Return the desired state: a record that lists `declared`, and none if that is empty. `live`: as it was read."""
        data = {part: "\n".join(sorted(declared[part])) for part in PARTS if declared.get(part)}
        config_map = {
            "apiVersion": CONFIG_MAP.api_version,
            "kind": CONFIG_MAP.kind,
            "metadata": {
                "name": self.key.name,
                "namespace": self.namespace,
                "labels": {LABEL: MODULE, "app.kubernetes.io/managed-by": "meshops.istio"},
                "annotations": {UNIT: f"{self.namespace}/{self.key.name}"},
            },
            "data": data,
        }
        return Unit(
            MANAGER,
            [config_map] if data else [],
            stale=lambda _cluster: [live] if live else [],
            # The control plane that creates it may only be planned.
            assumed=frozenset({self.namespace}),
        )


def records(cluster: Cluster, namespace: str = "") -> dict[Record, Object]:
    """Return the ConfigMaps of all sites, or of those whose control planes are in a namespace."""
    found = cluster.list(CONFIG_MAP, namespace, label_selector=f"{LABEL}={MODULE}")
    return {place: one for one in found if (place := place_of(one)) is not None}


def place_of(config_map: Object) -> Record | None:
    """Return the record that a ConfigMap is; None for another one, or a copy from another namespace."""
    metadata = config_map["metadata"]
    name, namespace = metadata["name"], metadata.get("namespace", "")
    copied = (metadata.get("annotations") or {}).get(UNIT) != f"{namespace}/{name}"
    if copied or not name.startswith(f"{_PREFIX}.") or managed_fields.owned_by(config_map, MANAGER) is None:
        return None
    revision, _dot, site = name.removeprefix(f"{_PREFIX}.").partition(".")
    return Record(namespace, "" if revision == "default" else revision, site)


def listed_in(config_map: Object) -> dict[str, list[str]]:
    """Return what a record lists, by part."""
    data = config_map.get("data") or {}
    return {part: data[part].splitlines() for part in PARTS if data.get(part)}
