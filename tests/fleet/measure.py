# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run costs the controller: its processes are looked at while it goes on."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_EVERY = 0.5
"""Seconds between two looks; each of them costs something itself."""


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock and of the processors; bytes of memory, shared pages once, and processes at their most."""

    seconds: float
    cpu: float
    memory: int
    processes: int


class RunFailed(Exception):
    """The command that was to be measured has failed; the message is the end of what it printed."""


def measured(command: Sequence[str], *, environment: Mapping[str, str], folder: Path) -> Cost:
    """Run a command, and what it cost with all that it started. Raises RunFailed."""
    before, begun = _spent(), time.monotonic()
    log = folder / "output"
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        memory = processes = 0
        try:
            while process.poll() is None:
                now = [_memory(one) for one in _family(process.pid)]
                memory, processes = max(memory, sum(now)), max(processes, len(now))
                time.sleep(_EVERY)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if process.returncode:
        raise RunFailed("\n".join(log.read_text(encoding="utf-8").splitlines()[-20:]))
    return Cost(time.monotonic() - begun, _spent() - before, memory, processes)


def _spent() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _family(ancestor: int) -> list[int]:
    """A process and all that descend from it, in sessions of their own too, as Ansible's workers are."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in parentheses, may hold anything.
            parent = int(path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended meanwhile
        children.setdefault(parent, []).append(int(path.parent.name))
    found = [ancestor]
    for process in found:
        found += children.get(process, [])
    return found


def _memory(process: int) -> int:
    """Bytes, of pages that several processes share the part that falls to this one."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
