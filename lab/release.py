# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An Istio release in the layout of the official one: unpacked, and as an archive with its checksum."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path

from . import golang, sources
from .binaries import ARCHITECTURE, istio
from .download import Downloads, Official, Unavailable
from .files import digest, lock_of, locked, published, sha256_of, write
from .paths import SOURCES, cache_root
from .progress import say, step
from .versions import ISTIO_RELEASES


def folder(version: str, *, named: Mapping[str, str], downloads: Downloads) -> Path:
    """A folder to name as a release's source. It holds `istio-<version>/` and, where an official base URL would have
    them, `<version>/istio-<version>-<os>-<arch>.tar.gz` and its `.sha256`."""
    if there := found(version, downloads):
        return there
    _official, built = _places(version)
    with locked(lock_of(built), waiting_for=f"making the release of Istio {version}"):
        if not built.exists():
            istioctl = sources.find(["istioctl"], among=istio(version), named=named, downloads=downloads)["istioctl"]
            with step(f"making a release of Istio {version} from its Go module"), published(built) as target:
                _assemble(version, target, istioctl)
    return built


def found(version: str, downloads: Downloads) -> Path | None:
    """The folder of a release that was made before, or that can be downloaded."""
    official, built = _places(version)
    with locked(lock_of(official), waiting_for=f"downloading the release of Istio {version}"):
        if official.exists() or (not built.exists() and _download(version, official, downloads)):
            return official
    return built if built.exists() else None


def _places(version: str) -> tuple[Path, Path]:
    """Folders of the official release and of one that is made here."""
    base = cache_root() / "releases"
    key = digest(golang.istio(version).key, (SOURCES / "release.py").read_bytes())
    return base / version, base / f"{version}-{key}"


def describe(folder: Path) -> tuple[str, str]:
    """Return the version of a release in the cache, and where it comes from."""
    version, _dash, key = folder.name.partition("-")
    if not key:
        return version, "the official release"
    made = ISTIO_RELEASES[version]
    text = f"built from {golang.ISTIO_MODULE}@{made.module}"
    if made.replaced:
        others = ", ".join(f"{name} {other}" for name, other in made.replaced.items())
        text = f"{text}; replaced, because no proxy serves what it requires: {others}"
    return version, text


def _download(version: str, folder: Path, downloads: Downloads) -> bool:
    path = _archive(version)
    try:
        with published(folder) as target:
            archive = target / path
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


def _archive(version: str) -> str:
    """The path of a release's archive below an official base URL."""
    return f"{version}/istio-{version}-linux-{ARCHITECTURE}.tar.gz"


def _assemble(version: str, target: Path, istioctl: Path) -> None:
    module = golang.module_folder(golang.istio(version), golang.ISTIO_MODULE)
    release = target / f"istio-{version}"
    (release / "bin").mkdir(parents=True)
    shutil.copy2(istioctl, release / "bin" / "istioctl")
    for part in ("manifests", "samples"):
        shutil.copytree(module / part, release / part, ignore=shutil.ignore_patterns("*.go"))
    for name in ("LICENSE", "README.md"):
        shutil.copyfile(module / name, release / name)
    write(release / "manifest.yaml", f"version: {version}\n")
    archive = target / _archive(version)
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.add(release, release.name)
    _add_checksum(archive)


def _add_checksum(archive: Path) -> None:
    write(archive.with_name(f"{archive.name}.sha256"), f"{sha256_of(archive)}  {archive.name}\n")
