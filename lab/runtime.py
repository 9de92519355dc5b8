# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the container runtime: the operating system's containerd, or one from its Go module where that is too old."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from . import debian, sources, versions
from .download import Downloads
from .errors import LabError
from .files import write
from .paths import Lab
from .shell import run

SHIM = "containerd-shim-runc-v2"


def programs(lab: Lab, named: Mapping[str, str]) -> dict[str, Path]:
    """Return containerd and ctr, and the shim where it is not the operating system's. A lab keeps what it began with."""
    begun = lab.state / "containerd-built"
    if begun.exists() or _built():
        write(begun, "")
        return sources.find(["containerd", "ctr", SHIM], named=named, downloads=Downloads())
    return {name: debian.program(name) for name in ("containerd", "ctr")}


def _built() -> bool:
    """Whether containerd comes from its Go module. LAB_CONTAINERD=build or system decides without a look at versions."""
    wanted = os.environ.get("LAB_CONTAINERD", "")
    if wanted not in ("", "build", "system"):
        raise LabError(f"LAB_CONTAINERD={wanted} is not known: it is build, system, or nothing to compare versions.")
    return wanted == "build" if wanted else _version(debian.program("containerd")) < versions.CONTAINERD_OLDEST


def _version(containerd: Path) -> tuple[int, ...]:
    found = re.search(r" v?(\d+)\.(\d+)\.", run([containerd, "--version"]))
    if not found:
        raise LabError(f"{containerd} does not tell its version. Set LAB_CONTAINERD=build to build another one.")
    return int(found[1]), int(found[2])
