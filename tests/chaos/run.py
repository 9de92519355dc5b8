# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make chaos`: whether runs that are killed, disturbed or doubled leave what an undisturbed run leaves.

On a simulated lab of its own. SHORT=1 is the form for between two edits. Exits with 1 where something was lost.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ansible_collections.meshops.istio.plugins.module_utils.istio.ownership import LOCK
from ansible_collections.meshops.istio.plugins.module_utils.istio.release import find_release
from ansible_collections.meshops.istio.plugins.module_utils.kube.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import MeshError
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects import Key, Kind
from ansible_collections.meshops.istio.tests.equivalence import labs
from ansible_collections.meshops.istio.tests.equivalence.cases import FILES, Input
from ansible_collections.meshops.istio.tests.equivalence.compare import Object, differences, text_of
from ansible_collections.meshops.istio.tests.equivalence.sides import Ours, Side, Theirs

from lab import node, processes
from lab.api import until
from lab.paths import Lab

from . import doomed
from .proxy import faulty_proxy

_LAB = "chaos"
_SHARE = 0.2  # of requests that go wrong
_GIVES_UP = 6.0  # seconds, where every request goes wrong
_LEASE = Kind("coordination.k8s.io/v1", "Lease")
_DEFAULT = Input("profile default", {"profile": "default"})


@dataclass(frozen=True)
class Scenario:
    """An install over what another has left; `before` is installed by us, or by istioctl to be taken over."""

    name: str
    wanted: Input
    kills: int
    kills_in_short: int
    before: Input | None = None
    by_istioctl: bool = False


SCENARIOS = [
    Scenario("a first install", _DEFAULT, 9, 2),
    Scenario("a take-over from istioctl", FILES["pilot-env"], 8, 1, before=_DEFAULT, by_istioctl=True),
    Scenario("an update that removes", _DEFAULT, 7, 1, before=FILES["two-ingress-gateways"]),
]


