# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find what the variables of a mesh no longer declare, and earlier runs with them have made.

That is what the record of the site lists, the variables do not, and the cluster still has as the site made it: an
application or the addons with an inventory, a namespace whose label of the revision is ours, a tag of ours that points
at the revision. What has since been declared by another site, or was changed by others, is theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ...kube.errors import ApiError
from ...kube.objects.kinds import MUTATING_WEBHOOK_CONFIGURATION, NAMESPACE
from ...kube.objects.managed_fields import fields_of, held_by
from ...kube.objects.objects import Object
from ...kube.plan.inventory import Inventory, applied_by
from ..application.unit import MANAGER as APPLICATION
from ..injection import namespaces
from ..injection.sidecars import read_state
from ..model import labels
from ..model.labels import labels_of
from ..model.ownership import TAG_MANAGER
from ..model.record import PARTS, Declared, Record, listed_in

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

ADDONS = "meshops.istio/addons"
"""The field manager of addons."""

_KINDS = {
    "addons": "addon",
    "applications": "application",
    "namespaces": "namespace",
    "revision_tags": "revision tag",
}


@dataclass(frozen=True)
class LeftOver:
    """Something left over. since: when it was last applied. reason: why it cannot be removed; empty if it can."""

    part: str
    name: str
    namespace: str = ""
    since: str = ""
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"kind": _KINDS[self.part], **vars(self)}

    @property
    def recorded(self) -> str:
        """Its name in the record."""
        return f"{self.namespace}/{self.name}" if self.part == "applications" else self.name


@dataclass
class Search:
    """What is left over of a site, the live record, and what it has to list from now on."""

    live: Object | None = None
    found: list[LeftOver] = field(default_factory=list)
    recorded: dict[str, list[str]] = field(default_factory=dict)


def search(cluster: Cluster, record: Record, declared: Declared, parts: Collection[str] = PARTS) -> Search:
    """Compare the record of a site with what its variables declare. `parts`: those to compare; others stay recorded.

    Addons are left over only where no addons are declared, because otherwise their own plan prunes them.
    """
    live = record.read(cluster)
    known = listed_in(live) if live else {}
    result = Search(live, recorded={part: list(known.get(part) or ()) for part in PARTS if part not in parts})
    gone = {part: sorted({*(known.get(part) or ())} - {*(declared.get(part) or ())}) for part in parts}
    if declared.get("addons"):
        gone.pop("addons", None)
    finder = _Finder(cluster, record)
    for part in parts:
        names = gone.get(part)
        found = list(getattr(finder, part)(names)) if names else []
        result.found += found
        result.recorded[part] = sorted({*(declared.get(part) or ()), *(one.recorded for one in found)})
    return result


class _Finder:
    def __init__(self, cluster: Cluster, record: Record) -> None:
        self._cluster, self._record = cluster, record
        self._others: dict[Record, Declared] | None = None

    def addons(self, names: Collection[str]) -> Iterator[LeftOver]:
        inventory = Inventory("addons", "", self._record.namespace)
        listed = inventory.read(self._cluster, ADDONS)
        for name in names if listed.keys is not None else ():
            yield from self._unclaimed(LeftOver("addons", name, self._record.namespace, _since(listed.live, ADDONS)))

    def applications(self, names: Collection[str]) -> Iterator[LeftOver]:
        def read(recorded: str) -> LeftOver | None:
            namespace, _slash, name = recorded.partition("/")
            manager = f"{APPLICATION}/{name}"
            listed = Inventory("application", name, namespace).read(self._cluster, manager)
            return LeftOver("applications", name, namespace, _since(listed.live, manager)) if listed.keys else None

        for found in self._cluster.parallel(read, list(names)):
            yield from self._unclaimed(found) if found else ()

    def namespaces(self, names: Collection[str]) -> Iterator[LeftOver]:
        revision = self._record.revision
        modes = [namespaces.wanted_labels("revision", revision or "default")]
        modes += [] if revision else [namespaces.wanted_labels("enabled")]
        wanted = [(key, value) for mode in modes for key, value in mode.items() if value is not None]
        unlabelled = []
        for live in self._cluster.parallel(lambda name: self._cluster.get(NAMESPACE, name), list(names)):
            if live is None:
                continue
            ours = fields_of(live, {namespaces.MANAGER}).get("f:metadata", {}).get("f:labels", {})
            if any(labels_of(live).get(key) == value and f"f:{key}" in ours for key, value in wanted):
                yield LeftOver("namespaces", live["metadata"]["name"], since=_since(live, namespaces.MANAGER))
            else:
                unlabelled.append(live["metadata"]["name"])
        # A run that ended before it restarted the workloads has left their sidecars.
        for one in read_state(self._cluster, unlabelled).namespaces if unlabelled else ():
            if one.injection == "none" and not one.injector and one.outdated:
                yield LeftOver("namespaces", one.name)

    def revision_tags(self, names: Collection[str]) -> Iterator[LeftOver]:
        revision = self._record.revision or "default"
        for webhook in self._cluster.list(MUTATING_WEBHOOK_CONFIGURATION, label_selector=labels.TAG):
            own = labels_of(webhook)
            ours = applied_by(webhook, {TAG_MANAGER}) and own.get(labels.REVISION) == revision
            if ours and own.get(labels.TAG) in names:
                yield LeftOver("revision_tags", own[labels.TAG], since=_since(webhook, TAG_MANAGER))

    def _unclaimed(self, found: LeftOver) -> Iterator[LeftOver]:
        """Yield what no other site declares; if that is another revision of the same site, with the reason to keep it."""
        if self._others is None:
            try:
                self._others = self._record.others(self._cluster)
            except ApiError as error:
                if error.status != 403:
                    raise
                reason = "the records of other sites cannot be read: without permission to list ConfigMaps"
                yield replace(found, reason=reason)
                return
        claims = [place for place, listed in self._others.items() if _claims(place, listed, found)]
        revisions = [
            place.revision or "default"
            for place in claims
            if (place.namespace, place.site) == (self._record.namespace, self._record.site)
        ]
        if not claims:
            yield found
        elif len(revisions) == len(claims):
            reason = f"the variables of revision {', '.join(revisions)} declare it too"
            yield replace(found, reason=reason)


def _claims(place: Record, listed: Declared, found: LeftOver) -> bool:
    # Addons belong to the control planes of a namespace.
    same = found.part != "addons" or place.namespace == found.namespace
    return same and found.recorded in (listed.get(found.part) or ())


def _since(live: Mapping[str, Any] | None, manager: str) -> str:
    """Return when `manager` last wrote an object, or else when it was created."""
    obj: Object = dict(live or {"metadata": {}})
    times = [str(entry["time"]) for entry in held_by(obj, {manager}) if entry.get("time")]
    return max(times, default=str(obj["metadata"].get("creationTimestamp") or ""))
