# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first quickstart of a machine, which builds all programs, and whether it has said how long that takes."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import time

from lab import node
from lab.paths import CHECKOUT, Lab

from ..failure import BenchmarkError
from ..progress import say
from ..results import Result
from ..stage import Stage

_LINE = re.compile(r"about (\d+) (min|s) left in all, (\d+) s so far")
_LISTENS = 60
"""Seconds after which the estimate has to be right."""


def quickstart(stage: Stage) -> list[Result]:
    """A quickstart with empty caches, its Python packages aside. It takes about ten minutes."""
    lab = Lab("bench-quickstart")
    caches = {name: str(stage.folder / name.lower()) for name in ("MESHOPS_CACHE", "GOCACHE", "GOMODCACHE")}
    environment = {**os.environ, **caches, "LAB": lab.name}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    estimates: list[tuple[float, float]] = []
    built = 0.0
    try:
        with subprocess.Popen(
            [sys.executable, "tools/quickstart.py"],
            cwd=CHECKOUT,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            assert process.stdout
            last = ""
            for line in process.stdout:
                last, now = line, time.monotonic() - begun
                if found := _LINE.search(line):
                    estimates.append((now, now + float(found[1]) * (60 if found[2] == "min" else 1)))
                if "from Go modules: done" in line:
                    built = now
                    say(f"  {line.strip()}")
        if process.returncode:
            raise BenchmarkError(f"the quickstart failed: {last.strip()}")
        seconds = time.monotonic() - begun
    finally:
        node.down(lab)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    wrong = max((abs(end / built - 1) for now, end in estimates if now >= _LISTENS), default=1.0)
    return [
        Result("first quickstart, without its Python packages", seconds, 600),
        Result("first quickstart: CPU of what it builds and runs", processor, 1200),
        Result("first quickstart: its estimate is wrong by", 100 * wrong, 30, unit="%"),
    ]
