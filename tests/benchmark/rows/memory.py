# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much memory the module's process takes."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

from ..failure import BenchmarkError
from ..results import Result
from ..stage import Stage

_INTERPRETER = """\
#!{python}
import atexit, re, runpy, sys

def note():
    with open("/proc/self/status") as status, open({peaks!r}, "a") as peaks:
        peaks.write(re.search(r"VmHWM:\\s+(\\d+) kB", status.read())[1] + "\\n")

atexit.register(note)
if sys.argv[1:]:
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
else:  # a module comes through a pipe
    exec(compile(sys.stdin.buffer.read(), "<stdin>", "exec"), {{"__name__": "__main__"}})
"""
"""A Python that notes the most memory that its process has had, in kB."""


def memory(stage: Stage) -> list[Result]:
    """The most memory of an install from nothing, rendering included, and of one that has nothing to change."""
    stage.clear()
    peaks = stage.folder / "peaks"
    python = stage.folder / "python"
    python.write_text(_INTERPRETER.format(python=sys.executable, peaks=str(peaks)), encoding="utf-8")
    python.chmod(0o755)
    measured = dataclasses.replace(stage.ansible, python=python)
    stage.install(changes=True, ansible=measured)
    stage.install(changes=False, ansible=measured)
    return [
        Result(f"peak memory of the module: {name}", kilobytes * 1024 / 1e6, 100, unit="MB")
        for name, kilobytes in zip(("from nothing", "again"), _read(peaks), strict=True)
    ]


def _read(peaks: Path) -> list[int]:
    if not peaks.exists():
        raise BenchmarkError("The module's process has noted nothing of its memory.")
    found = [int(line) for line in peaks.read_text(encoding="utf-8").split()]
    peaks.unlink()
    return found
