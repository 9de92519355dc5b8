# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find an Istio release in the user's sources or the cache, and download a missing one."""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...kube.errors import InvalidInput, Refused
from ...kube.progress import Progress, silent
from .cache import cache_folder, cache_folders, locked
from .cached_files import recorded_checksum
from .release import Release, is_release, is_url, unpacked, version_of

OFFICIAL = "https://github.com/istio/istio/releases/download"
"""The URL of the official downloads, followed by `/<version>/istio-<version>-<os>-<arch>.tar.gz`."""

_EXACT = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64", "armv7l": "armv7"}


def find_release(
    version: str,
    *,
    source: str | Sequence[str] | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    checksum: str | None = None,
    arch: str | None = None,
    timeout: float = 600,
    connection: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> tuple[Release, bool]:
    """Return the release of exactly this version, and whether it was added to the cache.

    `source`: where to look, the first match wins: an unpacked release, a folder of unpacked releases or archives, an
    archive, or the URL of a mirror with the official layout; default: the official downloads. `checksum`: the required
    SHA-256 of the archive. `timeout`: seconds in all. `connection`: further arguments of `Client`: proxy, certificates,
    headers.

    Raises InvalidInput for a version that is not exact or not found, Refused for a wrong checksum, and MeshError
    for a failed download.
    """
    if not _EXACT.fullmatch(version or ""):
        raise InvalidInput(
            f"The Istio version '{version}' is invalid: it must be an exact version, so that no run upgrades unexpectedly."
            " Use, for example, 1.29.1.",
            version=version,
        )
    sources = [source] if isinstance(source, str) else list(source or [OFFICIAL])
    entry = f"{version}-{_platform(arch)}"
    expected = _digest(checksum)
    for root in unpacked(sources, (f"istio-{version}", f"istio-{entry}")):
        if version_of(root) == version:
            _check(root, expected)
            return Release(version, root), False
    for folder in cache_folders("releases", cache_dir):
        if _is_cached(folder / entry, expected):
            return Release(version, folder / entry), False
    until = time.monotonic() + timeout
    with locked(cache_folder("releases", cache_dir), entry, until=until) as cache:
        if _is_cached(cache / entry, expected):
            return Release(version, cache / entry), False

        # Imported here, because a cached release does not need them.
        from ...download.client import Client
        from .fetch import fetch

        mirrors = [one for one in sources if source and is_url(one)]
        client = Client(timeout=until - time.monotonic(), mirrors=mirrors, **(connection or {}))
        progress(f"downloading Istio {version}")
        fetch(version, entry, sources, cache, client, progress, expected)
        return Release(version, cache / entry), True


def _is_cached(root: Path, expected: str | None) -> bool:
    """Return whether the cache entry is complete, from an archive with the expected checksum, and owned by this user."""
    if not is_release(root):
        return False
    found = recorded_checksum(root, ours=True)
    return found is not None and expected in (None, found)


def _check(root: Path, expected: str | None) -> None:
    """Refuse an unpacked release that is not known to come from the archive with the expected checksum."""
    if expected and recorded_checksum(root) != expected:
        raise Refused(
            f"Cannot verify the unpacked release {root}: checksum {expected} is that of an archive. Set source to the"
            " archive, or remove checksum.",
            code="checksum_mismatch",
            path=str(root),
        )


def _platform(arch: str | None) -> str:
    system = {"Linux": "linux", "Darwin": "osx"}.get(platform.system())
    machine = arch or _ARCHITECTURES.get(platform.machine().lower())
    if not system or not machine:
        raise InvalidInput(
            f"Cannot run on {platform.system()} {platform.machine()}: Istio publishes no istioctl for it. Run on Linux or"
            " macOS with an amd64 or arm64 processor."
        )
    return f"{system}-{machine}"


def _digest(checksum: str | None) -> str | None:
    if not checksum:
        return None
    digest = checksum.removeprefix("sha256:").strip().lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise InvalidInput(f"The checksum '{checksum}' is invalid: it must be a SHA-256 of 64 hexadecimal digits.")
    return digest
