# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One object that a plan creates, updates or deletes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import Refused
from ..objects import merge_patch
from ..objects.objects import Key, Object, key_of


@dataclass(frozen=True)
class Change:
    """One object to create, update or delete. `before` is live, `after` what the API server will make of it.

    previous_managers: the previous field managers whose fields become the unit's.
    problem: why the API server does not accept it; `after` is an estimate then.
    first: it is deleted before anything is applied, not afterwards.
    recreated: the object is deleted and created again.
    patch: the unit does not own the object as a whole: `desired` is a JSON merge patch, or the object to create.
    awaited: the patched object must become ready.
    owners: managedFields entries that a created object gets back.
    digest_as: what stands for `desired` in the plan's digest, where it differs with each run (a time stamp).
    note: what the title of its diff says in addition, such as the step of a canary.
    """

    action: str
    key: Key
    before: Object | None
    after: Object | None
    desired: Object | None = None
    previous_managers: frozenset[str] = frozenset()
    problem: Refused | None = None
    first: bool = False
    recreated: bool = False
    patch: bool = False
    awaited: bool = False
    owners: Sequence[Mapping[str, Any]] = ()
    digest_as: str = ""
    note: str = ""

    @property
    def summary(self) -> dict[str, str]:
        """The change as data: action, api_version, kind, namespace, name."""
        return {"action": self.action, **self.key._asdict()}


def patched(live: Object, patch: Object, **more: Any) -> Change | None:
    """Plan a JSON merge patch of a live object; None where it changes nothing."""
    if merge_patch.holds(live, patch):
        return None
    key, after = key_of(live), merge_patch.applied(live, patch)
    identity = {"apiVersion": key.api_version, "kind": key.kind}
    metadata = {**(patch.get("metadata") or {}), "name": key.name, **_namespace(key)}
    return Change("update", key, live, after, {**patch, **identity, "metadata": metadata}, patch=True, **more)


def created(obj: Object, **more: Any) -> Change:
    """Plan the creation of an object that the unit does not own afterwards."""
    return Change("create", key_of(obj), None, obj, obj, patch=True, **more)


def patch_body(desired: Object, live: Mapping[str, Any]) -> Object:
    """Return the body of a merge patch, which the API server accepts at the version of `live` only."""
    body = {name: value for name, value in desired.items() if name not in ("apiVersion", "kind")}
    metadata = {name: value for name, value in body["metadata"].items() if name not in ("name", "namespace")}
    known = live["metadata"]
    guards = {name: known[name] for name in ("resourceVersion", "uid") if name in known}
    return {**body, "metadata": {**metadata, **guards}}


def _namespace(key: Key) -> dict[str, str]:
    return {"namespace": key.namespace} if key.namespace else {}


def clean(obj: Mapping[str, Any] | None) -> Object | None:
    """Return an object without what changes by itself: status, versions, times, and the owners of its fields."""
    if obj is None:
        return None
    metadata = {name: value for name, value in obj["metadata"].items() if name not in _VOLATILE}
    return {**{name: value for name, value in obj.items() if name != "status"}, "metadata": metadata}


_VOLATILE = frozenset({"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"})
