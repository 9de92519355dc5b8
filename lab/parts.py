# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a lab is made of, gathered on this machine before any lab starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from . import addons, binaries, images, release, sources
from .download import Downloads


@dataclass(frozen=True)
class Parts:
    """What a lab is made of, ready to use on this machine."""

    binaries: Mapping[str, Path]
    archives: list[images.Packed]
    release: Path
    pulled: bool


def gather_simulated(named: Mapping[str, str]) -> Parts:
    """The same for a lab without containers: no images."""
    downloads = Downloads()
    found = sources.find(binaries.SIMULATED, named=named, downloads=downloads)
    return Parts(found, [], release.folder(named=named, downloads=downloads), pulled=True)


def gather(named: Mapping[str, str], *, plays: bool = False, cni: bool = False) -> Parts:
    """Find, fetch or build everything that a lab needs, with `plays` one that has played nodes too, with `cni` one that
    has Istio's CNI.

    Nothing of it belongs to one lab.
    """
    downloads = Downloads()
    programs = (*binaries.NODE, *binaries.PLAYER) if plays else binaries.NODE
    found = sources.find(programs, named=named, downloads=downloads)
    pulled = images.pulled()
    archives = [images.pack_standins("volume")] if pulled else images.pack(named=named, downloads=downloads, cni=cni)
    addons.load_balancer_crds()
    return Parts(found, archives, release.folder(named=named, downloads=downloads), pulled)
