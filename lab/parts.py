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
from .selection import Selection


@dataclass(frozen=True)
class Parts:
    """What a lab is made of, ready to use on this machine."""

    binaries: Mapping[str, Path]
    archives: list[images.Packed]
    releases: Mapping[str, Path]
    pulled: bool


def gather_simulated(selection: Selection, named: Mapping[str, str]) -> Parts:
    """The same for a lab without containers: no images."""
    downloads = Downloads()
    found = sources.find(binaries.SIMULATED, among=selection.binaries, named=named, downloads=downloads)
    return Parts(found, [], _releases(selection, named, downloads), pulled=True)


def gather(selection: Selection, named: Mapping[str, str], *, plays: bool = False, cni: bool = False) -> Parts:
    """Find, fetch or build everything that a lab needs, with `plays` one that has played nodes too, with `cni` one that
    has Istio's CNI.

    Nothing of it belongs to one lab.
    """
    downloads = Downloads()
    programs = (*binaries.NODE, *binaries.PLAYER) if plays else binaries.NODE
    found = sources.find(programs, among=selection.binaries, named=named, downloads=downloads)
    pulled = images.pulled()
    if pulled:
        archives = [images.pack_standins("volume")]
    else:
        archives = images.pack(selection.istio, named=named, downloads=downloads, cni=cni)
    addons.load_balancer_crds()
    return Parts(found, archives, _releases(selection, named, downloads), pulled)


def _releases(selection: Selection, named: Mapping[str, str], downloads: Downloads) -> dict[str, Path]:
    return {version: release.folder(version, named=named, downloads=downloads) for version in selection.istio}
