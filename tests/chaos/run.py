# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make chaos`: whether runs that are killed, disturbed, stalled or doubled leave what an undisturbed run leaves.

On a simulated lab of its own. SHORT=1 is the form for between two edits; ONLY=text tries the scenarios with that in
their names. Exits with 1 where something was lost.
"""

from __future__ import annotations

import os
import sys

from ansible_collections.meshops.istio.tests.equivalence import labs

from lab.paths import Lab

from . import trials
from .runs import Chaos
from .scenarios import APPLICATION, FIRST_INSTALL, SCENARIOS

_LAB = "chaos"
_DISTURBED_IN_SHORT = ("a take-over from istioctl", APPLICATION.name)


def attempt_all(chaos: Chaos, *, brief: bool, only: str) -> None:
    """Try everything."""
    chosen = [one for one in SCENARIOS if only in one.name]
    known = {one.name: trials.kill(chaos, one, one.kills_in_short if brief else one.kills) for one in chosen}
    for one in chosen:
        if not brief or one.name in _DISTURBED_IN_SHORT:
            trials.disturb(chaos, one, known[one.name])
        if one.rival and (not brief or one is APPLICATION):
            trials.stall(chaos, one)
        if one.rival or one is FIRST_INSTALL:
            trials.double(chaos, one, known[one.name])
        if one in (FIRST_INSTALL, APPLICATION):
            trials.give_up(chaos, one)
    if FIRST_INSTALL in chosen and not brief:
        trials.restart_the_api_server(chaos, FIRST_INSTALL, known[FIRST_INSTALL.name], Lab(_LAB))


def main() -> int:
    """Try everything; returns the command's exit code."""
    try:
        with labs.simulated(_LAB) as [variables]:
            chaos = Chaos(variables["mesh_release_source"], variables["mesh_kubeconfig"])
            attempt_all(chaos, brief=bool(os.environ.get("SHORT")), only=os.environ.get("ONLY", ""))
    except KeyboardInterrupt:
        print("chaos: interrupted", file=sys.stderr)
        return 130
    injected = ", ".join(f"{count} times {name}" for name, count in sorted(chaos.faults.items()))
    print(f"{chaos.kills} kills survived, {chaos.faults.total()} faults injected ({injected}), {chaos.lost} times lost")
    return int(chaos.lost > 0)


if __name__ == "__main__":
    sys.exit(main())
