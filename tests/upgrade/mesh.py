# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mesh on a lab, and the moves of an upgrade as a person makes them: by the playbooks."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane import installed_objects
from ansible_collections.meshops.istio.plugins.module_utils.istio.model.labels import REVISION, labels_of
from ansible_collections.meshops.istio.plugins.module_utils.istio.model.proxies import (
    has_ended,
    proxy_of,
    proxy_version,
    revision_of,
)
from ansible_collections.meshops.istio.plugins.module_utils.istio.upgrade.state import Mesh as State
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.kinds import POD
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support import processes
from ansible_collections.meshops.istio.tests.support.playbook import Run, run_playbook

from lab import audit
from lab.paths import CHECKOUT, Lab

SYSTEM = "istio-system"
NAMESPACES = ("back", "front")
PATH = "/api/calculation"
OUT = CHECKOUT / "build" / "upgrade"
GATEWAY = {
    "apiVersion": "install.istio.io/v1alpha1",
    "kind": "IstioOperator",
    "spec": {
        "components": {
            "ingressGateways": [
                {
                    "name": "istio-ingressgateway",
                    "enabled": True,
                    "k8s": {
                        "overlays": [
                            {
                                "kind": "Deployment",
                                "name": "istio-ingressgateway",
                                "patches": [
                                    {
                                        "path": "spec.template.spec.containers.[name:istio-proxy].lifecycle",
                                        "value": {"preStop": {"sleep": {"seconds": 5}}},
                                    }
                                ],
                            }
                        ]
                    },
                }
            ]
        }
    },
}
"""A gateway ends after it has left its Service: Envoy closes connections whose request it has not read when it ends."""

_LIMIT = 420.0
"""Seconds within which a killed run must have come to the point where it is killed."""


class MoveFailed(Exception):
    """A move does not do what it is to do; the message is for a person."""


class Mesh:
    """A mesh with two services in two namespaces behind its ingress gateway."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self._lab, self._folder = lab, folder
        given: dict[str, Any] = yaml.safe_load(lab.vars_file.read_text(encoding="utf-8"))
        self._variables = {
            **given,
            "mesh_overlays": [*given.get("mesh_overlays", ()), GATEWAY],
            "mesh_inject_namespaces": list(NAMESPACES),
            "mesh_create_namespaces": True,
            "mesh_applications": [_application("shop")],
        }

    @cached_property
    def cluster(self) -> Cluster:
        """The lab's cluster."""
        return Cluster.connect({"kubeconfig": str(self._lab.kubeconfig)}, user_agent="upgrade")

    @property
    def address(self) -> str:
        """The address of the ingress gateway."""
        service = self.cluster.get(Kind("v1", "Service"), "istio-ingressgateway", SYSTEM) or {}
        return str((service.get("status", {}).get("loadBalancer", {}).get("ingress") or [{}])[0].get("ip", ""))

    def install(self, version: str, **more: Any) -> None:
        """Install or update the mesh."""
        self.play("site", mesh_version=version, **more)

    def add_faulty(self) -> None:
        """Deploy a workload that fails with the proxy of a named revision."""
        version = self.state().planes[0]["version"]
        self.play("site", mesh_version=version, mesh_applications=[_application("shop"), _application("faulty")])

    def remove_faulty(self) -> None:
        """Remove it."""
        for kind in (
            Kind("apps/v1", "Deployment"),
            Kind("v1", "Service"),
            Kind("networking.istio.io/v1", "VirtualService"),
        ):
            for name in ("faulty", "details", "default"):
                self.cluster.delete(kind, name, "front")

    def uninstall(self, version: str) -> None:
        """Remove the mesh, but not the applications' namespaces."""
        revision = next((one["revision"] for one in self.state().planes), "default")
        chosen = {} if revision == "default" else {"mesh_revision": revision}
        self.play(
            "uninstall", mesh_version=version, mesh_uninstall_confirm=True, mesh_purge=True, mesh_force=True, **chosen
        )

    def upgrade(self, version: str, **more: Any) -> None:
        """Upgrade to a version, or roll back."""
        self.play("upgrade", mesh_version=version, upgrade_grace_period=1, **more)

    def state(self) -> State:
        """What the cluster has of the mesh."""
        return State.read(self.cluster, SYSTEM)

    def proxies(self) -> dict[str, int]:
        """The running proxies by version and revision."""
        pods = [one for one in self.cluster.list(POD) if proxy_of(one) is not None and not has_ended(one)]
        return dict(Counter(f"{proxy_version(one)} {revision_of(one)}" for one in pods))

    def objects_of(self, revision: str) -> int:
        """How many objects a revision has in the cluster."""
        return len(installed_objects.of_revision(self.cluster, "" if revision == "default" else revision, SYSTEM))

    def labels(self) -> dict[str, dict[str, str]]:
        """The injection labels of the namespaces."""
        kept = ("istio-injection", REVISION)
        found = self.state().namespaces
        return {name: {key: own[key] for key in kept if key in (own := labels_of(found[name]))} for name in NAMESPACES}

    def writes_of(self, run: Callable[[], Any]) -> int:
        """How many requests of a run write."""
        begun = str(time.time())
        run()
        time.sleep(0.5)  # the audit log is written in bundles
        return len(audit.writes(self._lab, user_agent="meshops.istio/", since=begun))

    def killed(self, version: str, when: Callable[[State], bool]) -> None:
        """Begin an upgrade, and kill it with all its processes once the cluster is as `when` says."""
        mark = f"UPGRADE_RUN={os.getpid()}-{time.monotonic_ns()}"
        name, _equals, value = mark.partition("=")
        variables = {**self._variables, "mesh_version": version, "upgrade_grace_period": 5}
        file = self._folder / "killed.yml"
        file.write_text(yaml.safe_dump(variables), encoding="utf-8")
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "meshops.istio.upgrade", "-e", f"@{file}"]
        environment = {**os.environ, name: value}
        with (self._folder / "killed.log").open("wb") as log:
            play = subprocess.Popen(command, env=environment, cwd=self._folder, stdout=log, stderr=subprocess.STDOUT)
            until = time.monotonic() + _LIMIT
            try:
                while not when(self.state()):
                    if play.poll() is not None or time.monotonic() > until:
                        raise MoveFailed(f"the run ended before it could be killed: {log.name}")
            finally:
                processes.kill(mark)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    play.wait(10)

    def play(self, name: str, **variables: Any) -> Run:
        """Run a playbook. Raises MoveFailed if it fails."""
        run = run_playbook(
            f"meshops.istio.{name}", hosts={"one": {**self._variables, **variables}}, folder=self._folder
        )
        OUT.mkdir(parents=True, exist_ok=True)
        log = OUT / f"{name}-{variables.get('mesh_version', '')}.log"
        log.write_text(run.text, encoding="utf-8")
        if run.returncode:
            raise MoveFailed(f"{run.last_failures.get('one') or run.text[-1500:]} (the whole run: {log})")
        return run


def _application(name: str) -> dict[str, Any]:
    return {"name": name, "namespace": "front", "src": [str(Path(__file__).with_name(f"{name}.yaml"))]}
