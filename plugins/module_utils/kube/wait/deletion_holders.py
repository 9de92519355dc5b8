# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find what blocks the deletion of an object: its finalizers, or those of objects that must be deleted before it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..objects.conditions import conditions, is_true, reason
from ..objects.kinds import POD
from ..objects.objects import Key, Kind, Object, key_of
from .readiness.states import field
from .status import CRD_CLEANUP
from .status_in_cluster import CLAIM, uses

if TYPE_CHECKING:
    from ..api.cluster import Cluster

_MECHANICAL = frozenset({CRD_CLEANUP, "foregroundDeletion", "orphan", "kubernetes", "kubernetes.io/pvc-protection"})
"""Finalizers that Kubernetes removes itself, after other objects are deleted."""

_REMAINING = re.compile(r"([a-z0-9-]+)\.([a-z0-9.-]*) has \d+ resource instances")
"""The remaining resources in a Namespace's condition: resource and group, empty for the core group."""

_FAILURES = ("DiscoveryFailure", "GroupVersionParsingFailure", "ContentFailure")
_NAMED = 3


class Holder(NamedTuple):
    """An object that blocks a deletion (or the object itself), and its finalizers."""

    key: Key
    finalizers: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the holder as plain data."""
        return {**self.key._asdict(), "finalizers": list(self.finalizers)}

    def __str__(self) -> str:
        if not self.finalizers:
            return str(self.key)
        return f"{self.key} (finalizer{'s' if len(self.finalizers) > 1 else ''} {', '.join(self.finalizers)})"


class Hold(NamedTuple):
    """All that blocks the deletion of an object; `failures`: the messages of its conditions."""

    obj: Key
    holders: list[Holder]
    failures: list[str]

    def __str__(self) -> str:
        own = [one for one in self.holders if one.key == self.obj]
        others = [one for one in self.holders if one.key != self.obj]
        held = [f"its finalizer{'s' if len(one.finalizers) > 1 else ''} {', '.join(one.finalizers)}" for one in own]
        held += [str(one) for one in others[:_NAMED]]
        if len(others) > _NAMED:
            held.append(f"{len(others) - _NAMED} more")
        parts = [f"blocked by {' and '.join(held)}"] if held else []
        return "; ".join([*parts, *self.failures])


def hold_on(cluster: Cluster, obj: Object, pods: Callable[[], Iterable[Object]]) -> Hold:
    """Find what blocks the deletion of an object. `pods` lists the pods of its selector."""
    key = key_of(obj)
    finalizers: Sequence[str] = field(obj, "metadata.finalizers") or ()
    own = tuple(one for one in finalizers if one not in _MECHANICAL)
    holders = [Holder(key, own)] if own else []
    failures = []
    if key.kind == "Namespace":
        holders += _ending_first(_content(cluster, obj))
        failures = [
            reason(one)
            for one in conditions(obj)
            if is_true(one) and any(str(one.get("type")).endswith(failure) for failure in _FAILURES)
        ]
    elif CRD_CLEANUP in finalizers:
        holders += _ending_first(_instances(cluster, obj))
        failures = [] if holders else [reason(one) for one in conditions(obj) if one.get("type") == "Terminating"]
    elif key.of == CLAIM:
        using = (pod for pod in cluster.list(POD, key.namespace) if uses(pod, key.name, ending=True))
        holders += [_holder(pod) for pod in using]
    elif "foregroundDeletion" in finalizers:
        holders += [_holder(pod) for pod in pods()]
    return Hold(key, holders, failures)


def _content(cluster: Cluster, namespace: Object) -> Iterator[Object]:
    """Yield the remaining objects of a namespace that is being deleted, of the kinds in its conditions."""
    messages = " ".join(str(one.get("message")) for one in conditions(namespace) if is_true(one))
    for plural, group in dict.fromkeys(_REMAINING.findall(messages)):
        kind = cluster.kind_named(plural, group)
        if kind is not None:
            yield from cluster.list(kind, namespace["metadata"]["name"])


def _instances(cluster: Cluster, definition: Object) -> list[dict[str, Any]]:
    """List the objects of a CustomResourceDefinition's kind."""
    spec = definition["spec"]
    version = next((one["name"] for one in spec["versions"] if one.get("served")), "")
    cluster.learn([definition])
    return cluster.list(Kind(f"{spec['group']}/{version}", spec["names"]["kind"])) if version else []


def _ending_first(objects: Iterable[Object]) -> list[Holder]:
    """Return the objects that are being deleted and have finalizers, else those being deleted, else all, as holders."""
    found = list(objects)
    ending = [one for one in found if field(one, "metadata.deletionTimestamp")]
    held = [one for one in ending if field(one, "metadata.finalizers")]
    return [_holder(one) for one in held or ending or found]


def _holder(obj: Object) -> Holder:
    return Holder(key_of(obj), tuple(field(obj, "metadata.finalizers") or ()))
