# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sidecars for many namespaces, whose pods are on played nodes and are injected by the real istiod."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind, key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.wait import wait_ready

from lab.components import PLAYED

from ..progress import say
from ..results import Result, in_turn
from ..stage import Stage

_NAMESPACE = Kind("v1", "Namespace")
_WORKLOADS, _REPLICAS = 2, 5  # of each namespace
_PREFIX = "injected"
_TIMEOUT = 1200.0  # seconds


def injection(stage: Stage) -> list[Result]:
    """Label namespaces, restart what needs it; the same when there are four times as many; and again, with nothing to do.

    It goes last: what it leaves is on its way out.
    """
    few, many = 50, 200
    names = [f"{_PREFIX}-{number}" for number in range(many)]
    stage.install()
    try:
        _make(stage, names[:few])
        for module in ("injection", "restart"):
            stage.warm_up(module, {"namespaces": names[:few]})
        of_few = _run(stage, names[:few], changes=True)
        say(f"  {few} namespaces: {of_few:.2f} s")
        _make(stage, names[few:])
        of_rest = _run(stage, names, changes=True)
        say(f"  {many - few} more: {of_rest:.2f} s")
        [again] = in_turn(5, lambda: _run(stage, names, changes=False))
    finally:
        stage.cluster.parallel(lambda name: stage.cluster.delete(_NAMESPACE, name), names)
    name = f"injection of {many} namespaces with {many * _WORKLOADS * _REPLICAS:,} pods"
    expected = of_few * (many - few) / few
    peer = f"{(many - few) // few} times as long as the first {few} took"
    return [
        Result(f"{name}: the last {many - few}", of_rest, 1.2, peer, expected, of_rest / expected),
        Result(f"{name}: again", median(again), 3),
    ]


def _make(stage: Stage, names: Sequence[str]) -> None:
    """Namespaces whose pods run without sidecars."""
    cluster = stage.cluster
    made = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names]
    cluster.parallel(lambda obj: cluster.apply(obj, manager="benchmark"), made)
    workloads = [_workload(name, number) for name in names for number in range(_WORKLOADS)]
    cluster.parallel(lambda obj: cluster.apply(obj, manager="benchmark"), workloads)
    wait_ready(cluster, [key_of(one) for one in workloads], timeout=_TIMEOUT, progress=silent)


def _run(stage: Stage, names: Sequence[str], *, changes: bool) -> float:
    restarting = {"namespaces": names, "max_unavailable": 20, "wait_timeout": int(_TIMEOUT)}
    labelled = stage.module("injection", {"namespaces": names}, changes=changes)
    return labelled.seconds + stage.module("restart", restarting, changes=changes).seconds


def _workload(namespace: str, number: int) -> dict[str, Any]:
    """A Deployment whose pods run on the played nodes."""
    labels = {"app": f"web-{number}"}
    pod = {
        "nodeSelector": {PLAYED: ""},
        "tolerations": [{"key": PLAYED, "operator": "Exists"}],
        "terminationGracePeriodSeconds": 1,
        "containers": [{"name": "web", "image": "example.test/web:1"}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"web-{number}", "namespace": namespace},
        "spec": {
            "replicas": _REPLICAS,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
