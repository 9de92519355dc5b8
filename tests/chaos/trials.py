# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done to a run: it is killed, disturbed, stopped, doubled, or gets nothing but faults."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

from lab import node, processes
from lab.api import until
from lab.paths import Lab

from .proxy import faulty_proxy
from .runs import Chaos, State, ended, stopped
from .scenarios import Scenario

_SHARE = 0.2  # of requests that go wrong
_GIVES_UP = 6  # seconds, where every request goes wrong


def kill(chaos: Chaos, scenario: Scenario, count: int) -> State:
    """Kill runs at points spread over their writes, and run again; returns what an undisturbed run leaves."""
    writes, expected = chaos.undisturbed(scenario)
    for point in _spread(writes, count):
        chaos.prepare(scenario)
        started = time.monotonic()
        killed = chaos.run(scenario.task, write=point)
        chaos.kills += killed.returncode == -signal.SIGKILL
        if chaos.kills > 1:
            chaos.free()  # that the lock frees itself is seen once
        what = f"{scenario.name}, killed after write {point} of {writes}, {_short(killed.last)}"
        done = chaos.run(scenario.task)
        chaos.judge(what, scenario.task, expected, started, *filter(None, [done.failure]))
    return expected


def disturb(chaos: Chaos, scenario: Scenario, expected: State) -> None:
    """Run through a proxy that spoils requests, twice."""
    chaos.prepare(scenario)
    started = time.monotonic()
    with faulty_proxy(chaos.kubeconfig, share=_SHARE) as proxy:
        runs = [chaos.run(scenario.task, kubeconfig=str(proxy.kubeconfig)) for _run in range(2)]
        chaos.faults += proxy.faults
        what = f"{scenario.name}, twice, {proxy.faults.total()} of {proxy.requests} requests spoilt"
    chaos.free()  # a lock whose release was spoilt runs out by itself
    chaos.judge(what, scenario.task, expected, started, *(run.failure for run in runs if run.failure))


def stall(chaos: Chaos, scenario: Scenario) -> None:
    """Stop a run in the middle, let another one have its turn, and let the first one go on: it must write nothing."""
    assert scenario.rival
    _writes, expected = chaos.undisturbed(scenario, scenario.rival)
    chaos.prepare(scenario)
    started = time.monotonic()
    # The first write takes the lock, and the second one is under it, however few there are.
    first = chaos.start(scenario.task, write=2, signal_name="SIGSTOP")
    try:
        if not stopped(first):
            chaos.say(f"{scenario.name}, stalled", [f"it did not stop: {ended(first).failure}"], started)
            return
        second = chaos.run(scenario.rival)
        first.send_signal(signal.SIGCONT)
        late = ended(first)
    finally:
        first.kill()
    wrong = [second.failure] if second.failure else []
    # A run in stages plans the next one anew before it writes, and may see there what the other run has done.
    if late.result.get("code") not in ("lock_lost", "plan_changed"):
        wrong.append(f"the stalled run ended otherwise: {late.failure or 'well'}")
    what = f"{scenario.name}, stalled for {time.monotonic() - started:.0f} s while another run had the lock"
    chaos.judge(what, scenario.rival, expected, started, *wrong)


def double(chaos: Chaos, scenario: Scenario, expected: State) -> None:
    """Two runs at once, of the same task or of two that want something different: one of them is what is left."""
    outcomes = [(scenario.task, expected)]
    if scenario.rival:
        outcomes.append((scenario.rival, chaos.undisturbed(scenario, scenario.rival)[1]))
    chaos.prepare(scenario)
    started = time.monotonic()
    both = [chaos.start(outcomes[number % len(outcomes)][0]) for number in range(2)]
    done = [ended(process) for process in both]
    installed = chaos.installed()
    task, wanted = next((one for one in outcomes if one[1] == installed), outcomes[0])
    writes = " and ".join(str(one.writes) for one in done)
    what = f"{scenario.name}, two at once{' of two commits' if scenario.rival else ''}, with {writes} writes"
    chaos.judge(what, task, wanted, started, *(one.failure for one in done if one.failure))


def restart_the_api_server(chaos: Chaos, scenario: Scenario, expected: State, lab: Lab) -> None:
    """Kill the API server in the middle of a run, and start it again."""
    chaos.prepare(scenario)
    started = time.monotonic()
    with faulty_proxy(chaos.kubeconfig, share=0) as proxy:
        run = chaos.start(scenario.task, kubeconfig=str(proxy.kubeconfig))
        while run.poll() is None and proxy.requests < 60:
            time.sleep(0.01)
        server = processes.records(lab)["kube-apiserver"]
        if pid := server.pid():
            os.kill(pid, signal.SIGKILL)
        # A process of its size takes a while to end, and one that has not ended is not started again.
        until(lambda: server.pid() is None, "The API server did not end", limit=30, advice="its process was killed.")
        node.up(lab, {}, simulated=True)
        done = ended(run)
    what = f"{scenario.name}, the API server killed and started in the middle"
    chaos.judge(what, scenario.task, expected, started, *filter(None, [done.failure]))


def give_up(chaos: Chaos, scenario: Scenario) -> None:
    """Where every request goes wrong, a run ends in time, with a sentence, and has written nothing."""
    chaos.prepare(scenario)
    before, started = chaos.installed(), time.monotonic()
    with faulty_proxy(chaos.kubeconfig, share=1) as proxy:
        done = chaos.run(scenario.task, kubeconfig=str(proxy.kubeconfig), wait_timeout=_GIVES_UP)
        chaos.faults += proxy.faults
    wrong = [] if done.result.get("failed") else ["it did not give up"]
    if chaos.installed() != before:
        wrong.append("it left something")
    chaos.say(f"{scenario.name}, all requests spoilt: “{done.failure}”", wrong, started)


def _spread(total: int, count: int) -> Iterator[int]:
    """`count` numbers from 1 to `total`, evenly: the first and the last among them; a single one is in the middle."""
    steps = min(count, total)
    if steps == 1:
        yield (total + 1) // 2
        return
    for number in range(steps):
        yield 1 + round(number * (total - 1) / (steps - 1))


def _short(request: str) -> str:
    """A request by its end, as `PATCH deployments/istiod`."""
    method, _space, path = request.strip().partition(" ")
    return f"{method} {'/'.join(path.split('?')[0].split('/')[-2:])}"
