# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two that are compared: `istioctl install`, and the collection; each on a cluster of its own."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.configuration import Options
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.revision import ControlPlane
from ansible_collections.meshops.istio.plugins.module_utils.istio.model.ownership import LOCK
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.release import Release
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.reconcile import Outcome, reconcile
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.settings import Settings
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import MeshError
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind, read_manifests

from . import snapshot
from .cases import Input
from .compare import normalised
from .installers import TIMEOUT, by_helm, by_istioctl

_PREREQUISITES = Path(__file__).resolve().parent / "cluster.yaml"
_DEPLOYMENTS = Kind("apps/v1", "Deployment")
_REVISION = "deployment.kubernetes.io/revision"
_AGENT = "meshops.istio/equivalence"


@dataclass(frozen=True)
class Result:
    """What an install has left, normalised; or the sentence by which it was refused.

    again: what the same install would change a second time.
    restarted: Deployments that a take-over without another configuration has given other pods.
    """

    objects: Mapping[Key, dict[str, Any]] = field(default_factory=dict)
    refused: str = ""
    again: Sequence[Mapping[str, str]] = ()
    restarted: Sequence[str] = ()


class Side(ABC):
    """One way to install, and the cluster for it."""

    def __init__(self, release: Release, kubeconfig: str, cluster: Cluster | None = None) -> None:
        self.release = release
        self.kubeconfig = kubeconfig
        self.cluster = cluster or Cluster.connect({"kubeconfig": kubeconfig}, user_agent=_AGENT)

    @functools.cached_property
    def ground(self) -> snapshot.Snapshot:
        """What the cluster held before the first install."""
        for obj in read_manifests(_PREREQUISITES.read_text(encoding="utf-8"), str(_PREREQUISITES)):
            self.cluster.apply(obj, manager="equivalence")
        return snapshot.read(self.cluster)

    def clear(self) -> None:
        """Remove all that was not there at first."""
        snapshot.clear(self.cluster, self.ground)

    def installed(self) -> dict[Key, dict[str, Any]]:
        """What is there now and was not at first, normalised."""
        known = {key: normalised(obj) for key, obj in self.ground.items()}
        found = {key: normalised(obj) for key, obj in snapshot.read(self.cluster).items()}
        return {key: obj for key, obj in found.items() if known.get(key) != obj}

    def result_of(self, inputs: Sequence[Input]) -> Result:
        """Install one input over the other on the cluster as it was at first, and read what that has left."""
        self.clear()
        try:
            for one in inputs[:-1]:
                self.install(one)
            before = self._revisions()
            self.install(inputs[-1])
            again = self.again(inputs[-1])
        except MeshError as error:
            return Result(refused=error.message)
        taken_over = inputs[0].by == "helm" or (inputs[0].by and inputs[0].options == inputs[-1].options)
        now = self._revisions() if taken_over else before
        restarted = [name for name, revision in before.items() if now.get(name, revision) != revision]
        return Result(self.installed(), again=again, restarted=restarted)

    def _revisions(self) -> dict[str, str]:
        """How often each Deployment has been given other pods, as its controller counts it."""
        return {
            obj["metadata"]["name"]: (obj["metadata"].get("annotations") or {}).get(_REVISION, "")
            for obj in self.cluster.list(_DEPLOYMENTS)
        }

    @abstractmethod
    def install(self, one: Input) -> None:
        """Install; raises MeshError where it is refused."""

    def again(self, one: Input) -> Sequence[Mapping[str, str]]:
        """What the same install would change once more."""
        return ()


class Theirs(Side):
    """`istioctl install`."""

    def install(self, one: Input) -> None:
        by_istioctl(self.release, self.kubeconfig, one.options)


class Ours(Side):
    """The collection, by what its module `control_plane` calls; `timeout` in seconds."""

    timeout: float = TIMEOUT

    def install(self, one: Input) -> None:
        if one.by == "istioctl":
            by_istioctl(self.release, self.kubeconfig, one.options)
        elif one.by == "helm":
            by_helm(self.release, self.kubeconfig)
        else:
            self._reconcile(one, check=False)

    def again(self, one: Input) -> Sequence[Mapping[str, str]]:
        return self._reconcile(one, check=True).changes

    def _reconcile(self, one: Input, *, check: bool) -> Outcome:
        wanted = ControlPlane(self.release, Options.of(one.options), self.cluster)
        settings = Settings(timeout=self.timeout, check=check, lock=LOCK, checks=wanted.check)
        return reconcile(self.cluster, wanted.unit(), settings)
