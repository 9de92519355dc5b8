# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab that all is measured on, and the means to do so."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.configuration import Options
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.revision import ControlPlane
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.find import find_release
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.release import Release
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.planning import make_plan
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.wait import wait_gone

from lab import audit
from lab.audit import Request
from lab.paths import Lab

from . import peers
from .failure import BenchmarkError
from .playbooks import PING, Ansible, Task

OURS = "meshops.istio/"
"""How our User-Agent begins."""
MANAGER = "meshops.istio/control_plane"
NAMESPACE = "istio-system"
PROFILE = "demo"


@dataclass
class Stage:
    """A lab, with Istio's release and every program that is measured. `short` asks for small numbers.

    Peers apply what ours applies, as the field manager that ours is: so neither finds the other's traces.
    """

    lab: Lab
    folder: Path
    short: bool

    @property
    def kubeconfig(self) -> str:
        return str(self.lab.kubeconfig)

    @cached_property
    def variables(self) -> dict[str, Any]:
        """The variables by which a site uses the lab."""
        found: dict[str, Any] = yaml.safe_load(self.lab.vars_file.read_text(encoding="utf-8"))
        return found

    @cached_property
    def cluster(self) -> Cluster:
        """The lab's API, by a User-Agent that is not counted as ours."""
        return Cluster.connect({"kubeconfig": self.kubeconfig}, user_agent="benchmark")

    @cached_property
    def release(self) -> Release:
        return find_release(self.variables["mesh_version"], source=self.variables["mesh_release_source"])[0]

    # --- ours --------------------------------------------------------------------------------------------------

    @cached_property
    def ansible(self) -> Ansible:
        """The collection, in the environment that this runs in, with a cache of its own for what is rendered."""
        import sys

        return Ansible(Path(sys.executable).parent, {"MESHOPS_CACHE": str(self.cache)})

    @property
    def cache(self) -> Path:
        """The folder of what is kept from run to run."""
        return self.folder / "cache"

    @property
    def control_plane(self) -> dict[str, Any]:
        """Options of `meshops.istio.control_plane`."""
        return {
            "kubeconfig": self.kubeconfig,
            "version": self.release.version,
            "source": [str(self.release.root)],
            "profile": PROFILE,
            "overlays": self.variables["mesh_overlays"],
        }

    def install(self, *, changes: bool | None = None, ansible: Ansible | None = None, **options: Any) -> Task:
        """Run `control_plane`; raises BenchmarkError where it does not report what `changes` says."""
        return self.module("control_plane", {**self.control_plane, **options}, changes=changes, ansible=ansible)

    def module(
        self,
        name: str,
        options: Mapping[str, Any],
        *,
        changes: bool | None = None,
        ansible: Ansible | None = None,
        **keywords: Any,
    ) -> Task:
        """Run a module of the collection as a playbook's one task; `keywords` are the task's own."""
        task = {f"meshops.istio.{name}": {"kubeconfig": self.kubeconfig, **options}, **keywords}
        done = (ansible or self.ansible).task(task)
        if changes is not None and done.changed != changes:
            raise BenchmarkError(f"{name} reports {'a' if done.changed else 'no'} change, which it should not.")
        return done

    def warm_up(self, name: str, options: Mapping[str, Any]) -> None:
        """Have ansible-core pack a module, which it does once for all runs."""
        self.module(name, options, check_mode=True)

    def ping(self) -> float:
        """Seconds of a task that does nothing but start."""
        return self.ansible.task(PING).seconds

    @cached_property
    def manifest(self) -> Path:
        """A file with exactly the objects that ours applies to the mesh that is installed now."""
        options = Options.of({**self.control_plane, "ingress": []})
        unit = ControlPlane(self.release, options, self.cluster, cache_dir=str(self.cache)).unit()
        path = self.folder / "mesh.yaml"
        path.write_text(yaml.dump_all(make_plan(self.cluster, unit).objects, Dumper=yaml.CSafeDumper), encoding="utf-8")
        return path

    # --- peers -------------------------------------------------------------------------------------------------

    @cached_property
    def kubernetes_core(self) -> Ansible:
        return peers.kubernetes_core()

    @property
    def istioctl_input(self) -> list[str]:
        """Arguments by which istioctl makes the same mesh."""
        files = [word for path in self.variables["mesh_overlays"] for word in ("--filename", str(path))]
        return [*files, "--set", f"profile={PROFILE}"]

    def istioctl_install(self) -> float:
        """Seconds of `istioctl install`."""
        return self.istioctl("install", "--skip-confirmation", *self.istioctl_input)

    def istioctl(self, *arguments: str) -> float:
        return self.timed([self.release.istioctl, *arguments, "--kubeconfig", self.kubeconfig])

    def kubectl(self, *arguments: str, codes: Sequence[int] = (0,)) -> float:
        cache = ["--cache-dir", str(self.folder / "kubectl")]
        return self.timed([self._kubectl, *arguments, *cache, "--kubeconfig", self.kubeconfig], codes=codes)

    def kubectl_apply(self, path: Path, *arguments: str) -> float:
        """Seconds of a server-side apply."""
        return self.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(path), *arguments)

    @cached_property
    def _kubectl(self) -> Path:
        return peers.program("kubectl")

    def timed(self, command: Sequence[str | Path], *, codes: Sequence[int] = (0,)) -> float:
        """Seconds of a program, which has to end with one of `codes`."""
        begun = time.monotonic()
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        seconds = time.monotonic() - begun
        if done.returncode not in codes:
            said = " ".join((done.stderr or done.stdout).split())[-500:]
            raise BenchmarkError(f"{Path(command[0]).name} {command[1]} ended with {done.returncode}: {said}")
        return seconds

    # --- the cluster -------------------------------------------------------------------------------------------

    def clear(self) -> None:
        """Take the mesh away, whoever installed it, until nothing of it runs any more."""
        self.istioctl("uninstall", "--purge", "--skip-confirmation")
        namespace = Kind("v1", "Namespace")
        self.cluster.delete(namespace, NAMESPACE)
        wait_gone(self.cluster, [Key("v1", "Namespace", "", NAMESPACE)], timeout=180, progress=silent)

    def requests_since(self, begun: str, *, user_agent: str = OURS) -> list[Request]:
        """What the API server was asked since a moment, as its audit log has it."""
        time.sleep(0.5)  # the log is written in bundles
        return list(audit.requests(self.lab, user_agent=user_agent, since=begun))


def now() -> str:
    """This moment, as the audit log writes it."""
    return datetime.now(UTC).isoformat()
