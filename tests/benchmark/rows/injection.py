# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sidecars for many namespaces, whose pods are on played nodes and are injected by the real istiod."""

from __future__ import annotations

from statistics import median
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.objects import Key, Kind
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait import wait_gone, wait_ready

from lab.components import PLAYED

from ..results import Result
from ..stage import Stage

_NAMESPACE = Kind("v1", "Namespace")
_WORKLOADS, _REPLICAS = 2, 5  # of each namespace
_PREFIX = "injected"
_TIMEOUT = 1200.0  # seconds


def injection(stage: Stage) -> list[Result]:
    """Label namespaces, restart what needs it; the same for four times as many; and again, with nothing to do."""
    few, many = 50, 200
    stage.install()
    of_few = _measured(stage, few)
    _remove(stage, few)
    of_many = _measured(stage, many)
    again = [_run(stage, many, changes=False) for _time in range(5)]
    _remove(stage, many)
    name = f"injection of {many} namespaces with {many * _WORKLOADS * _REPLICAS:,} pods"
    linear = of_many / (of_few * many / few)
    peer = f"{many // few} times as long as {few} namespaces took"
    return [
        Result(f"{name}, linear", of_many, 1.2, peer, of_few * many / few, linear),
        Result(f"{name}, again", median(again), 3),
    ]


def _measured(stage: Stage, namespaces: int) -> float:
    cluster = stage.cluster
    names = _names(namespaces)
    made = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names]
    cluster.parallel(lambda obj: cluster.apply(obj, manager="benchmark"), made)
    workloads = [_workload(name, number) for name in names for number in range(_WORKLOADS)]
    cluster.parallel(lambda obj: cluster.apply(obj, manager="benchmark"), workloads)
    keys = [Key("apps/v1", "Deployment", one["metadata"]["namespace"], one["metadata"]["name"]) for one in workloads]
    wait_ready(cluster, keys, timeout=_TIMEOUT, progress=silent)
    return _run(stage, namespaces, changes=True)


def _run(stage: Stage, namespaces: int, *, changes: bool) -> float:
    names = _names(namespaces)
    restarting = {"namespaces": names, "max_unavailable": 20, "wait_timeout": int(_TIMEOUT)}
    labelled = stage.module("injection", {"namespaces": names}, changes=changes)
    return labelled.seconds + stage.module("restart", restarting, changes=changes).seconds


def _remove(stage: Stage, namespaces: int) -> None:
    names = _names(namespaces)
    stage.cluster.parallel(lambda name: stage.cluster.delete(_NAMESPACE, name), names)
    keys = [Key("v1", "Namespace", "", name) for name in names]
    wait_gone(stage.cluster, keys, timeout=_TIMEOUT, progress=silent)


def _names(count: int) -> list[str]:
    return [f"{_PREFIX}-{number}" for number in range(count)]


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
