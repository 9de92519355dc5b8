# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record the files of a cached release (size, time and SHA-256), and verify them before each use.

Sizes and times are compared each time, which takes milliseconds; a file is only read if its time differs, as in a copy
of the cache.
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
    """Record the files of an unpacked release, and the SHA-256 of its archive."""
    files = {
        name: [status.st_size, status.st_mtime_ns, _digest(root / name)]
        for name, status in _tree(root)
        if not stat.S_ISDIR(status.st_mode)
    }
    content = {"format": _FORMAT, "archive": checksum, "files": files}
    write_atomically(root / _RECORD, json.dumps(content, separators=(",", ":")).encode())
    (root / _RECORD).chmod(0o644)  # other users may read root's cache


def recorded_checksum(root: Path, *, ours: bool = False) -> str | None:
    """Return the SHA-256 of a release's archive if all its files are unchanged, else None.

    ours: only if the release and all its files belong to this user or root, and only they can write to it.
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
    """Yield all files and folders below a folder, by relative path; follow no links."""
    with os.scandir(folder) as entries:
        for entry in entries:
            yield f"{below}{entry.name}", entry.stat(follow_symlinks=False)
            if entry.is_dir(follow_symlinks=False):
                yield from _tree(entry.path, f"{below}{entry.name}/")


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
