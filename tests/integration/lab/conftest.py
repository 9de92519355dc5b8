# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labs of the tests' own, so that the one in use is never touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]


class Bench:
    """A lab under test, used as a person uses it: by its commands."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.network = ""

    def lab(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "lab", "--lab", self.name, *arguments]
        done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=600, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done

    @property
    def kubeconfig(self) -> Path:
        return Path(self.lab("kubeconfig").stdout.strip())

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        command = [str(self.kubeconfig.parent / "bin" / "kubectl"), "--kubeconfig", str(self.kubeconfig), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def processes(self) -> dict[str, int]:
        """Name and process id of everything that `lab status` lists as running."""
        lines = [line.split() for line in self.lab("status", check=False).stdout.splitlines()]
        return {words[0]: int(words[2]) for words in lines if len(words) == 3 and words[1] == "pid"}

    def traces(self) -> dict[str, list[str]]:
        """What the machine shows of this lab, by the command that shows it."""
        marks = [mark for mark in (self.name, self.network) if mark]
        commands = {
            "ps": ["ps", "-eo", "pid,args", "--no-headers"],
            "mount": ["mount"],
            "ip netns": ["ip", "netns"],
            "ip link": ["ip", "-o", "address"],
            "ip route": ["ip", "route"],
            "iptables-save": ["iptables-save"],
            "control groups": ["find", "/sys/fs/cgroup", "-name", f"*{self.name}*"],
            "folders": ["find", "/run/meshops-istio/labs", "/var/lib/meshops-istio/labs", "-maxdepth", "1"],
        }
        found = {}
        for name, command in commands.items():
            lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
            seen = [line for line in lines if any(mark in line for mark in marks)]
            if seen:
                found[name] = seen
        return found

    def up(self) -> str:
        """Bring the lab up; what it said."""
        said = self.lab("up").stderr
        server = self.kubectl("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}")
        self.network = server.removeprefix("https://").rsplit(".", 1)[0] + "."
        return said


def eventually(condition: Callable[[], object], *, limit: float = 60) -> object:
    """The condition's first true value; the test fails when there is none in time."""
    until = time.monotonic() + limit
    while not (value := condition()):
        assert time.monotonic() < until, "did not happen in time"
        time.sleep(0.2)
    return value


def _bench(name: str) -> Iterator[Bench]:
    bench = Bench(name)
    try:
        bench.up()
        yield bench
    finally:
        bench.lab("down")


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    yield from _bench(f"it-{os.getpid()}")


@pytest.fixture(scope="session")
def neighbour(bench: Bench) -> Iterator[Bench]:
    """A second lab beside the first."""
    yield from _bench(f"{bench.name}-b")
