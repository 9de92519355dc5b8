# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restart workloads so that their pods get a new sidecar, a few at a time, each awaited before the next."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..kube.errors import NotReady
from ..kube.objects import Key
from ..kube.wait import wait_ready
from .sidecars import RESTARTABLE, Workload

if TYPE_CHECKING:
    from ..kube.cluster import Cluster
    from ..kube.progress import Progress

MANAGER = "meshops.istio/restart"
# kubectl's own annotation: whoever looks at a rollout's history knows it.
_ANNOTATION = "kubectl.kubernetes.io/restartedAt"


def due(workloads: Sequence[Workload], *, outdated: bool) -> tuple[list[Workload], list[Workload]]:
    """Those to restart, and those to report because a restart is not possible.

    Pods without a sidecar count always; with `outdated` also those whose proxy is of another revision or version.
    """
    concerned = [one for one in workloads if one.missing or (outdated and one.outdated)]
    return [one for one in concerned if one.restartable], [one for one in concerned if not one.restartable]


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
    deadline = time.monotonic() + timeout
    total = len(workloads)

    def one(numbered: tuple[int, Workload]) -> None:
        number, workload = numbered
        left = deadline - time.monotonic()
        key = Key("apps/v1", workload.kind, workload.namespace, workload.name)
        if left <= 0:
            raise NotReady(
                f"The time was up before {key} and {total - number} others were restarted.", pending=str(key)
            )
        progress(f"restarting {key} ({number} of {total})")
        stamp = {_ANNOTATION: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        patch = {"spec": {"template": {"metadata": {"annotations": stamp}}}}
        cluster.merge_patch(RESTARTABLE[workload.kind], workload.name, workload.namespace, patch, manager=MANAGER)
        if wait:
            wait_ready(cluster, [key], timeout=max(0.0, deadline - time.monotonic()), progress=progress)

    with ThreadPoolExecutor(max_workers=max(1, at_once)) as pool:
        futures = [pool.submit(one, numbered) for numbered in enumerate(workloads, start=1)]
        try:
            for future in futures:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
