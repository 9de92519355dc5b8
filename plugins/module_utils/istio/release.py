# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An Istio release on disk: istioctl, manifests and samples, found in a source or fetched into the cache."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..kube.errors import InvalidInput, MeshError
from ..kube.progress import Progress, silent
from .archive import unpack
from .cache import cache_folder, locked, work_folder
from .download import Download, NotThere, checksum_in

OFFICIAL = "https://github.com/istio/istio/releases/download"
"""Where the releases are published, as `<this>/<version>/istio-<version>-<os>-<arch>.tar.gz`."""

_EXACT = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")
_CHECKSUM_FILE = ".archive.sha256"
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64", "armv7l": "armv7"}


@dataclass(frozen=True)
class Release:
    """An unpacked release; `root` is the folder that holds `bin/`, `manifests/` and `samples/`."""

    version: str
    root: Path

    @property
    def istioctl(self) -> Path:
        """The release's own istioctl."""
        return self.root / "bin" / "istioctl"

    @property
    def manifests(self) -> Path:
        """The folder of charts and profiles."""
        return self.root / "manifests"

    @property
    def samples(self) -> Path:
        """The folder of sample applications."""
        return self.root / "samples"

    @cached_property
    def profiles(self) -> list[str]:
        """The names of the installation profiles that the release has, in alphabetical order."""
        return sorted(path.stem for path in (self.manifests / "profiles").glob("*.yaml"))

    @property
    def minor(self) -> tuple[int, int]:
        """Major and minor number of the version."""
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)


def find_release(
    version: str,
    *,
    source: str | Sequence[str] | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    checksum: str | None = None,
    arch: str | None = None,
    timeout: float = 600,
    proxy: str | None = None,
    ca_cert: str | None = None,
    progress: Progress = silent,
) -> tuple[Release, bool]:
    """The release of exactly this version, and whether it had to be fetched into the cache.

    `source` names where to look, first match wins: an unpacked release, a folder of unpacked releases or archives,
    an archive, or the URL of a mirror with the official layout; without it the official downloads are asked.
    `checksum` is the archive's SHA-256, for one that is not published beside it. `timeout` is in seconds, for everything.

    Raises InvalidInput for a version that is not exact or does not exist, and MeshError for a failed download.
    """
    if not _EXACT.fullmatch(version or ""):
        raise InvalidInput(
            f"'{version}' is not an exact Istio version; give all of it, such as 1.29.1, so that no run upgrades by"
            " surprise.",
            version=version,
        )
    seeker = _Seeker(version, _platform(arch), _hexadecimal(checksum), cache_dir)
    sources = [source] if isinstance(source, str) else list(source or [OFFICIAL])
    found = seeker.unpacked(sources)
    if found:
        return found, False
    with seeker.locked() as cache:
        cached = seeker.cached(cache)
        if cached:
            return cached, False
        download = Download(timeout=timeout, proxy=proxy, ca_cert=ca_cert, progress=progress)
        return seeker.fetch(sources, cache, download, progress), True


