# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait until objects are ready or deleted, a Service has an endpoint, or a condition is true.

Every function raises NotReady after `timeout` (seconds), or at once if an object has failed permanently. The error names
the objects and the causes; its details are `timeout` and `objects`, a list of {api_version, kind, namespace, name, state,
message, pods, events}, with held_by for objects that are being deleted (see Diagnosis).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any

from ..api.cluster import Cluster
from ..errors import NotReady
from ..objects.objects import Key, Kind, Object
from ..progress import Progress
from .diagnosis import Diagnosis, diagnose, shorten
from .start_failures import StartFailure, StartFailures
from .status import CURRENT, IN_PROGRESS, TERMINATING, Status, gone, status
from .status_in_cluster import Judge
from .watch import News, Scope, observe, scopes_of

Expectation = Callable[[Object], Status]

_UNSEEN = Status(IN_PROGRESS, "not read from the API server yet")

_FOR_CAUSES = 3.0
"""Seconds of the timeout reserved for the diagnosis; of a short timeout a tenth."""

_AFTER = 0.5
"""Seconds that the diagnosis may take after the timeout."""

_LONGEST = 500
"""The maximum length of the message about a blocked deletion, in which names are not cut."""

_NAMED = 3
"""How many objects an error's message names."""

_EXPLAINED = 10
"""How many objects are diagnosed."""


def wait_ready(
    cluster: Cluster,
    keys: Iterable[Key],
    *,
    timeout: float,
    progress: Progress,
    expect: Expectation = status,
    desired: Iterable[Object] = (),
    back_off: float | None = None,
) -> None:
    """Wait until all objects exist and are current by `expect`.

    `back_off`: the seconds that a container may be in back-off, such as ImagePullBackOff; None for the timeout.
    `desired`: the applied objects, if known: Jobs among them that were deleted after their time to live were ready.
    """
    judge = Judge(cluster, expect=expect, desired=desired)

    starts = StartFailures(cluster, back_off)

    def found(news: News) -> tuple[Key, Status]:
        starts.note(news.key, news.obj)
        return news.key, judge.absent(news.key) if news.obj is None else judge.present(news.obj)

    awaited = _Awaited(keys, "is not ready", progress)
    _wait(cluster, scopes_of(awaited.states), awaited, found, timeout, starts=starts)


def wait_gone(cluster: Cluster, keys: Iterable[Key], *, timeout: float, progress: Progress) -> None:
    """Wait until all objects are deleted."""

    def judge(news: News) -> tuple[Key, Status]:
        return news.key, gone(news.obj)

    awaited = _Awaited(keys, "still exists", progress)
    _wait(cluster, scopes_of(awaited.states), awaited, judge, timeout)


def wait_endpoint(
    cluster: Cluster, service: Key, *, timeout: float, progress: Progress, back_off: float | None = None
) -> None:
    """Wait until a Service has a ready endpoint. `back_off`: as for wait_ready."""
    slices: dict[Key, bool] = {}

    def judge(news: News) -> tuple[Key, Status]:
        slices[news.key] = news.obj is not None and _serves(news.obj)
        return service, Status(CURRENT, "has a ready endpoint") if any(slices.values()) else no_endpoint

    starts = StartFailures(cluster, back_off)
    starts.note(service, {})
    no_endpoint = Status(IN_PROGRESS, "no ready endpoint")
    awaited = _Awaited([service], "is not ready", progress, unseen=no_endpoint)
    scope = Scope(
        Kind("discovery.k8s.io/v1", "EndpointSlice"),
        service.namespace,
        label_selector=f"kubernetes.io/service-name={service.name}",
    )
    _wait(cluster, [scope], awaited, judge, timeout, starts=starts)


def _serves(endpoint_slice: Mapping[str, Any]) -> bool:
    return any(
        # By the API, a missing condition means ready.
        endpoint.get("addresses") and (endpoint.get("conditions") or {}).get("ready") is not False
        for endpoint in endpoint_slice.get("endpoints") or ()
    )


def _wait(
    cluster: Cluster,
    scopes: Sequence[Scope],
    awaited: _Awaited,
    judge: Callable[[News], tuple[Key, Status]],
    timeout: float,
    starts: StartFailures | None = None,
) -> None:
    if not awaited.states:
        return
    reserve = min(_FOR_CAUSES, timeout / 10)
    with closing(observe(cluster, scopes, timeout=timeout - reserve)) as stream:
        for news in stream:
            if news is None:
                awaited.remind()
            else:
                awaited.update(*judge(news))
            for failure in starts.found(awaited.waiting) if starts is not None else ():
                awaited.blame(failure)
            if awaited.over:
                break
    if awaited.waiting:
        raise awaited.error(cluster, timeout, within=reserve + _AFTER)


