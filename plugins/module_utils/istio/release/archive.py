# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Unpack the archive of a release."""

from __future__ import annotations

import shutil
import tarfile
import time
import zlib
from pathlib import Path

from ...kube.errors import InvalidInput, Unreachable

# Ten times the size of the largest release.
LARGEST = 512 << 20
"""The maximum size of an archive in bytes."""
_UNPACKED = 4 << 30
_MEMBERS = 20_000


def unpack(archive: Path, target: Path, *, until: float = float("inf")) -> Path:
    """Unpack a gzipped tar archive into `target` and return the folder in it.

    Unpacks files and folders, writable for the user only; copies a file to which a link points. Raises InvalidInput for
    anything but such an archive, for members outside `target` and for large archives, and Unreachable after `until` on
    the monotonic clock.
    """
    target.mkdir(parents=True)
    try:
        with tarfile.open(archive, "r:*") as tar:
            _extract(tar, target, until)
    except (tarfile.TarError, EOFError, OSError, ValueError, zlib.error) as error:
        raise InvalidInput(
            f"Cannot unpack {archive}: {' '.join(str(error).split())}. Download the archive again.", path=str(archive)
        ) from error
    folders = [path for path in target.iterdir() if path.is_dir()]
    return folders[0] if len(folders) == 1 else target


def _extract(tar: tarfile.TarFile, target: Path, until: float) -> None:
    size, links = 0, []
    for number, member in enumerate(tar, start=1):
        size += member.size
        if number > _MEMBERS or size > _UNPACKED:
            raise ValueError(f"it has more than {_MEMBERS} members or {_UNPACKED >> 30} GiB, so that it is no release")
        if time.monotonic() > until:
            raise Unreachable(f"Timed out unpacking {tar.name!s}. Increase download_timeout.", code="download_failed")
        path = _place(member.name, target)
        if member.isdir():
            path.mkdir(mode=0o755, parents=True, exist_ok=True)
        elif member.isfile():
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            content = tar.extractfile(member)
            with open(path, "xb") as file:
                shutil.copyfileobj(content, file)  # type: ignore[arg-type]
            path.chmod(0o755 if member.mode & 0o100 else 0o644)
        elif member.issym() or member.islnk():
            base = path.parent if member.issym() else target
            links.append((path, _place(str(base.relative_to(target) / member.linkname), target)))
        else:
            raise ValueError(f"{member.name} is neither a file nor a folder")
    for path, source in links:
        if not source.is_file():
            raise ValueError(f"{path.relative_to(target)} is a link to a file that was not found in the archive")
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        shutil.copy(source, path)


def _place(name: str, target: Path) -> Path:
    """Return the path of a member. Raises ValueError if it is outside the target."""
    parts: list[str] = []
    for part in name.split("/"):
        if part == "..":
            if not parts:
                raise ValueError(f"{name} is outside the target folder")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    if name.startswith("/") or "\0" in name:
        raise ValueError(f"{name} is outside the target folder")
    return target.joinpath(*parts)
