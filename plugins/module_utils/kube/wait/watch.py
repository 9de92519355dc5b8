# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What some objects are, and each change of them, as it happens: a list, then a watch, for every kind at once."""

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
"""Seconds after which an observer is given the word although there is no news."""

SLICE = 30.0
"""Seconds of one watch. It bounds how long a connection that died in silence, or is no longer needed, is held."""

PAUSE = 0.5
"""Seconds between attempts where the API server does not serve what is asked for."""

_PASSING = frozenset({401, 404, 410, 429})
"""Answers to a watch that the next list clears up, or words better: a token that is to be renewed, a kind that is gone,
a version that is too old, too many requests."""


class Scope(NamedTuple):
    """What one watch is about. `wanted` are the objects of interest, also while they do not exist; None means any."""

    kind: Kind
    namespace: str = ""
    label_selector: str = ""
    field_selector: str = ""
    wanted: frozenset[Key] | None = None


class News(NamedTuple):
    """An object as it is now; None where it does not exist."""

    key: Key
    obj: dict[str, Any] | None


def scopes_of(keys: Iterable[Key]) -> list[Scope]:
    """One scope for each kind among `keys`, no wider than it must be."""
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
    """The objects in `scopes` and their changes, until `timeout` (seconds) has passed; None when nothing is new.

    Lost connections, outdated versions and an API server that is away are lived through; if it is away when the
    time is up, Unreachable is raised. Raises at once what waiting does not heal: no permission, a wrong request.
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
    judged: threading.Event


class _Observer:
    """Threads that watch, and what they report to the one that waits. The threads end by themselves."""

    def __init__(self, cluster: Cluster, ends: float) -> None:
        self.stopped = threading.Event()
        self._cluster = cluster
        self._ends = ends
        self._reports: queue.SimpleQueue[_Report] = queue.SimpleQueue()
        self._trouble: dict[Scope, Unreachable] = {}

    def start(self, scope: Scope) -> None:
        # Not of a pool: those are joined when the interpreter exits, and a watch may take its time to end.
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
            report.judged.set()
        for error in list(self._trouble.values()):
            raise error

    def _run(self, scope: Scope) -> None:
        try:
            self._follow(scope)
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for, not lost with the thread
            self._report(error)

    def _follow(self, scope: Scope) -> None:
        known: set[Key] = set()
        while not self.stopped.is_set():
            try:
                version = self._look(scope, known)
                self._trouble.pop(scope, None)
                while version and not self.stopped.is_set():
                    version = self._watch(scope, known, version)
                # No version: the kind is not served (yet).
            except Unreachable as error:
                self._trouble[scope] = error
            except ApiError as error:
                if error.status == 403 and self._split(scope):
                    return
                if error.status not in _PASSING and error.status < 500:
                    raise
            self.stopped.wait(PAUSE)

    def _look(self, scope: Scope, known: set[Key]) -> str:
        """Report how all the objects are now; returns the version from which to watch."""
        items, version = self._cluster.list_with_version(
            scope.kind, scope.namespace, label_selector=scope.label_selector, field_selector=scope.field_selector
        )
        present = {key_of(obj): obj for obj in items}
        for key in known | (scope.wanted or set()) | (set(present) if scope.wanted is None else set()):
            self._tell(known, key, present.get(key))
        return version

    def _watch(self, scope: Scope, known: set[Key], version: str) -> str:
        """Report changes for a while; returns the version from which to go on."""
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
                self._tell(known, key_of(obj), None if event == "DELETED" else obj)
            version = obj["metadata"]["resourceVersion"]
            if self.stopped.is_set():
                break
        if version == before and time.monotonic() - started < PAUSE:
            self.stopped.wait(PAUSE)  # a proxy that cuts watches must not be asked in a loop
        return version

    def _tell(self, known: set[Key], key: Key, obj: dict[str, Any] | None) -> None:
        (known.discard if obj is None else known.add)(key)
        self._report(News(key, obj))

    def _report(self, news: News | BaseException) -> None:
        """Hand over, and go on only when it is judged: a watch is not taken up again when it has served its end."""
        report = _Report(news, threading.Event())
        self._reports.put(report)
        while not self.stopped.is_set() and not report.judged.wait(0.1):
            pass

    def _split(self, scope: Scope) -> bool:
        """Watch each namespace for itself, for those who may not read the whole cluster."""
        by_namespace: dict[str, set[Key]] = {}
        for key in scope.wanted or ():
            by_namespace.setdefault(key.namespace, set()).add(key)
        if scope.namespace or len(by_namespace) < 2:
            return False
        for wanted in by_namespace.values():
            self.start(_scope(scope.kind, wanted))
        return True
