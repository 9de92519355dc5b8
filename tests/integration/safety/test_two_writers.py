# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two runs that want something different of one application: what is left is what one of them wants, whatever happens.

Each run is the module in a process of its own.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.chaos import module_run
from ansible_collections.meshops.istio.tests.chaos.runs import Done, ended, stopped
from ansible_collections.meshops.istio.tests.support.lab import Lab, now
from ansible_collections.meshops.istio.tests.support.steps import Seen

Object = dict[str, Any]
Start = Callable[..., "subprocess.Popen[str]"]

CONFIG_MAP = Kind("v1", "ConfigMap")
LEASE = Kind("coordination.k8s.io/v1", "Lease")
PARTS = 20
NAME = "shop"


@pytest.fixture
def start(lab: Lab, namespace: str) -> Iterator[Start]:
    """Begin to deploy a commit; `write` and `signal_name` as module_run has them. No process outlives the test."""
    processes: list[subprocess.Popen[str]] = []

    def start(commit: str, first: int = 0, *, write: int = 0, signal_name: str = "SIGKILL") -> subprocess.Popen[str]:
        objects = [config_map(number, commit) for number in range(first, first + PARTS)]
        options = {"name": NAME, "namespace": namespace, "definition": objects, "wait_timeout": 60}
        command = [sys.executable, "-m", module_run.__name__, lab.kubeconfig, "application", json.dumps(options)]
        process = subprocess.Popen([*command, str(write), signal_name], stdout=subprocess.PIPE, text=True)
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()


def config_map(number: int, commit: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"part-{number}"},
        "data": {"commit": commit},
    }


def commits(cluster: Cluster, namespace: str) -> Counter[str]:
    """How many objects there are of each commit."""
    found = cluster.list(CONFIG_MAP, namespace, label_selector=f"meshops.istio/application={NAME}")
    return Counter(one["data"]["commit"] for one in found if "commit" in (one.get("data") or {}))


def locks(cluster: Cluster, namespace: str) -> list[str]:
    return [one["metadata"]["name"] for one in cluster.list(LEASE, namespace)]


def done_well(process: subprocess.Popen[str]) -> Done:
    done = ended(process)
    assert not done.failure, done.failure
    return done


@pytest.mark.step("writers 01", "two runs of one application at once, of two commits")
@pytest.mark.parametrize("before", [True, False], ids=["over an older one", "the first two"])
def test_two_runs_at_once(start: Start, cluster: Cluster, namespace: str, seen: Seen, before: bool) -> None:
    if before:
        done_well(start("old", 5))
    both = [start("left"), start("right", 10)]
    for process in both:
        done_well(process)
    found = commits(cluster, namespace)
    seen(f"{dict(found)}, the lock gone: {not locks(cluster, namespace)}")
    assert found in (Counter(left=PARTS), Counter(right=PARTS))
    assert locks(cluster, namespace) == []


@pytest.mark.step("writers 02", "a run that was stopped goes on when another one has had its turn")
@pytest.mark.parametrize("write", [2, 12], ids=["at its beginning", "in the middle"])
def test_a_stalled_writer(start: Start, cluster: Cluster, namespace: str, lab: Lab, seen: Seen, write: int) -> None:
    done_well(start("old", 5))
    stalled = start("stalled", write=write, signal_name="SIGSTOP")
    assert stopped(stalled)
    done_well(start("next", 10))
    assert commits(cluster, namespace) == Counter(next=PARTS)
    begun = now()
    stalled.send_signal(signal.SIGCONT)
    late = ended(stalled)
    found, written = commits(cluster, namespace), lab.writes_since(begun)
    seen(f"{dict(found)}; the stalled run: {late.result.get('code')}, {written} writes reached the API server after it")
    assert found == Counter(next=PARTS)
    assert late.result["code"] == "lock_lost"
    # Requests that were on their way, of which none succeeded, and the question whether the lock is still there.
    assert locks(cluster, namespace) == []


@pytest.mark.step("writers 03", "a run is killed half-way, and another commit follows")
def test_a_killed_writer(start: Start, cluster: Cluster, namespace: str, seen: Seen) -> None:
    done_well(start("old", 5))
    killed = ended(start("killed", write=8))
    assert killed.returncode == -signal.SIGKILL
    half = commits(cluster, namespace)
    assert len(half) == 2
    done_well(start("next", 10))
    found = commits(cluster, namespace)
    seen(f"after the kill {dict(half)}, after the next run {dict(found)}")
    assert found == Counter(next=PARTS)
    again = now()
    assert not done_well(start("next", 10)).result["changed"]
    assert again
