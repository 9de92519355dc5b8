# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes a cluster look like OpenShift: its kinds as CRDs, and what its controllers do with objects of them.

It cannot tell whether SCCs would admit a pod, whether a router would serve a Route, and who owns a project.
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml
from ansible_collections.meshops.istio.plugins.module_utils.istio.platforms.openshift import (
    PROJECT,
    PROJECT_REQUEST,
    ROUTE,
)
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import MeshError
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind, key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.wait import wait_ready
from ansible_collections.meshops.istio.tests.openshift.multus import Multus

HERE = Path(__file__).parent
MANAGER = "openshift-stand-in"
NAMESPACE = Kind("v1", "Namespace")
PAUSE = 0.3  # seconds between two looks
# OpenShift gives each namespace users of its own, and istiod has sidecars run as one of them.
USERS = {"openshift.io/sa.scc.uid-range": "1000650000/10000"}


def install_kinds(cluster: Cluster, *kinds: str) -> None:
    """Have the CRDs of these kinds, or of all."""
    definitions = [one for one in documents("api.yml") if not kinds or one["spec"]["names"]["kind"] in kinds]
    for definition in definitions:
        cluster.apply(definition, manager=MANAGER)
    wait_ready(cluster, [key_of(one) for one in definitions], timeout=120, progress=silent)


class OpenShift:
    """The stand-in on a lab, which is known by its name; its controllers work as long as the context lasts."""

    def __init__(self, lab: str, kubeconfig: str) -> None:
        options = {"kubeconfig": kubeconfig}
        install_kinds(Cluster.connect(options, user_agent=MANAGER))
        # One that learns of the kinds now.
        self._cluster = Cluster.connect(options, user_agent=MANAGER)
        for obj in documents("objects.yml"):
            self._cluster.apply(obj, manager=MANAGER)
        self._projects: set[str] = set()  # those that were there at the last look
        self._ends = threading.Event()
        works = (self._make_projects, self._admit_routes, Multus(lab, self._cluster).look)
        self._threads = [threading.Thread(target=self._repeat, args=(work,), daemon=True) for work in works]

    def __enter__(self) -> OpenShift:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, work: Callable[[], None]) -> None:
        while not self._ends.wait(PAUSE):
            # Somebody was faster, or the cluster is busy: the next look is soon.
            with contextlib.suppress(MeshError, subprocess.TimeoutExpired):
                work()

    def _make_projects(self) -> None:
        """A namespace for each request, for each namespace a project, and none without the other."""
        for request in self._cluster.list(PROJECT_REQUEST):
            name = request["metadata"]["name"]
            self._cluster.apply(_object(NAMESPACE, name), manager=MANAGER)
            self._cluster.delete(PROJECT_REQUEST, name)
        there = {one["metadata"]["name"] for one in self._cluster.list(PROJECT)}
        namespaces = {
            one["metadata"]["name"]
            for one in self._cluster.list(NAMESPACE)
            if "deletionTimestamp" not in one["metadata"]
        }
        for name in self._projects - there:
            self._cluster.delete(NAMESPACE, name)
        for name in namespaces - there - self._projects:
            self._cluster.apply(_object(NAMESPACE, name, annotations=USERS), manager=MANAGER)
            self._cluster.apply(_object(PROJECT, name), manager=MANAGER)
        for name in there - namespaces:
            self._cluster.delete(PROJECT, name)
        self._projects = there & namespaces

    def _admit_routes(self) -> None:
        for route in self._cluster.list(ROUTE):
            if "status" not in route:
                place = route["metadata"]
                admitted = {"host": route["spec"]["host"], "conditions": [{"type": "Admitted", "status": "True"}]}
                path = f"/apis/{ROUTE.api_version}/namespaces/{place['namespace']}/routes/{place['name']}/status"
                self._cluster.raw("PUT", path, {**route, "status": {"ingress": [admitted]}})


def documents(name: str) -> list[dict[str, Any]]:
    """The objects of a file beside this one."""
    return list(yaml.safe_load_all((HERE / name).read_text(encoding="utf-8")))


def _object(kind: Kind, name: str, **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name, **metadata}}
