# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes that outlive the command which starts them: recorded, recognised again, never mistaken for others."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .cgroups import create
from .errors import LabError
from .files import digest
from .paths import Lab

# Joins the lab's control group, leaves its own record, enters the lab's namespaces and becomes the program: the process
# id stays the same. The record is its own work because whoever starts it may be killed before writing anything.
# nsenter and not `ip netns exec`, which would hide /sys/fs/cgroup.
_ENTER = """
echo $$ > "$1" &&
printf "$2" $$ "$(cut -d " " -f 22 /proc/$$/stat)" > "$3.partial" && mv "$3.partial" "$3" &&
shift 3 && exec "$@"
"""
_PATIENCE = 5.0  # seconds between SIGTERM and SIGKILL


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_time(pid: int) -> str:
    """When a process started, in the kernel's ticks; empty where there is none, or only its remains."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


@dataclass(frozen=True)
class Record:
    """What is remembered of a process that was started: enough to know it again, and what it was started with."""

    path: Path

    def pid(self) -> int | None:
        """The id of our running process; never that of another which was given the same id later."""
        known = self.read()
        pid = known.get("pid")
        if not isinstance(pid, int) or known.get("boot") != boot_id():
            return None
        return pid if known.get("started") == start_time(pid) != "" else None

    def read(self) -> dict[str, Any]:
        try:
            known = json.loads(self.path.read_text())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}


def records(lab: Lab) -> dict[str, Record]:
    """All processes of a lab by name."""
    return {path.stem: Record(path) for path in sorted((lab.runtime / "pids").glob("*.json"))}


@dataclass(frozen=True)
class Process:
    """A program of a lab. `configuration` are files whose change makes a restart necessary.

    All run in the lab's namespaces, but for one that is `outside` because it has to reach the machine's own network.
    """

    lab: Lab
    name: str
    argv: Sequence[str | Path]
    environment: Mapping[str, str]
    configuration: Sequence[Path] = ()
    outside: bool = False

    @property
    def record(self) -> Record:
        return Record(self.lab.runtime / "pids" / f"{self.name}.json")

    @property
    def log(self) -> Path:
        return self.lab.logs / f"{self.name}.log"

    def current(self) -> bool:
        """Whether it runs, with today's command line and configuration."""
        return self.record.pid() is not None and self.record.read().get("inputs") == self._inputs()

    def stop(self) -> None:
        """SIGTERM, and SIGKILL after five seconds, to our own process only."""
        pid = self.record.pid()
        if pid is None:
            return
        handle = os.pidfd_open(pid)
        try:
            for sign in (signal.SIGTERM, signal.SIGKILL):
                signal.pidfd_send_signal(handle, sign)
                if select.select([handle], [], [], _PATIENCE)[0]:
                    return
        except ProcessLookupError:
            return
        finally:
            os.close(handle)

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.record.path.parent.mkdir(parents=True, exist_ok=True)
        known = json.dumps({"boot": boot_id(), "inputs": self._inputs()})
        template = f'{{"pid": %s, "started": "%s", {known.removeprefix("{")}'
        enter = ["nsenter", f"--mount={self.lab.mounts}", f"--net=/run/netns/{self.lab.netns}", "--"]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [
                    *("sh", "-c", _ENTER, "sh", str(create(self.lab.cgroup)), template, str(self.record.path)),
                    *([] if self.outside else enter),
                    *(str(word) for word in self.argv),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.environ["PATH"], "HOME": str(self.lab.state), **self.environment},
                start_new_session=True,
            )
        while self.record.read().get("pid") != process.pid:
            if process.poll() is not None:
                raise LabError(f"{self.name} could not be started: look into {self.log}.")
            time.sleep(0.01)

    def _inputs(self) -> str:
        files = [path.read_bytes() for path in self.configuration]
        return digest(repr([str(word) for word in self.argv]), repr(sorted(self.environment.items())), *files)
