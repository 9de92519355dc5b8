# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An API server that is silent for a while: the lab's own one, stopped and continued."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

from lab import processes
from lab.paths import Lab as Place

SILENCE = 6.0

Silent = Callable[[float], contextlib.AbstractContextManager[None]]


@pytest.fixture
def silent() -> Iterator[Silent]:
    """Stop the API server for some seconds, or until the context ends. It goes on in any case."""
    pid = processes.records(Place(os.environ.get("LAB", "default")))["kube-apiserver"].pid()
    assert pid

    @contextlib.contextmanager
    def stop(seconds: float) -> Iterator[None]:
        os.kill(pid, signal.SIGSTOP)
        timer = threading.Timer(seconds, os.kill, (pid, signal.SIGCONT))
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            os.kill(pid, signal.SIGCONT)

    yield stop
    os.kill(pid, signal.SIGCONT)


@pytest.mark.step("slow API 31", "the API server is silent for 6 s when a task begins")
@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("cluster_info", {}),
        ("injection_info", {}),
        ("application", {"name": "web", "definition": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}}]}),
    ],
    ids=["a read", "many reads at once", "an application"],
)  # fmt: skip
def test_a_server_that_is_silent_at_first_is_waited_for(
    run: Run, silent: Silent, namespace: str, seen: Seen, module: str, options: dict[str, Any]
) -> None:
    given = {**options, "namespace": namespace} if module == "application" else options
    begun = time.monotonic()
    with silent(SILENCE):
        run(module, **given)
    seen(f"{module} ended well after {time.monotonic() - begun:.1f} s")


@pytest.mark.step("slow API 31b", "the API server falls silent in the middle of a task")
def test_a_server_that_falls_silent_is_waited_for(
    run: Run, silent: Silent, namespace: str, cluster: Cluster, seen: Seen
) -> None:
    objects = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"web-{number}"}} for number in range(60)]
    begun = time.monotonic()
    results: list[dict[str, Any]] = []

    def fall_silent() -> None:
        time.sleep(0.3)
        with silent(SILENCE):
            time.sleep(SILENCE)

    thread = threading.Thread(target=fall_silent)
    thread.start()
    results.append(run("application", name="web", namespace=namespace, definition=objects))
    thread.join()
    assert results[0]["changed"]
    seen(f"applied {len(results[0]['changes'])} objects in {time.monotonic() - begun:.1f} s")


@pytest.mark.step("slow API 31c", "the API server is silent for longer than the task's time limit")
def test_the_time_limit_holds(run: Run, silent: Silent, namespace: str, seen: Seen) -> None:
    definition = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}}]
    begun = time.monotonic()
    with silent(60):
        failed = run("application", fails=True, name="web", namespace=namespace, definition=definition, wait_timeout=4)
        took = time.monotonic() - begun
    seen(f"given up after {took:.1f} s: {failed['msg']}")
    assert failed["code"] == "unreachable"
    assert took < 4 + 5
