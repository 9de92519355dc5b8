# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One control group per lab: the kubelet's pods live under it, and every other process too, so none is ever lost."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from .errors import LabError


def hierarchies() -> list[Path]:
    """Mount points of all control group hierarchies: one with version 2, one per set of controllers with version 1."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    found = [Path(fields[1]) for fields in mounts if fields[2] in ("cgroup", "cgroup2")]
    if not found:
        raise LabError("This machine mounts no control groups below /sys/fs/cgroup, which a Kubernetes node needs.")
    return found


def tracking() -> Path:
    """The hierarchy in which membership is recorded: any that containers are put into as well."""
    found = hierarchies()
    return next((path for path in found if "pids" in path.name.split(",")), found[0])


def create(name: str) -> Path:
    """Make the group everywhere; returns the file that a process writes its id to in order to join."""
    for hierarchy in hierarchies():
        (hierarchy / name).mkdir(exist_ok=True)
    member = tracking() / name / "node"
    member.mkdir(exist_ok=True)
    return member / "cgroup.procs"


def members(name: str) -> set[int]:
    """Ids of all processes in the group and below it."""
    found: set[int] = set()
    for folder in _tree(tracking() / name):
        with contextlib.suppress(OSError):
            found.update(int(pid) for pid in (folder / "cgroup.procs").read_text().split())
    return found - {0}


def kill(name: str, *, limit: float = 15) -> None:
    """End every process of the group; LabError where one outlives `limit` seconds."""
    until = time.monotonic() + limit
    while remaining := members(name):
        if time.monotonic() > until:
            raise LabError(f"Processes {sorted(remaining)} of the lab do not end, even by SIGKILL.")
        for pid in remaining:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def remove(name: str) -> None:
    """Remove the empty group everywhere."""
    for hierarchy in hierarchies():
        for folder in _tree(hierarchy / name):
            # A group stays busy for a moment after its last process has ended.
            for _ in range(40):
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.05)


def _tree(folder: Path) -> Iterator[Path]:
    """The folder and all below it, the deepest first."""
    for path, _, _ in os.walk(folder, topdown=False):
        yield Path(path)
