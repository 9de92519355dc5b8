# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Observe objects and their changes: list and watch, in parallel for each kind."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from typing import Any, NamedTuple

from .. import threads
from ..api.cluster import Cluster
from ..errors import ApiError, Unreachable
from ..objects.objects import Key, Kind, key_of

HEARTBEAT = 1.0
"""Seconds after which an observer is called without news."""

SLICE = 30.0
"""Seconds of one watch, which limits how long a dead or unneeded connection stays open."""

PAUSE = 0.5
"""Seconds between attempts if the API server does not serve the kind."""

_PASSING = frozenset({401, 404, 410, 429})
"""Errors of a watch after which to list again: expired token, kind not found, expired version, too many requests."""


class Scope(NamedTuple):
    """The scope of one watch. `wanted`: the objects to report, also while they do not exist; None means all."""

    kind: Kind
    namespace: str = ""
    label_selector: str = ""
    field_selector: str = ""
    wanted: frozenset[Key] | None = None


class News(NamedTuple):
    """The current state of an object; None if it does not exist."""

    key: Key
    obj: dict[str, Any] | None


def scopes_of(keys: Iterable[Key]) -> list[Scope]:
    """Return the narrowest scope for each kind among `keys`."""
    by_kind: dict[Kind, set[Key]] = {}
    for key in keys:
        by_kind.setdefault(key.of, set()).add(key)
    return [_scope(kind, wanted) for kind, wanted in by_kind.items()]


def _scope(kind: Kind, wanted: Iterable[Key]) -> Scope:
    wanted = frozenset(wanted)
    namespaces, names = {key.namespace for key in wanted}, {key.name for key in wanted}
    return Scope(
        kind,
        namespaces.pop() if len(namespaces) == 1 else "",
        field_selector=f"metadata.name={names.pop()}" if len(names) == 1 else "",
        wanted=wanted,
    )


def observe(cluster: Cluster, scopes: Iterable[Scope], *, timeout: float) -> Generator[News | None, None, None]:
    """Yield the objects in `scopes` and their changes, for `timeout` seconds; None if nothing is new.

    Continues after lost connections, expired versions and while the API server is unreachable; raises Unreachable if it
    still is after the timeout. Raises permanent errors at once: missing permissions, invalid requests.
    """
    observer = _Observer(cluster, time.monotonic() + timeout)
    try:
        for scope in scopes:
            observer.start(scope)
        yield from observer.news()
    finally:
        observer.stopped.set()


class _Report(NamedTuple):
    news: News | BaseException
    processed: threading.Event


class _Observer:
    """Threads that watch, and their reports to the waiting thread. The threads end by themselves."""

    def __init__(self, cluster: Cluster, ends: float) -> None:
        self.stopped = threading.Event()
        self._cluster = cluster
        self._ends = ends
        self._reports: queue.SimpleQueue[_Report] = queue.SimpleQueue()
        self._unreachable: dict[Scope, Unreachable] = {}

    def start(self, scope: Scope) -> None:
        # Not a pool, whose threads would be joined at exit, while a watch may take long to end.
        threads.start(self._run, scope, name=f"watch {scope.kind.kind}")

    def news(self) -> Iterator[News | None]:
        while True:
            remaining = self._ends - time.monotonic()
            try:
                report = self._reports.get(timeout=max(0.0, min(HEARTBEAT, remaining)))
            except queue.Empty:
                if remaining <= 0:
                    break
                yield None
                continue
            if isinstance(report.news, BaseException):
                raise report.news
            yield report.news
            report.processed.set()
        for error in list(self._unreachable.values()):
            raise error

    def _run(self, scope: Scope) -> None:
        try:
            self._follow(scope)
        except BaseException as error:  # noqa: BLE001 - raised in the waiting thread
            self._report(error)

    def _follow(self, scope: Scope) -> None:
        known: set[Key] = set()
        while not self.stopped.is_set():
            try:
                version = self._list(scope, known)
                self._unreachable.pop(scope, None)
                while version and not self.stopped.is_set():
                    version = self._watch(scope, known, version)
                # No version: the kind is not served yet.
            except Unreachable as error:
                self._unreachable[scope] = error
            except ApiError as error:
                if error.status == 403 and self._split(scope):
                    return
                if error.status not in _PASSING and error.status < 500:
                    raise
            self.stopped.wait(PAUSE)

    def _list(self, scope: Scope, known: set[Key]) -> str:
        """Report the current state of all objects; return the resourceVersion to watch from."""
        items, version = self._cluster.list_with_version(
            scope.kind, scope.namespace, label_selector=scope.label_selector, field_selector=scope.field_selector
        )
        present = {key_of(obj): obj for obj in items}
        for key in known | (scope.wanted or set()) | (set(present) if scope.wanted is None else set()):
            self._report_object(known, key, present.get(key))
        return version

    def _watch(self, scope: Scope, known: set[Key], version: str) -> str:
        """Report changes for a while; return the resourceVersion to continue from."""
        started = time.monotonic()
        before = version
        events = self._cluster.watch(
            scope.kind,
            scope.namespace,
            resource_version=version,
            timeout=max(0.1, min(SLICE, self._ends - started)),
            label_selector=scope.label_selector,
            field_selector=scope.field_selector,
        )
        for event, obj in events:
            if event != "BOOKMARK" and (scope.wanted is None or key_of(obj) in scope.wanted):
                self._report_object(known, key_of(obj), None if event == "DELETED" else obj)
            version = obj["metadata"]["resourceVersion"]
            if self.stopped.is_set():
                break
        if version == before and time.monotonic() - started < PAUSE:
            self.stopped.wait(PAUSE)  # do not loop if a proxy closes watches at once
        return version

    def _report_object(self, known: set[Key], key: Key, obj: dict[str, Any] | None) -> None:
        (known.discard if obj is None else known.add)(key)
        self._report(News(key, obj))

    def _report(self, news: News | BaseException) -> None:
        """Report, and wait until the report is processed, so that no watch is restarted after the end."""
        report = _Report(news, threading.Event())
        self._reports.put(report)
        while not self.stopped.is_set() and not report.processed.wait(0.1):
            pass

    def _split(self, scope: Scope) -> bool:
        """Watch each namespace separately, without permission to watch all namespaces."""
        by_namespace: dict[str, set[Key]] = {}
        for key in scope.wanted or ():
            by_namespace.setdefault(key.namespace, set()).add(key)
        if scope.namespace or len(by_namespace) < 2:
            return False
        for wanted in by_namespace.values():
            self.start(_scope(scope.kind, wanted))
        return True
