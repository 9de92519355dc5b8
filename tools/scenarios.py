# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run Molecule's scenarios one after the other on this machine, and tell for each what was real and what stood in."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCENARIOS = ROOT / "molecule"
WIDTH = 110


def main(wanted: list[str]) -> int:
    """Run the scenarios that are named, or all; the number of those that failed."""
    there = sorted(path.parent.name for path in SCENARIOS.glob("*/molecule.yml"))
    if unknown := [name for name in wanted if name not in there]:
        sys.exit(f"There is no scenario {', '.join(unknown)}; there are {', '.join(there)}.")
    told = {name: about(name) for name in wanted or there}
    outcomes = {name: run(name) for name in told}
    for name, outcome in outcomes.items():
        print(f"\n{name}: {outcome}")
        for title, what in told[name].items():
            text = f"{title:<9} {'; '.join(what)}"
            print(textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent=" " * 12))
    return sum(outcome.startswith("FAILED") for outcome in outcomes.values())


def about(name: str) -> dict[str, list[str]]:
    """What of a scenario is real on this machine, and what stands in."""
    content = read(name)
    return {"real": content["real"], "stood in": content["stood_in"]}


def read(name: str) -> dict[str, list[str]]:
    """What a scenario tells of itself."""
    content: dict[str, list[str]] = tomllib.loads((SCENARIOS / name / "about.toml").read_text(encoding="utf-8"))
    return content


def run(name: str) -> str:
    """Run one scenario; what came of it."""
    began = time.monotonic()
    # Where a scenario's cluster is not on this machine, a lab is it.
    environment = {"MESH_CLUSTER": "lab", **os.environ}
    # Some have a program of their own, which sets up what stands in.
    command = read(name).get("program", ["molecule", "test", "--scenario-name", name])
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    return f"{'FAILED' if done.returncode else 'ok'}, {time.monotonic() - began:.0f} s"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
