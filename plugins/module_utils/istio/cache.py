# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Folders of the user's cache: where they are, one writer at a time, and no half-written entry after a kill."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_WORK = ".work-"


def cache_folder(name: str, root: str | os.PathLike[str] | None = None) -> Path:
    """The cache's folder of this name, made if need be.

    In `root`, else $MESHOPS_CACHE, else $XDG_CACHE_HOME/meshops-istio, else ~/.cache/meshops-istio; where none of
    these can be written to, in a folder of the system's temporary one that belongs to this user alone.
    """
    for base in _candidates(root):
        folder = base / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    return Path(tempfile.mkdtemp(prefix="meshops-istio-"))


def _candidates(root: str | os.PathLike[str] | None) -> Iterator[Path]:
    if root:
        yield Path(root).expanduser()
    if os.environ.get("MESHOPS_CACHE"):
        yield Path(os.environ["MESHOPS_CACHE"])
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    yield Path(home) / "meshops-istio"
    private = Path(tempfile.gettempdir()) / f"meshops-istio-{os.getuid()}"
    with contextlib.suppress(OSError):
        private.mkdir(mode=0o700, exist_ok=True)
        status = private.lstat()
        # The temporary folder is everybody's: what another user put there is not ours to trust.
        if status.st_uid == os.getuid() and not status.st_mode & 0o022 and not private.is_symlink():
            yield private


@contextlib.contextmanager
def locked(folder: Path, entry: str) -> Iterator[Path]:
    """Hold the lock of one entry of a cache folder; it is free again the moment its holder ends, however it ends."""
    with open(folder / f".{entry}.lock", "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield folder


@contextlib.contextmanager
def work_folder(folder: Path, entry: str) -> Iterator[Path]:
    """A folder beside the entry to prepare it in, removed at exit; call with the entry locked."""
    for left in folder.glob(f"{_WORK}{entry}-*"):
        shutil.rmtree(left, ignore_errors=True)  # of a run that was killed
    work = Path(tempfile.mkdtemp(prefix=f"{_WORK}{entry}-", dir=folder))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def write_atomically(path: Path, content: bytes) -> None:
    """Put a file in place complete or not at all."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
