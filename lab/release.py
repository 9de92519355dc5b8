# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An Istio release in the layout of the official one: unpacked, and as an archive with its checksum."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path

from . import golang, sources, versions
from .binaries import ARCHITECTURE
from .download import Downloads, Official, Unavailable
from .files import digest, lock_of, locked, published, sha256_of, write
from .paths import SOURCES, cache_root
from .progress import say, step

_NAME = f"istio-{versions.ISTIO}"
_ARCHIVE = f"{_NAME}-linux-{ARCHITECTURE}.tar.gz"


def folder(*, named: Mapping[str, str], downloads: Downloads) -> Path:
    """A folder to name as a release's source. It holds `istio-<version>/` and, where an official base URL would have
    them, `<version>/istio-<version>-<os>-<arch>.tar.gz` and its `.sha256`."""
    base = cache_root() / "releases"
    official, key = base / versions.ISTIO, digest(golang.NODE.key, (SOURCES / "release.py").read_bytes())
    built = base / f"{versions.ISTIO}-{key}"
    with locked(lock_of(official), waiting_for=f"preparing the release of Istio {versions.ISTIO}"):
        if not official.exists() and not built.exists() and not _download(official, downloads):
            istioctl = sources.find(["istioctl"], named=named, downloads=downloads)["istioctl"]
            with step(f"making a release of Istio {versions.ISTIO} from its Go module"), published(built) as target:
                _assemble(target, istioctl)
    return official if official.exists() else built


def _download(folder: Path, downloads: Downloads) -> bool:
    path = f"{versions.ISTIO}/{_ARCHIVE}"
    try:
        with published(folder) as target:
            archive = target / versions.ISTIO / _ARCHIVE
            archive.parent.mkdir()
            downloads.fetch(Official("istio", path, f"{path}.sha256"), archive)
            _add_checksum(archive)
            with tarfile.open(archive) as tar:
                tar.extractall(target, filter="data")
    except Unavailable as e:
        if str(e):
            say(f"{e}: the release is made from Istio's Go module")
        return False
    return True


def _assemble(target: Path, istioctl: Path) -> None:
    module = golang.module_folder(golang.NODE, golang.ISTIO_MODULE)
    release = target / _NAME
    (release / "bin").mkdir(parents=True)
    shutil.copy2(istioctl, release / "bin" / "istioctl")
    for part in ("manifests", "samples"):
        shutil.copytree(module / part, release / part, ignore=shutil.ignore_patterns("*.go"))
    for name in ("LICENSE", "README.md"):
        shutil.copyfile(module / name, release / name)
    write(release / "manifest.yaml", f"version: {versions.ISTIO}\n")
    archive = target / versions.ISTIO / _ARCHIVE
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.add(release, _NAME)
    _add_checksum(archive)


def _add_checksum(archive: Path) -> None:
    write(archive.with_name(f"{archive.name}.sha256"), f"{sha256_of(archive)}  {archive.name}\n")