@dataclass(frozen=True)
class _Seeker:
    """One search for one version."""

    version: str
    platform: str
    checksum: str | None
    cache_dir: str | os.PathLike[str] | None

    @property
    def archive_name(self) -> str:
        return f"istio-{self.version}-{self.platform}.tar.gz"

    @property
    def cache_name(self) -> str:
        return f"{self.version}-{self.platform}"

    def unpacked(self, sources: Sequence[str]) -> Release | None:
        """The version among the sources that are folders and hold it unpacked: used where it lies."""
        for folder in _folders(sources):
            for candidate in (folder, folder / f"istio-{self.version}", folder / f"istio-{self.cache_name}"):
                if _is_release(candidate) and _version_of(candidate) == self.version:
                    return Release(self.version, candidate)
        return None

    def locked(self) -> AbstractContextManager[Path]:
        """The folder of cached releases, with this version's entry locked."""
        return locked(cache_folder("releases", self.cache_dir), self.cache_name)

    def cached(self, cache: Path) -> Release | None:
        """The version in the cache; entries appear there complete, by one rename."""
        root = cache / self.cache_name
        if not _is_release(root):
            return None
        known = root / _CHECKSUM_FILE
        if self.checksum and known.exists() and known.read_text(encoding="ascii").strip() != self.checksum:
            raise InvalidInput(
                f"The cached release {root} was made of an archive with another checksum than {self.checksum}: remove"
                " that folder, or correct the checksum.",
                path=str(root),
            )
        return Release(self.version, root)

    def fetch(self, sources: Sequence[str], cache: Path, download: Download, progress: Progress) -> Release:
        """Unpack the version's archive from the first source that has it into the cache."""
        with work_folder(cache, self.cache_name) as work:
            archive, digest = self._archive(sources, work, download)
            progress(f"unpacking Istio {self.version}")
            root = unpack(archive, work / "unpacked")
            if not _is_release(root):
                raise InvalidInput(
                    f"{archive.name} does not hold an Istio release: bin/istioctl or manifests is missing."
                )
            (root / _CHECKSUM_FILE).write_text(digest + "\n", encoding="ascii")
            target = cache / self.cache_name
            if target.exists():
                shutil.rmtree(target)
            root.rename(target)
        return Release(self.version, target)

    def _archive(self, sources: Sequence[str], work: Path, download: Download) -> tuple[Path, str]:
        for archive in _archives(sources, self.version, self.archive_name):
            return archive, download.verify(archive, self.checksum or _published(archive))
        missing: list[str] = []
        for url in (source.rstrip("/") for source in sources if _is_url(source)):
            address = f"{url}/{self.version}/{self.archive_name}"
            try:
                return download.fetch(address, work / self.archive_name, self.checksum, what=f"Istio {self.version}")
            except NotThere:
                missing.append(address)
        raise self._not_found(sources, missing)

    def _not_found(self, sources: Sequence[str], missing: Sequence[str]) -> MeshError:
        if missing:
            return InvalidInput(
                f"Istio {self.version} does not exist at {' or '.join(missing)}: check the version, or name in `source`"
                " where the release is.",
                version=self.version,
            )
        present = sorted({_version_of(path) for path in _releases(sources)})
        holds = f"; there is {', '.join(present)}" if present else ""
        return InvalidInput(
            f"Istio {self.version} is not in {' or '.join(sources)}{holds}: unpack that release there, or name in `source`"
            " a folder, an archive or a mirror that has it.",
            version=self.version,
        )


def _platform(arch: str | None) -> str:
    system = {"Linux": "linux", "Darwin": "osx"}.get(platform.system())
    machine = arch or _ARCHITECTURES.get(platform.machine().lower())
    if not system or not machine:
        raise InvalidInput(
            f"Istio publishes no istioctl for {platform.system()} on {platform.machine()}; name in `source` a folder"
            " with an unpacked release."
        )
    return f"{system}-{machine}"


def _hexadecimal(checksum: str | None) -> str | None:
    if not checksum:
        return None
    digest = checksum.removeprefix("sha256:").strip().lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise InvalidInput(f"'{checksum}' is not a SHA-256 checksum of 64 hexadecimal digits.")
    return digest


def _is_url(source: str) -> bool:
    return source.startswith(("http://", "https://"))


def _folders(sources: Sequence[str]) -> Iterator[Path]:
    for source in sources:
        if not _is_url(source):
            path = Path(source).expanduser()
            if not path.exists():
                raise InvalidInput(f"The release source {source} does not exist.", source=source)
            if path.is_dir():
                yield path.absolute()


def _releases(sources: Sequence[str]) -> Iterator[Path]:
    for folder in _folders(sources):
        yield from (path for path in (folder, *sorted(folder.glob("istio-*"))) if _is_release(path))


def _archives(sources: Sequence[str], version: str, name: str) -> Iterator[Path]:
    for source in sources:
        path = Path(source).expanduser()
        if _is_url(source):
            continue
        if path.is_file():
            if f"istio-{version}-" in path.name or f"istio-{version}." in path.name:
                yield path
        else:
            yield from (found for found in (path / name, path / version / name) if found.is_file())


def _published(archive: Path) -> str | None:
    beside = archive.with_name(f"{archive.name}.sha256")
    return checksum_in(beside.read_text(encoding="utf-8"), str(beside)) if beside.is_file() else None


def _is_release(folder: Path) -> bool:
    return (folder / "bin" / "istioctl").is_file() and (folder / "manifests" / "profiles").is_dir()


def _version_of(root: Path) -> str:
    """What the release's own manifest.yaml says, else its istioctl."""
    manifest = root / "manifest.yaml"
    if manifest.is_file():
        stated = re.search(r"^version:\s*['\"]?([^\s'\"]+)", manifest.read_text(encoding="utf-8"), re.MULTILINE)
        if stated:
            return stated[1]
    try:
        answer = subprocess.run(
            [root / "bin" / "istioctl", "version", "--remote=false", "--short"],
            capture_output=True, text=True, timeout=30, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip().rpartition(" ")[2]
