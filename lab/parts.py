# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a lab is made of, gathered on this machine before any lab starts."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
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


def gather(
    selection: Selection, named: Mapping[str, str], *, plays: bool = False, cni: bool = False, basic: bool = False
) -> Parts:
    """Find, fetch or build everything that a lab needs, with `plays` one that has played nodes too, with `cni` one that
    has Istio's CNI, with `basic` one without load balancers, volumes and Prometheus.

    Nothing of it belongs to one lab.
    """
    downloads = Downloads()
    pulled = images.pulled()
    programs = (*binaries.NODE, *(() if basic else binaries.SERVICES), *(binaries.PLAYER if plays else ()))
    wanted = [selection.binaries[name] for name in programs]
    wanted += [] if pulled else images.programs(selection.istio, cni=cni, prometheus=not basic)
    for version in selection.istio:
        if not release.found(version, downloads):
            wanted.append(binaries.istio(version)["istioctl"])
    with ThreadPoolExecutor(max_workers=1) as background:
        fetched = background.submit(images.fetch, () if pulled else selection.istio)
        # At once, because the builds of several workspaces run side by side.
        paths = sources.find_all(wanted, named=named, downloads=downloads)
        fetched.result()
    found = dict(zip(programs, paths, strict=False))
    if pulled:
        archives = [images.pack_standins("volume")]
    else:
        archives = images.pack(selection.istio, named=named, downloads=downloads, cni=cni, prometheus=not basic)
    if not basic:
        addons.load_balancer_crds()
    return Parts(found, archives, _releases(selection, named, downloads), pulled)


def _releases(selection: Selection, named: Mapping[str, str], downloads: Downloads) -> dict[str, Path]:
    return {version: release.folder(version, named=named, downloads=downloads) for version in selection.istio}
