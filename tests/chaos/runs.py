# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cluster that is disturbed, runs of tasks on it, what undisturbed ones leave, and the tally of what was tried."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.istio.release.find import find_release
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import MeshError
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.inventory import LABEL, Inventory, listed_in
from ansible_collections.meshops.istio.tests.equivalence import labs
from ansible_collections.meshops.istio.tests.equivalence.cases import Input
from ansible_collections.meshops.istio.tests.equivalence.compare import Object, differences, text_of
from ansible_collections.meshops.istio.tests.equivalence.sides import Ours, Side, Theirs

from . import module_run
from .scenarios import Scenario, Task

TIMEOUT = 120
_LEASES = Kind("coordination.k8s.io/v1", "Lease")
_CRDS = "manifests/charts/base/files/crd-all.gen.yaml"

State = Mapping[Key, Object]


@dataclass(frozen=True)
class Done:
    """How a run has ended: its result, empty if it was killed; its writes; and the last request of one that was killed."""

    returncode: int
    result: Mapping[str, Any]
    writes: int
    last: str

    @property
    def failure(self) -> str:
        """Why it has failed; empty where it has not."""
        return str(self.result.get("msg") or "it ended without a result") if self.returncode else ""


class Chaos:
    """The cluster, and what was lost of what was tried."""

    def __init__(self, release_source: str, kubeconfig: str) -> None:
        self.kubeconfig = kubeconfig
        self._source = release_source
        release, _fetched = find_release(labs.ISTIO, source=release_source)
        self._crds = release.root / _CRDS
        self._side = Ours(release, kubeconfig)
        self._theirs: Side = Theirs(release, kubeconfig, self._side.cluster)
        self._theirs.ground = self._side.ground
        self.cluster = self._side.cluster
        self.lost = 0
        self.kills = 0
        self.faults: Counter[str] = Counter()

    # --- runs

    def start(
        self, task: Task, *, write: int = 0, signal_name: str = "SIGKILL", kubeconfig: str = "", **options: Any
    ) -> subprocess.Popen[str]:
        """A run in a process of its own, which gets the signal after a number of writes."""
        given = {"wait_timeout": TIMEOUT, **task.options, **options}
        if task.released:
            given = {"version": labs.ISTIO, "source": [self._source], **given}
        if task.crds:
            given["src"] = [str(self._crds)]
        command = [sys.executable, "-m", module_run.__name__, kubeconfig or self.kubeconfig, task.module]
        command += [json.dumps(given), str(write), signal_name]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def run(self, task: Task, **how: Any) -> Done:
        """A run, and how it has ended."""
        return ended(self.start(task, **how))

    def prepare(self, scenario: Scenario) -> None:
        """Bring the cluster to where the scenario begins."""
        self._side.clear()
        self.free()
        for one in scenario.before:
            if isinstance(one, Input):
                self._theirs.install(one)
            elif failure := self.run(one).failure:
                raise MeshError(f"{scenario.name}: what comes before it fails: {failure}")

    def undisturbed(self, scenario: Scenario, task: Task | None = None) -> tuple[int, State]:
        """How many writes the scenario takes, with another task than its own if one is given, and what it leaves."""
        self.prepare(scenario)
        done = self.run(task or scenario.task)
        if done.failure:
            raise MeshError(f"{scenario.name}: an undisturbed run fails: {done.failure}")
        return done.writes, self.installed()

    def installed(self) -> State:
        """What is there now and was not at first, without what differs between equal clusters."""
        return without_listed_gone(self._side.installed())

    # --- locks

    def free(self) -> None:
        """Delete all locks, as they would run out."""
        for lease in self._locks():
            self.cluster.delete(_LEASES, lease["metadata"]["name"], lease["metadata"]["namespace"])

    def _locks(self) -> list[Object]:
        found = self.cluster.list(_LEASES)
        return [one for one in found if one["metadata"]["name"].startswith("meshops-istio-")]

    # --- verdicts

    def judge(self, what: str, task: Task, expected: State, started: float, *wrong: str) -> None:
        """Say whether the cluster holds what it should, and that nothing is owed."""
        found = [*wrong, *(text_of(one) for one in differences(expected, self.installed()))]
        again = self.run(task, _ansible_check_mode=True)
        found += [f"{one['kind']} {one['name']}: {one['action']} once more" for one in again.result.get("changes", ())]
        found += [again.failure] if again.failure else []
        found += [f"the lock {one['metadata']['name']} is still there" for one in self._locks()]
        self.say(what, found, started)

    def say(self, what: str, wrong: list[str], started: float) -> None:
        """A line for what was tried."""
        self.lost += bool(wrong)
        print(f"{'LOST    ' if wrong else 'survived'}  {what} ({time.monotonic() - started:.1f} s)", flush=True)
        for text in wrong[:8]:
            print("\n".join(f"          {line}" for line in text.splitlines()[:20]), flush=True)


def without_listed_gone(objects: State) -> State:
    """Objects whose inventories list only what is among them.

    A run that is killed between its last deletion and the inventory leaves nothing to do but that, which is no change: the
    next run that writes mends it.
    """
    there = {key.identity for key in objects}
    return {
        key: _listing(obj, [one for one in listed_in(obj) if one.identity in there]) if is_inventory(obj) else obj
        for key, obj in objects.items()
    }


def is_inventory(obj: Object) -> bool:
    """Whether an object is the inventory of a unit."""
    return obj["kind"] == "ConfigMap" and LABEL in (obj["metadata"].get("labels") or {})


def _listing(obj: Object, keys: list[Key]) -> Object:
    listing = Inventory("", "", "").listing(keys)
    return {**obj, "data": listing["data"] if listing else {}}


def ended(process: subprocess.Popen[str]) -> Done:
    """How a run has ended, once it has."""
    lines = [line for line in process.communicate()[0].splitlines() if line.strip()]
    killed = process.returncode < 0
    results = [json.loads(line) for line in lines if line.startswith("{")]
    writes = 0 if killed or not lines[-1:] else int(lines[-1])
    return Done(process.returncode, results[-1] if results else {}, writes, lines[-1] if killed and lines else "")


def stopped(process: subprocess.Popen[str]) -> bool:
    """Whether a process has stopped; False once it has ended."""
    while process.poll() is None:
        try:
            state = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            break
        if state in "Tt":
            return True
        time.sleep(0.02)
    return False
