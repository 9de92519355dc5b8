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
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .cache import is_own, write_atomically

_RECORD = ".contents.json"
_FORMAT = 1


def record(root: Path, checksum: str) -> None:
    """Record what an unpacked release holds, and the SHA-256 of the archive that it is made of."""
    files = {
        name: [status.st_size, status.st_mtime_ns, _digest(root / name)]
        for name, status in _tree(root)
        if not stat.S_ISDIR(status.st_mode)
    }
    content = {"format": _FORMAT, "archive": checksum, "files": files}
    write_atomically(root / _RECORD, json.dumps(content, separators=(",", ":")).encode())
    (root / _RECORD).chmod(0o644)  # of root's cache, others may check it too


def recorded_checksum(root: Path, *, ours: bool = False) -> str | None:
    """The SHA-256 of the archive that a release is made of, if it still holds all that was in it.

    ours: only if the release and all that is in it belong to this user or root, and nobody else can write to it.
    """
    try:
        tree = dict(_tree(root))
        recorded = json.loads((root / _RECORD).read_bytes())
        if recorded["format"] != _FORMAT or (ours and not all(map(is_own, (root.lstat(), *tree.values())))):
            return None
        return str(recorded["archive"]) if _is_whole(root, tree, recorded["files"]) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _is_whole(root: Path, tree: dict[str, os.stat_result], expected: dict[str, list[Any]]) -> bool:
    found = {name: status for name, status in tree.items() if name != _RECORD and not stat.S_ISDIR(status.st_mode)}
    return found.keys() == expected.keys() and all(
        found[name].st_size == size
        and (
            found[name].st_mtime_ns == modified
            or (stat.S_ISREG(found[name].st_mode) and _digest(root / name) == digest)
        )
        for name, (size, modified, digest) in expected.items()
    )


def _tree(folder: Path | str, below: str = "") -> Iterator[tuple[str, os.stat_result]]:
    """All that is in a folder, by its path within; links are not followed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            yield f"{below}{entry.name}", entry.stat(follow_symlinks=False)
            if entry.is_dir(follow_symlinks=False):
                yield from _tree(entry.path, f"{below}{entry.name}/")


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