class _Awaited:
    """The awaited objects and the status of each; reports progress. `fault`: the fault of an object after the timeout."""

    def __init__(self, keys: Iterable[Key], fault: str, progress: Progress, *, unseen: Status = _UNSEEN) -> None:
        self.states = dict.fromkeys(keys, unseen)
        self.waiting = dict.fromkeys(self.states)  # in the given order
        self._fault = fault
        self._progress = progress
        self._failed: Key | None = None
        self._blamed: dict[Key, str] = {}

    @property
    def over(self) -> bool:
        """True if there is nothing left to wait for."""
        return not self.waiting or self._failed is not None

    def update(self, key: Key, found: Status) -> None:
        """Set the status of an object, and report it if it has changed."""
        before, self.states[key] = self.states[key], found
        late = key in self.waiting
        if found.state == CURRENT:
            self.waiting.pop(key, None)
            self._blamed.pop(key, None)
            if late and before is not _UNSEEN:
                self._progress(f"{key}: {found.message}")
            return
        self.waiting[key] = None
        self._failed = key if found.final else self._failed
        if found.message != before.message:
            self._progress(f"waiting for {self._explained(key)}")

    def blame(self, failure: StartFailure) -> None:
        """Report what keeps a container of an object from starting; a permanent failure ends the wait."""
        key = failure.key
        if key not in self.waiting:
            return
        before, self._blamed[key] = self._blamed.get(key), failure.phrase
        if failure.final:
            self.states[key], self._failed = self.states[key]._replace(final=True), key
        elif failure.phrase != before:
            self._progress(f"waiting for {self._explained(key)}")

    def _explained(self, key: Key) -> str:
        return f"{key}: {self.states[key].message}" + (f"; {self._blamed[key]}" if key in self._blamed else "")

    def remind(self) -> None:
        """Report again what is awaited."""
        if self.waiting:
            key = next(iter(self.waiting))
            more = f" (+{len(self.waiting) - 1} more)" if len(self.waiting) > 1 else ""
            self._progress(f"waiting for {self._explained(key)}{more}")

    def error(self, cluster: Cluster, timeout: float, *, within: float) -> NotReady:
        """Return the error with the causes; the diagnosis takes at most `within` seconds."""
        late = sorted(self.waiting, key=lambda key: not self.states[key].final)
        causes = diagnose(cluster, late[:_EXPLAINED], within=within)
        phrases = [self._phrase(key, causes.get(key)) for key in late[:_NAMED]]
        if len(late) > _NAMED:
            phrases.append(f"+{len(late) - _NAMED} more")
        objects = [self._details(key, causes.get(key, Diagnosis())) for key in late]
        return NotReady(self._sentence(late, phrases, timeout), timeout=timeout, objects=objects)

    def _sentence(self, late: Sequence[Key], phrases: Sequence[str], timeout: float) -> str:
        if self._failed:
            return f"{'; '.join(phrases)}."
        if len(late) == 1:
            why = phrases[0].removeprefix(f"{late[0]}: ")
            return f"Timed out waiting for {late[0]}, which {self._fault} after {timeout:.0f} s: {why}."
        fault = {"is not ready": "are not ready", "still exists": "still exist"}[self._fault]
        return (
            f"Timed out waiting for {len(self.states)} objects, of which {len(late)} {fault} after {timeout:.0f} s:"
            f" {'; '.join(phrases)}."
        )

    def _phrase(self, key: Key, diagnosis: Diagnosis | None) -> str:
        found = self.states[key]
        verb = "failed: " if found.final else ""
        message = shorten(found.message)
        if found.state == TERMINATING and diagnosis and diagnosis.hold:
            message = shorten(str(diagnosis.hold), _LONGEST) or message
        why = diagnosis.summary(found.message) if diagnosis else ""
        return f"{key}: {verb}{message}" + (f" ({why})" if why else "")

    def _details(self, key: Key, diagnosis: Diagnosis) -> dict[str, Any]:
        found = self.states[key]
        return {
            **key._asdict(),
            "state": found.state,
            "message": found.message,
            "pods": diagnosis.pods,
            "events": diagnosis.events,
            **({"held_by": [one.as_dict() for one in diagnosis.hold.holders]} if diagnosis.hold else {}),
        }
