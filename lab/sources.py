# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find a binary: a path that the user names, the cache, the official download, the package registries."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from . import golang
from .binaries import BINARIES, Binary
from .download import Downloads, Unavailable
from .errors import LabError
from .estimate import Estimate, shown
from .files import lock_of, locked, published, scratch
from .golang import Workspace
from .paths import cache_root
from .progress import say

_AT_ONCE = 2


def find(
    names: Iterable[str],
    *,
    among: Mapping[str, Binary] = BINARIES,
    named: Mapping[str, str] | None = None,
    downloads: Downloads | None = None,
) -> dict[str, Path]:
    """The path of each binary; `named` maps names to paths that the user gave on the command line."""
    wanted = [among[name] for name in names]
    found = find_all(wanted, named=named or {}, downloads=downloads or Downloads())
    return dict(zip((binary.name for binary in wanted), found, strict=True))


def find_all(binaries: Sequence[Binary], *, named: Mapping[str, str], downloads: Downloads) -> list[Path]:
    """The path of each binary, in their order; what has to be built is built at once."""
    found = [_named(one, named) or _cached(one) or _downloaded(one, downloads) for one in binaries]
    missing = [binary for binary, path in zip(binaries, found, strict=True) if not path]
    _build(missing)
    return [path or _slots(binary)[1] / binary.name for binary, path in zip(binaries, found, strict=True)]


def _named(binary: Binary, named: Mapping[str, str]) -> Path | None:
    variable = f"LAB_BINARY_{binary.name.upper().replace('-', '_')}"
    path = named.get(binary.name) or os.environ.get(variable)
    if not path:
        return None
    if not os.access(path, os.X_OK) or os.path.isdir(path):
        raise LabError(f"{path}, named for {binary.name} (--binary or {variable}), is not a program that can be run.")
    return Path(path).resolve()


def _slots(binary: Binary) -> tuple[Path, Path]:
    """Folders of the downloaded and of the built binary; both may exist."""
    base = cache_root() / "bin"
    return base / f"{binary.name}-{binary.version}", base / f"{binary.name}-{binary.version}-{binary.workspace.key}"


def _cached(binary: Binary) -> Path | None:
    return next((slot / binary.name for slot in _slots(binary) if (slot / binary.name).exists()), None)


def _downloaded(binary: Binary, downloads: Downloads) -> Path | None:
    if not binary.official:
        return None
    slot = _slots(binary)[0]
    with locked(lock_of(slot), waiting_for=f"downloading {binary.name}"):
        if not slot.exists():
            try:
                with published(slot) as folder:
                    downloads.fetch(binary.official, folder / binary.name)
            except Unavailable as e:
                if str(e):
                    say(f"{e}: {binary.name} comes from the package registries")
                return None
    return slot / binary.name


def _build(binaries: Iterable[Binary]) -> None:
    """Build programs, two workspaces at a time: one compiles while another fetches or links. The longest is first."""
    workspaces = {binary.workspace.key: binary.workspace for binary in binaries}
    if not workspaces:
        return
    seconds = {workspace.name: workspace.seconds for workspace in workspaces.values()}
    estimate = Estimate(seconds)
    if len(workspaces) > 1:
        say(f"building the programs of {', '.join(seconds)}: about {shown(estimate.left)}")
    longest = sorted(workspaces.items(), key=lambda one: -one[1].seconds)
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        builds = [
            pool.submit(_build_workspace, workspace, [one for one in binaries if one.workspace.key == key], estimate)
            for key, workspace in longest
        ]
        for build in builds:
            build.result()


def _build_workspace(workspace: Workspace, binaries: Sequence[Binary], estimate: Estimate) -> None:
    """Build in one go what is still missing; each binary is published on its own."""
    slots = {binary.name: _slots(binary)[1] for binary in binaries}
    base = cache_root() / "bin"
    with locked(base / f"{workspace.name}.lock", waiting_for=f"building {workspace.name}"):
        missing = {binary.name: binary.package for binary in binaries if not slots[binary.name].exists()}
        if missing:
            with scratch(base, workspace.name) as out:
                golang.build(workspace, missing, out, partial(estimate.report, workspace.name))
                for name in missing:
                    with published(slots[name]) as folder:
                        (out / name).rename(folder / name)
    estimate.finish(workspace.name)
