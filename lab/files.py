# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that are whole or absent: locks, atomic writes, folders published by a rename."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .progress import say

_PARTIAL = ".partial-"


@contextlib.contextmanager
def locked(path: Path, *, waiting_for: str = "") -> Iterator[None]:
    """Hold an exclusive lock on `path`; the kernel frees it when its holder dies, however it dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting_for:
                say(f"waiting for another run that is {waiting_for}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def write(path: Path, content: str | bytes, mode: int = 0o644) -> None:
    """Replace `path` in one step, so that a reader or a kill never meets half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=_PARTIAL)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content.encode() if isinstance(content, str) else content)
    os.chmod(temporary, mode)
    os.replace(temporary, path)


@contextlib.contextmanager
def scratch(parent: Path, name: str) -> Iterator[Path]:
    """An empty folder beside what it is for, gone afterwards.

    The caller holds a lock for `name`, so whatever a killed run left of it is swept here.
    """
    parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{_PARTIAL}{name}-"
    for leftover in parent.glob(f"{prefix}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def published(folder: Path) -> Iterator[Path]:
    """Yield an empty folder to fill, which becomes `folder` at the end; after an error or a kill `folder` is absent."""
    with scratch(folder.parent, folder.name) as temporary:
        yield temporary
        temporary.rename(folder)


def lock_of(path: Path) -> Path:
    """The lock that guards what is built at `path`."""
    return path.with_name(f"{path.name}.lock")


def digest(*parts: str | bytes) -> str:
    """A short name for a set of build inputs."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        whole.update(len(data).to_bytes(8, "big") + data)
    return whole.hexdigest()[:12]


def sha256_of(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
