# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A namespace in a real cluster: what is wanted there, what is there, and what was asked of the API server."""

from __future__ import annotations

import json
import textwrap
import time
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.reconcile import Outcome, reconcile
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.settings import Settings
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import (
    Key,
    Kind,
    key_of,
    kind_of,
    read_manifests,
)
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent

Object = dict[str, Any]

MANAGER = "meshops.istio/test"
PATIENCE = 30.0

# What controllers and the server choose by themselves.
_CHOSEN = ("resourceVersion", "uid", "generation", "creationTimestamp", "managedFields")
_DRAWN = ("clusterIP", "clusterIPs", "nodePort", "healthCheckNodePort")


class WatchedCluster(Cluster):
    """A cluster that notes its requests, as `PATCH /api/v1/…`; rehearsals and questions of rights are no writes."""

    reads: int = 0

    def raw(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        notes = self.__dict__.setdefault("notes", [])
        rehearsed = "dryRun" in (more.get("query") or {}) or path.endswith("accessreviews")
        notes.append((method != "GET" and not rehearsed, f"{method} {path}"))
        return super().raw(method, path, body, **more)

    @property
    def requests(self) -> list[str]:
        """All requests since `forget`."""
        return [text for _writes, text in self.__dict__.get("notes", [])]

    @property
    def writes(self) -> list[str]:
        """Those that write."""
        return [text for writes, text in self.__dict__.get("notes", []) if writes]

    def forget(self) -> None:
        """Start to note anew."""
        self.__dict__["notes"] = []


class Place:
    """A namespace and what a unit wants in it. Manifests name the namespace as `$`, also as part of a name.

    beside: what a test has put beside the namespace, to be removed with it.
    """

    def __init__(self, cluster: WatchedCluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.beside: list[Key] = []

    def objects(self, *manifests: str) -> list[Object]:
        """The objects of manifests."""
        texts = (textwrap.dedent(text).replace("$", self.namespace) for text in manifests)
        found = [obj for text in texts for obj in read_manifests(text, "a test's manifest")]
        self.cluster.learn(obj for obj in found if obj["kind"] == "CustomResourceDefinition")
        for obj in found:
            if self.cluster.namespaced(kind_of(obj)):
                obj["metadata"].setdefault("namespace", self.namespace)
            else:
                self.beside.append(key_of(obj))
        return found

    def unit(self, *manifests: str, **more: Any) -> Unit:
        """What is wanted: manifests, all else as a Unit takes it."""
        return Unit(more.pop("manager", MANAGER), self.objects(*manifests), **more)

    def run(self, *manifests: str, **more: Any) -> Outcome:
        """Reconcile with manifests; options of the unit and of the run."""
        options = {"check": False, "diff": False, "wait": False, "timeout": PATIENCE, "progress": silent}
        options |= {name: more.pop(name) for name in list(more) if name in _RUN}
        return reconcile(self.cluster, self.unit(*manifests, **more), Settings(**options))  # type: ignore[arg-type]

    def get(self, api_version: str, kind: str, name: str) -> Object:
        """An object that is there."""
        found = self.cluster.get(Kind(api_version, kind), name.replace("$", self.namespace), self.namespace)
        assert found is not None, f"{kind} {name} is not there"
        return found

    def seen(self, obj: Object) -> Object:
        """An object as it is live, without what differs between equal clusters; in a namespace called `$`."""
        key = key_of(obj)
        live = self.cluster.get(key.of, key.name, key.namespace)
        return settled(live, self.namespace) if live else {}

    def change(self, api_version: str, kind: str, name: str, body: Object, manager: str = "kubectl-edit") -> None:
        """Change an object as somebody else."""
        name = name.replace("$", self.namespace)
        self.cluster.merge_patch(Kind(api_version, kind), name, self.namespace, body, manager=manager)


_RUN = ("check", "diff", "wait", "timeout", "progress", "lock", "expected_digest", "checks")


def settled(obj: Object, namespace: str) -> Object:
    """An object as it would be in any cluster; who owns what is told by `f:` of our manager."""
    obj = deepcopy(obj)
    ours = [entry for entry in obj["metadata"].get("managedFields") or () if entry["manager"] == MANAGER]
    for name in _CHOSEN:
        obj["metadata"].pop(name, None)
    obj.pop("status", None)
    annotations = obj["metadata"].get("annotations") or {}
    annotations.pop("deployment.kubernetes.io/revision", None)
    if not annotations:
        obj["metadata"].pop("annotations", None)
    _undraw(obj.get("spec"))
    obj["owned"] = [{"operation": entry["operation"], "fields": entry["fieldsV1"]} for entry in ours]
    text: str = json.dumps(obj).replace(namespace, "$")
    result: Object = json.loads(text)
    return result


def _undraw(value: Any) -> None:
    if isinstance(value, dict):
        for name in _DRAWN:
            value.pop(name, None)
        for child in value.values():
            _undraw(child)
    elif isinstance(value, list):
        for child in value:
            _undraw(child)


def told(outcome: Outcome) -> list[str]:
    """The changes of a run, as `create ConfigMap web`."""
    return [f"{change['action']} {change['kind']} {change['name']}" for change in outcome.changes]


def eventually(true: Callable[[], object], what: str) -> None:
    """Wait until something is true."""
    ends = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > ends:
            pytest.fail(f"{what} did not come true in {PATIENCE:.0f} s")
        time.sleep(0.1)


def names(objects: Iterable[Object]) -> list[str]:
    """The objects' names."""
    return sorted(obj["metadata"]["name"] for obj in objects)
