# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restart workloads so that their pods get a new sidecar, a few at a time, each awaited before the next."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from ...kube import threads
from ...kube.api.cluster import Access
from ...kube.errors import NotReady
from ...kube.objects.objects import Key, Kind
from ...kube.plan.permissions import refuse_denied, watching
from ...kube.wait.rollouts import RESTARTED_AT
from ...kube.wait.wait import wait_ready
from .sidecars import MANAGER, Workload

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster
    from ...kube.progress import Progress


class Due(NamedTuple):
    """Workloads with pods that need other sidecars: to restart, rolling out already, and to report only."""

    restarts: list[Workload]
    rolling_out: list[Workload]
    reported: list[Workload]


def due(workloads: Sequence[Workload], *, outdated: bool) -> Due:
    """Sort workloads by what is to be done with them.

    Pods without a sidecar count always; with `outdated` also those whose proxy is not the one that they would get now.
    Those with a roll-out under way that brings the sidecars are not restarted again: that would begin it anew.
    """
    found = Due([], [], [])
    for one in workloads:
        if not (one.missing or (outdated and one.outdated)):
            continue
        if not one.restartable:
            found.reported.append(one)
        elif one.rolls_out(outdated=outdated):
            found.rolling_out.append(one)
        else:
            found.restarts.append(one)
    return found


def refuse_forbidden(
    cluster: Cluster, kinds: Iterable[tuple[str, str]], *, wait: bool, awaited: Iterable[tuple[str, str]] = ()
) -> None:
    """Raise Refused where the user may not restart workloads of these kinds in these namespaces, or wait for others."""
    checks: list[Access] = []
    for name, namespace in awaited if wait else ():
        checks += watching(cluster, Kind("apps/v1", name), namespace)
    for name, namespace in kinds:
        kind = Kind("apps/v1", name)
        checks.append(Access("patch", kind.group, cluster.plural(kind), namespace))
        checks += watching(cluster, kind, namespace) if wait else ()
    refuse_denied(cluster, checks)


def restart(
    cluster: Cluster,
    workloads: Sequence[Workload],
    *,
    rolling_out: Sequence[Workload] = (),
    at_once: int = 2,
    wait: bool = True,
    timeout: float = 300,
    progress: Progress,
) -> None:
    """Restart workloads, at most `at_once` at the same time, within `timeout` seconds for all of them.

    Those that are `rolling_out` already are awaited at last, so that one that hangs keeps no other from its restart.
    Raises NotReady naming what did not come back and why; workloads that were not begun by then stay as they are.
    """
    run = _Run(cluster, len(workloads), wait, time.monotonic() + timeout, progress)
    threads.each(lambda numbered: run.restart(*numbered), enumerate(workloads, start=1), size=max(1, at_once))
    if wait:
        left = max(0.0, run.deadline - time.monotonic())
        wait_ready(cluster, [_key(one) for one in rolling_out], timeout=left, progress=progress)


def _key(workload: Workload) -> Key:
    return Key("apps/v1", workload.kind, workload.namespace, workload.name)


@dataclass
class _Run:
    """One call of `restart`; after the first failure nothing more is begun."""

    cluster: Cluster
    total: int
    wait: bool
    deadline: float
    progress: Progress
    failed: threading.Event = field(default_factory=threading.Event)

    def restart(self, number: int, workload: Workload) -> None:
        if self.failed.is_set():
            return
        try:
            self._restart(number, _key(workload))
        except BaseException:
            self.failed.set()
            raise

    def _restart(self, number: int, key: Key) -> None:
        if time.monotonic() > self.deadline:
            others = f" and {self.total - number} more" if number < self.total else ""
            raise NotReady(f"The time was up before {key}{others} could be restarted.", object=key._asdict())
        self.progress(f"restarting {key} ({number} of {self.total})")
        stamp = {RESTARTED_AT: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        patch = {"spec": {"template": {"metadata": {"annotations": stamp}}}}
        self.cluster.merge_patch(key.of, key.name, key.namespace, patch, manager=MANAGER)
        if self.wait:
            left = max(0.0, self.deadline - time.monotonic())
            wait_ready(self.cluster, [key], timeout=left, progress=self.progress)
