# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks that the collection is fit to publish: a line per check, exit code 1 where one does not hold.

CHECK, in the environment, is a pattern of the checks to make, as `sanity-2.19-*`.
"""

from __future__ import annotations

import fnmatch
import os
import subprocess
import sys
import time
from pathlib import Path

from . import checks


def main() -> int:
    """Make the checks; their number that do not hold is what decides the exit code."""
    pattern = os.environ.get("CHECK") or "*"
    chosen = [(name, check) for name, check in checks.checks() if fnmatch.fnmatch(name, pattern)]
    if not chosen:
        print(f"There is no check {pattern}; there are {', '.join(name for name, _check in checks.checks())}.")
        return 2
    checks.OUTPUT.mkdir(parents=True, exist_ok=True)
    passed = sum(_made(name, check) for name, check in chosen)
    print(f"{passed} passed, {len(chosen) - passed} failed")
    return int(passed < len(chosen))


def _made(name: str, check: checks.Check) -> bool:
    log = checks.OUTPUT / f"{name}.log"
    start = time.monotonic()
    with log.open("w", encoding="utf-8") as stream:
        try:
            told, held = check(checks.Run(stream, Path(sys.executable).parent)), True
        except checks.Failed as failure:
            told, held = str(failure), False
        except subprocess.CalledProcessError as failure:
            told, held = f"{Path(failure.cmd[0]).name} failed, see {log.relative_to(checks.ROOT)}", False
    print(f"{'ok    ' if held else 'FAILED'} {name:<24} {told} ({time.monotonic() - start:.0f} s)", flush=True)
    return held


if __name__ == "__main__":
    sys.exit(main())
