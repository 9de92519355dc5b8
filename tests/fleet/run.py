# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make fleet`: what one controller does with several clusters at once, and what that comes to for a thousand.

CLUSTERS=1,2 measures these numbers of simulated control planes instead of 1, 2, 4 and 8. A played pod is ready at once:
what is measured is the controller's work, not the clusters'.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ansible_collections.meshops.istio.tests.equivalence.labs import simulated

from lab.errors import LabError

from .measure import Cost, RunFailed, measured
from .model import Instance, Model

COUNTS = (1, 2, 4, 8)
RUNS = {"first": "site", "again": "site", "verify": "verify"}
"""The playbook of each run, in this order: a cluster without a mesh, one that is as it should be, and asking it."""
INSTANCE = Instance(cpus=4, memory=16 << 30)
FLEET = 1000
GROUPS = (1, 4, 16)
MIB = 1 << 20

Costs = dict[str, dict[int, Cost]]


def chosen(environment: Mapping[str, str]) -> list[int]:
    """The numbers of clusters; ValueError for what is none, or too few to draw a line from one cluster."""
    given = environment.get("CLUSTERS", "").replace(",", " ").split()
    counts = sorted({int(one) for one in given}) if given else [*COUNTS]
    if len(counts) < 2 or counts[0] != 1:
        raise ValueError("one cluster and a larger number are needed")
    return counts


def measure(counts: Sequence[int]) -> Costs:
    """Each run over each number of clusters, which are new ones each time."""
    costs: Costs = {name: {} for name in RUNS}
    for count in counts:
        with simulated(*(f"fleet-{number}" for number in range(count))) as labs, tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            # A simulated node has no port to ask proxies and gateways at.
            common = {"mesh_profile": "minimal", "mesh_verify_proxies": False, "mesh_verify_analysis_fail_on": "never"}
            hosts = {f"cluster-{number}": {**lab, **common} for number, lab in enumerate(labs)}
            (folder / "clusters.json").write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
            for run, playbook in RUNS.items():
                costs[run][count] = measured(_command(playbook, count), environment=_environment(), folder=folder)
                print(_row(run, count, costs[run][count]), flush=True)
    return costs


def _command(playbook: str, forks: int) -> list[str]:
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    return [program, f"meshops.istio.{playbook}", "--inventory", "clusters.json", "--forks", str(forks)]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "K8S_AUTH_"))}


HEAD = f"{'run':<8}{'clusters':>9}{'seconds':>9}{'each':>7}{'cpu s':>8}{'each':>7}{'MiB':>7}{'processes':>11}"


def _row(run: str, count: int, cost: Cost) -> str:
    times = f"{cost.seconds:>9.1f}{cost.seconds / count:>7.1f}{cost.cpu:>8.1f}{cost.cpu / count:>7.1f}"
    return f"{run:<8}{count:>9}{times}{cost.memory / MIB:>7.0f}{cost.processes:>11}"


def told(costs: Costs) -> list[str]:
    """The model of each run, and what it says of a thousand clusters."""
    lines = [
        "",
        f"{FLEET} clusters, on instances of {INSTANCE.cpus} processors and {INSTANCE.memory >> 30} GiB, in minutes:",
    ]
    lines += [f"{'run':<8}{'forks':>9}{'MiB each':>10}" + "".join(f"{f'{group} inst.':>11}" for group in GROUPS)]
    for run, by_count in costs.items():
        model = Model.of(by_count)
        minutes = "".join(f"{model.seconds(FLEET, group, INSTANCE) / 60:>11.1f}" for group in GROUPS)
        lines.append(f"{run:<8}{model.forks(INSTANCE):>9}{model.memory_each / MIB:>10.0f}{minutes}")
    return lines


def main() -> int:
    """Measure, and print; 1 where a run failed."""
    try:
        counts = chosen(os.environ)
    except ValueError as error:
        print(f"CLUSTERS={os.environ['CLUSTERS']}: {error}, as CLUSTERS=1,2.")
        return 2
    print(HEAD)
    try:
        costs = measure(counts)
    except (RunFailed, LabError) as error:
        print(f"fleet: {error}")
        return 1
    print("\n".join(told(costs)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
