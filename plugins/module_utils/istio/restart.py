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
from typing import TYPE_CHECKING

from ..kube import threads
from ..kube.cluster import Access
from ..kube.errors import NotReady
from ..kube.objects import Key, Kind
from ..kube.permissions import refuse_denied, watching
from ..kube.wait import wait_ready
from .sidecars import Workload

if TYPE_CHECKING:
    from ..kube.cluster import Cluster
    from ..kube.progress import Progress

MANAGER = "meshops.istio/restart"
# kubectl's own annotation: whoever looks at a rollout's history knows it.
_ANNOTATION = "kubectl.kubernetes.io/restartedAt"


def due(workloads: Sequence[Workload], *, outdated: bool) -> tuple[list[Workload], list[Workload]]:
    """Those to restart, and those to report because a restart is not possible.

    Pods without a sidecar count always; with `outdated` also those whose proxy is not the one that they would get now.
    """
    concerned = [one for one in workloads if one.missing or (outdated and one.outdated)]
    return [one for one in concerned if one.restartable], [one for one in concerned if not one.restartable]


def refuse_forbidden(cluster: Cluster, kinds: Iterable[tuple[str, str]], *, wait: bool) -> None:
    """Raise Refused where the user may not restart workloads of these kinds in these namespaces."""
    checks: list[Access] = []
    for name, namespace in kinds:
        kind = Kind("apps/v1", name)
        checks.append(Access("patch", kind.group, cluster.plural(kind), namespace))
        checks += watching(cluster, kind, namespace) if wait else ()
    refuse_denied(cluster, checks)


def restart(
    cluster: Cluster,
    workloads: Sequence[Workload],
    *,
    at_once: int = 2,
    wait: bool = True,
    timeout: float = 300,
    progress: Progress,
) -> None:
    """Restart workloads, at most `at_once` at the same time, within `timeout` seconds for all of them.

    Raises NotReady naming what did not come back and why; workloads that were not begun by then stay as they are.
    """
    run = _Run(cluster, len(workloads), wait, time.monotonic() + timeout, progress)
    with threads.pool(max(1, at_once)) as pool:
        for future in [pool.submit(run.restart, *numbered) for numbered in enumerate(workloads, start=1)]:
            future.result()


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
            self._restart(number, Key("apps/v1", workload.kind, workload.namespace, workload.name))
        except BaseException:
            self.failed.set()
            raise

    def _restart(self, number: int, key: Key) -> None:
        if time.monotonic() > self.deadline:
            others = f" and {self.total - number} more" if number < self.total else ""
            raise NotReady(f"The time was up before {key}{others} could be restarted.", object=key._asdict())
        self.progress(f"restarting {key} ({number} of {self.total})")
        stamp = {_ANNOTATION: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        patch = {"spec": {"template": {"metadata": {"annotations": stamp}}}}
        self.cluster.merge_patch(key.of, key.name, key.namespace, patch, manager=MANAGER)
        if self.wait:
            left = max(0.0, self.deadline - time.monotonic())
            wait_ready(self.cluster, [key], timeout=left, progress=self.progress)
