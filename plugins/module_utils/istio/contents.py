# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cached release holds, recorded when it is unpacked: size, time and SHA-256 of each file.

An entry is used only if it holds exactly that, and nobody else could have put it there. Sizes and times are compared each
time, which takes milliseconds; a file is read only where its time is another, as in a copy of the cache.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .cache import belongs, write_atomically

_RECORD = ".contents.json"
_FORMAT = 1


def record(root: Path, checksum: str) -> None:
    """Record what an unpacked release holds, and the SHA-256 of the archive that it is made of."""
    files = {name: [status.st_size, status.st_mtime_ns, _digest(root / name)] for name, status in _files(root)}
    content = {"format": _FORMAT, "archive": checksum, "files": files}
    write_atomically(root / _RECORD, json.dumps(content, separators=(",", ":")).encode())
    (root / _RECORD).chmod(0o644)  # of root's cache, others may check it too


def recorded_checksum(root: Path) -> str | None:
    """The SHA-256 of the archive that a release is made of, if it still holds all that was in it."""
    recorded = _recorded(root)
    return recorded["archive"] if recorded is not None and _is_whole(root, recorded["files"]) else None


def is_ours(root: Path) -> bool:
    """Whether a release and all that is in it belong to this user or root, and nobody else can write to it."""
    folders = (Path(parent) for parent, _folders, _names in os.walk(root))
    return all(belongs(folder) for folder in folders) and all(belongs(root / name) for name, _status in _files(root))


def _recorded(root: Path) -> Any:
    try:
        content = json.loads((root / _RECORD).read_bytes())
        return content if content["format"] == _FORMAT and isinstance(content["archive"], str) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_whole(root: Path, expected: dict[str, list[Any]]) -> bool:
    found = {name: status for name, status in _files(root) if name != _RECORD}
    if found.keys() != expected.keys():
        return False
    for name, (size, modified, digest) in expected.items():
        status = found[name]
        if status.st_size != size or (status.st_mtime_ns != modified and _digest(root / name) != digest):
            return False
    return True


def _files(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    """The files below a folder, links as what they are."""
    for parent, folders, names in os.walk(root):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        for name in (*names, *links):
            path = os.path.join(parent, name)
            yield os.path.relpath(path, root), os.lstat(path)


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
