# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster in memory: stores objects and serves get, list and watch of them as an API server does."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Access, Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.metrics import Meter
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.transport import Fence
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import ApiError
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.builtin_kinds import BUILT_IN
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind, key_of

Object = dict[str, Any]
Objects = list[Object]
Results = list


class FakeCluster(Cluster):
    """Safe for use by threads at once, and a Cluster by its type so that its methods stay the same. No controllers: what changes is what a test changes.

    `denied_accesses` is what the user may not do, and `on_watch` are functions that are run one after the other, one each time a watch is open.
    """

    patience = 30.0
    meter = Meter()
    deadline: float | None = None
    fence: Fence | None = None

    def __init__(self, *objects: Object) -> None:  # on purpose without the parent's: there is no connection
        self.on_watch: list[Callable[[], None]] = []
        self.requests: list[tuple[str, Kind, str]] = []
        self._changed = threading.Condition(threading.RLock())
        self._objects: dict[Key, Object] = {}
        self._history: list[tuple[int, str, Object]] = []
        self._counter = 100
        self._oldest = 100
        self._connections = 0
        self._failures: list[tuple[str, Exception]] = []
        self._forbidden: set[tuple[Kind, str]] = set()
        self._resources = dict(BUILT_IN)
        self.denied_accesses: set[Access] = set()
        self.context = "fake"
        for obj in objects:
            self.put(obj)

    @property
    def warnings(self) -> Results[str]:
        return []

    def denied(self, checks: Sequence[Access]) -> Results[Access]:
        return [
            check for check in checks if check in self.denied_accesses or (self.denied_accesses and check.verb == "*")
        ]

    # --- what a test does to it

    def put(self, obj: Object) -> None:
        """Create an object, or replace it."""
        with self._changed:
            self._counter += 1
            obj = copy.deepcopy(obj)
            obj["metadata"]["resourceVersion"] = str(self._counter)
            key = key_of(obj)
            self._history.append((self._counter, "MODIFIED" if key in self._objects else "ADDED", obj))
            self._objects[key] = obj
            self._changed.notify_all()

    def remove(self, key: Key) -> None:
        """Remove an object for good."""
        with self._changed:
            self._counter += 1
            obj = copy.deepcopy(self._objects.pop(key))
            obj["metadata"]["resourceVersion"] = str(self._counter)
            self._history.append((self._counter, "DELETED", obj))
            self._changed.notify_all()

    def drop_connections(self) -> None:
        """End all open watches as if the network did."""
        with self._changed:
            self._connections += 1
            self._changed.notify_all()

    def forget_history(self) -> None:
        """Answer 410 to watches from versions up to now."""
        with self._changed:
            self._counter += 1
            self._oldest = self._counter

    def fail_once(self, verb: str, error: Exception) -> None:
        """Raise `error` for the next request with this verb."""
        with self._changed:
            self._failures.append((verb, error))

    def forbid(self, kind: Kind, namespace: str = "") -> None:
        """Refuse lists of a kind in `namespace`; empty: those of the whole cluster."""
        self._forbidden.add((kind, namespace))

    def kind_named(self, plural: str, group: str) -> Kind | None:
        known = self._resources
        return next((kind for kind in known if kind.group == group and known[kind].plural == plural), None)

    # --- what a Cluster does

    def get(self, kind: Kind, name: str, namespace: str = "") -> Object | None:
        self._note("get", kind, namespace)
        with self._changed:
            return copy.deepcopy(self._objects.get(Key(*kind, namespace, name)))

    def list(self, kind: Kind, namespace: str = "", *, label_selector: str = "", field_selector: str = "") -> Objects:
        return self.list_with_version(kind, namespace, label_selector=label_selector, field_selector=field_selector)[0]

    def list_with_version(
        self, kind: Kind, namespace: str = "", *, label_selector: str = "", field_selector: str = ""
    ) -> tuple[Objects, str]:
        self._note("list", kind, namespace)
        with self._changed:
            found = [
                copy.deepcopy(obj)
                for obj in self._objects.values()
                if _selected(obj, kind, namespace, label_selector, field_selector)
            ]
            return found, str(self._counter)

    def watch(
        self,
        kind: Kind,
        namespace: str = "",
        *,
        resource_version: str,
        timeout: float,
        label_selector: str = "",
        field_selector: str = "",
    ) -> Iterator[tuple[str, Object]]:
        self._note("watch", kind, namespace)
        ends = time.monotonic() + timeout
        seen = int(resource_version)
        with self._changed:
            connection = self._connections
            step = self.on_watch.pop(0) if self.on_watch else None
            if step:
                step()
        while True:
            with self._changed:
                if seen < self._oldest:
                    raise ApiError("The API server answered 410: too old resource version.", status=410, reason="Gone")
                news = [event for event in self._history if event[0] > seen]
                if not news:
                    if connection != self._connections or not self._changed.wait(max(0.0, ends - time.monotonic())):
                        return
                    continue
            for version, event, obj in news:
                seen = version
                if _selected(obj, kind, namespace, label_selector, field_selector):
                    yield event, copy.deepcopy(obj)

    def _note(self, verb: str, kind: Kind, namespace: str) -> None:
        with self._changed:
            self.requests.append((verb, kind, namespace))
            failure = next((failure for failure in self._failures if failure[0] == verb), None)
            if failure:
                self._failures.remove(failure)
                raise failure[1]
        if verb == "list" and (kind, namespace) in self._forbidden:
            raise ApiError(f"The API server answered 403: {kind.kind} is forbidden.", status=403, reason="Forbidden")


def _selected(obj: Object, kind: Kind, namespace: str, label_selector: str, field_selector: str) -> bool:
    key = key_of(obj)
    labels = obj["metadata"].get("labels") or {}
    about = obj.get("involvedObject") or {}
    fields = {"metadata.name": key.name, "type": obj.get("type")}
    fields |= {f"involvedObject.{name}": about.get(name) for name in ("kind", "name")}
    return (
        key.of == kind
        and namespace in ("", key.namespace)
        and all(labels.get(name) == value for name, value in _pairs(label_selector))
        and all(fields[name] == value for name, value in _pairs(field_selector))
    )


def _pairs(selector: str) -> Iterator[tuple[str, str]]:
    for part in filter(None, selector.split(",")):
        name, _, value = part.partition("=")
        yield name, value