class Chaos:
    """The cluster, what undisturbed runs leave in it, and the tally of what was tried."""

    def __init__(self, release_source: str, kubeconfig: str) -> None:
        self.source, self.kubeconfig = release_source, kubeconfig
        release, _fetched = find_release(labs.ISTIO, source=release_source)
        self.ours: Ours = Ours(release, kubeconfig)
        self.theirs: Side = Theirs(release, kubeconfig, self.ours.cluster)
        self.theirs.ground = self.ours.ground
        self.lost = 0
        self.kills = 0
        self.faults: Counter[str] = Counter()

    def prepare(self, scenario: Scenario) -> None:
        """Bring the cluster to where the scenario begins."""
        self.ours.clear()
        self.ours.cluster.delete(_LEASE, LOCK, "default")
        if scenario.before:
            (self.theirs if scenario.by_istioctl else self.ours).install(scenario.before)

    def undisturbed(self, scenario: Scenario) -> tuple[int, dict[Key, Object]]:
        """How many writes the scenario takes, and what it leaves."""
        self.prepare(scenario)
        done = self.start(scenario, 0)
        writes, _nothing = done.communicate()
        if done.returncode:
            raise MeshError(f"{scenario.name}: an undisturbed run fails.")
        return int(writes), dict(self.ours.installed())

    def start(self, scenario: Scenario, write: int) -> subprocess.Popen[str]:
        """An install in a process that dies after a number of writes."""
        options = json.dumps(dict(scenario.wanted.options))
        command = [sys.executable, "-m", doomed.__name__, self.kubeconfig, self.source, options, str(write)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def judge(self, what: str, scenario: Scenario, expected: dict[Key, Object], started: float) -> None:
        """Say whether the cluster holds what it should, and that nothing is owed."""
        wrong = [text_of(one) for one in differences(expected, self.ours.installed())]
        wrong += [f"{one['kind']} {one['name']}: {one['action']} once more" for one in self.ours.again(scenario.wanted)]
        if self.ours.cluster.get(_LEASE, LOCK, "default"):
            wrong.append("the lock is still there")
        self.say(what, wrong, started)

    def say(self, what: str, wrong: list[str], started: float) -> None:
        """A line for what was tried."""
        self.lost += bool(wrong)
        print(f"{'LOST    ' if wrong else 'survived'}  {what} ({time.monotonic() - started:.1f} s)", flush=True)
        for text in wrong[:8]:
            print("\n".join(f"          {line}" for line in text.splitlines()[:20]), flush=True)


def kill(chaos: Chaos, scenario: Scenario, count: int) -> dict[Key, Object]:
    """Kill runs at points spread over their writes, and run again; returns what an undisturbed run leaves."""
    writes, expected = chaos.undisturbed(scenario)
    for point in spread(writes, count):
        chaos.prepare(scenario)
        started = time.monotonic()
        process = chaos.start(scenario, point)
        last, _nothing = process.communicate()
        chaos.kills += process.returncode == -signal.SIGKILL
        if chaos.kills > 1:
            # That the lock frees itself is seen once.
            chaos.ours.cluster.delete(_LEASE, LOCK, "default")
        what = f"{scenario.name}, killed after write {point} of {writes}, {short(last)}"
        attempt(chaos, what, started, lambda: chaos.ours.install(scenario.wanted))
        chaos.judge(what, scenario, expected, started)
    return expected


def disturb(chaos: Chaos, scenario: Scenario, expected: dict[Key, Object]) -> None:
    """Run through a proxy that spoils requests, twice."""
    chaos.prepare(scenario)
    started = time.monotonic()
    with faulty_proxy(chaos.kubeconfig, share=_SHARE) as proxy:
        through = Ours(chaos.ours.release, str(proxy.kubeconfig))
        for _run in range(2):
            attempt(chaos, scenario.name, started, lambda: through.install(scenario.wanted))
        chaos.faults += proxy.faults
        what = f"{scenario.name}, twice, {proxy.faults.total()} of {proxy.requests} requests spoilt"
    chaos.judge(what, scenario, expected, started)


def restart_the_api_server(chaos: Chaos, scenario: Scenario, expected: dict[Key, Object]) -> None:
    """Kill the API server in the middle of a run, and start it again."""
    chaos.prepare(scenario)
    started = time.monotonic()
    lab = Lab(_LAB)
    with faulty_proxy(chaos.kubeconfig, share=0) as proxy:
        through = Ours(chaos.ours.release, str(proxy.kubeconfig))
        run = threading.Thread(
            target=attempt, args=(chaos, scenario.name, started, lambda: through.install(scenario.wanted))
        )
        run.start()
        while run.is_alive() and proxy.requests < 60:
            time.sleep(0.01)
        server = processes.records(lab)["kube-apiserver"]
        if pid := server.pid():
            os.kill(pid, signal.SIGKILL)
        # A process of its size takes a while to end, and one that has not ended is not started again.
        until(lambda: server.pid() is None, "The API server did not end", limit=30, advice="its process was killed.")
        node.up(lab, {}, simulated=True)
        run.join()
    chaos.judge(f"{scenario.name}, the API server killed and started in the middle", scenario, expected, started)


def double(chaos: Chaos, scenario: Scenario, expected: dict[Key, Object]) -> None:
    """Two runs at once."""
    chaos.prepare(scenario)
    started = time.monotonic()
    both = [chaos.start(scenario, 0) for _run in range(2)]
    told = [process.communicate()[0] for process in both]
    if any(process.returncode for process in both):
        chaos.say(f"{scenario.name}, two at once", ["one of them failed"], started)
    writes = " and ".join(text.strip() for text in told)
    chaos.judge(f"{scenario.name}, two at once, with {writes} writes", scenario, expected, started)


def give_up(chaos: Chaos, scenario: Scenario) -> None:
    """Where every request goes wrong, a run ends in time, with a sentence, and has written nothing."""
    chaos.prepare(scenario)
    before, started = chaos.ours.installed(), time.monotonic()
    with faulty_proxy(chaos.kubeconfig, share=1) as proxy:
        cluster = Cluster.connect({"kubeconfig": str(proxy.kubeconfig)}, user_agent="meshops.istio/chaos")
        through = Ours(chaos.ours.release, str(proxy.kubeconfig), cluster)
        through.timeout = _GIVES_UP
        wrong, sentence = ["it did not give up"], ""
        try:
            through.install(scenario.wanted)
        except MeshError as error:
            sentence, wrong = error.message, []
        chaos.faults += proxy.faults
    if chaos.ours.installed() != before:
        wrong.append("it left something")
    chaos.say(f"{scenario.name}, all requests spoilt: “{sentence}”", wrong, started)


def attempt(chaos: Chaos, what: str, started: float, install: Callable[[], None]) -> None:
    """Install; that it fails is a loss."""
    try:
        install()
    except MeshError as error:
        chaos.say(what, [error.message], started)


def spread(total: int, count: int) -> Iterator[int]:
    """`count` numbers from 1 to `total`, evenly: the first and the last among them."""
    steps = min(count, total)
    for number in range(steps):
        yield 1 + round(number * (total - 1) / max(1, steps - 1))


def short(request: str) -> str:
    """A request by its end, as `PATCH deployments/istiod`."""
    method, _space, path = request.strip().partition(" ")
    return f"{method} {'/'.join(path.split('?')[0].split('/')[-2:])}"


def main() -> int:
    """Try everything; returns the command's exit code."""
    brief = bool(os.environ.get("SHORT"))
    try:
        with labs.simulated(_LAB) as [variables]:
            chaos = Chaos(variables["mesh_release_source"], variables["mesh_kubeconfig"])
            known = {
                scenario.name: kill(chaos, scenario, scenario.kills_in_short if brief else scenario.kills)
                for scenario in SCENARIOS
            }
            for scenario in SCENARIOS[1:2] if brief else SCENARIOS:
                disturb(chaos, scenario, known[scenario.name])
            first = SCENARIOS[0]
            if not brief:
                restart_the_api_server(chaos, first, known[first.name])
            double(chaos, first, known[first.name])
            give_up(chaos, first)
    except KeyboardInterrupt:
        print("chaos: interrupted", file=sys.stderr)
        return 130
    injected = ", ".join(f"{count} times {name}" for name, count in sorted(chaos.faults.items()))
    print(f"{chaos.kills} kills survived, {chaos.faults.total()} faults injected ({injected}), {chaos.lost} times lost")
    return int(chaos.lost > 0)


if __name__ == "__main__":
    sys.exit(main())
