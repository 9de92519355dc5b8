# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two that are compared: `istioctl install`, and the collection; each on a cluster of its own."""

from __future__ import annotations

import functools
import json
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.istio.configuration import Options, flags_of
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane import ControlPlane
from ansible_collections.meshops.istio.plugins.module_utils.istio.overlays import API_VERSION, KIND
from ansible_collections.meshops.istio.plugins.module_utils.istio.ownership import LOCK
from ansible_collections.meshops.istio.plugins.module_utils.istio.release import Release
from ansible_collections.meshops.istio.plugins.module_utils.kube.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import MeshError
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects import Key, read_manifests
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.reconcile import Outcome, reconcile

from . import snapshot
from .cases import Input
from .compare import normalised

_PREREQUISITES = Path(__file__).resolve().parent / "cluster.yaml"
_DONE = "Installation complete"
_AGENT = "meshops.istio/equivalence"
_TIMEOUT = 180  # seconds for an install: a few on an idle machine


@dataclass(frozen=True)
class Result:
    """What an install has left, normalised; or the sentence by which it was refused.

    again: what the same install would change a second time.
    """

    objects: Mapping[Key, dict[str, Any]] = field(default_factory=dict)
    refused: str = ""
    again: Sequence[Mapping[str, str]] = ()


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
            for one in inputs:
                self.install(one)
            again = self.again(inputs[-1])
        except MeshError as error:
            return Result(refused=error.message)
        return Result(self.installed(), again=again)

    @abstractmethod
    def install(self, one: Input) -> None:
        """Install; raises MeshError where it is refused."""

    def again(self, one: Input) -> Sequence[Mapping[str, str]]:
        """What the same install would change once more."""
        return ()


class Theirs(Side):
    """`istioctl install`."""

    def install(self, one: Input) -> None:
        with tempfile.TemporaryDirectory(prefix="meshops-") as folder:
            arguments = install_arguments(one.options, Path(folder))
            command = [str(self.release.istioctl), "install", "--skip-confirmation", "--kubeconfig", self.kubeconfig]
            command += ["--readiness-timeout", f"{_TIMEOUT}s", *arguments]
            done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        # With a namespace's scope it has no injector, and istioctl 1.29.1 crashes over that when all is done.
        if done.returncode != 0 and _DONE not in done.stdout + done.stderr:
            raise MeshError(done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}")


class Ours(Side):
    """The collection, by what its module `control_plane` calls; `timeout` in seconds."""

    timeout: float = _TIMEOUT

    def install(self, one: Input) -> None:
        self._reconcile(one, check=False)

    def again(self, one: Input) -> Sequence[Mapping[str, str]]:
        return self._reconcile(one, check=True).changes

    def _reconcile(self, one: Input, *, check: bool) -> Outcome:
        wanted = ControlPlane(self.release, Options.of(one.options), self.cluster)
        return reconcile(
            self.cluster,
            wanted.unit(),
            check=check,
            diff=False,
            wait=True,
            timeout=self.timeout,
            progress=silent,
            lock=LOCK,
            checks=wanted.check,
        )


def install_arguments(options: Mapping[str, Any], folder: Path) -> list[str]:
    """istioctl's arguments for a control plane's options; what it takes only as a file is written to `folder`."""
    values = {"spec": {"values": options["values"]}} if options.get("values") else None
    arguments: list[str] = []
    for number, overlay in enumerate([*options.get("overlays", ()), *([values] if values else [])]):
        path = overlay
        if isinstance(overlay, Mapping):
            path = folder / f"{number}.yaml"
            path.write_text(json.dumps({"apiVersion": API_VERSION, "kind": KIND, **overlay}), encoding="utf-8")
        arguments += ["--filename", str(path)]
    for name, flag in _FLAGS.items():
        if options.get(name):
            arguments += ["--set", f"{flag}={options[name]}"]
    for setting in flags_of(options.get("set")):
        arguments += ["--set", setting]
    return arguments


_FLAGS = {
    "profile": "profile",
    "revision": "revision",
    "hub": "hub",
    "tag": "tag",
    "platform": "values.global.platform",
    "namespace": "values.global.istioNamespace",
}
