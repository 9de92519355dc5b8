# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The folders of the user's cache: location, ownership, locks and atomic writes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ...kube.errors import NotReady

_WORK = ".work-"
_OF_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_PAUSE = 0.1
"""Seconds between two attempts to get a lock."""


def cache_folder(name: str, root: str | os.PathLike[str] | None = None) -> Path:
    """Return the cache's folder of this name, created if needed, which only this user can write to.

    In `root`, else $MESHOPS_CACHE, else $XDG_CACHE_HOME/meshops-istio, else ~/.cache/meshops-istio; if none of these is
    writable, in a folder of this user in the system's temporary folder.
    """
    for base in _candidates(root):
        folder = base / name
        try:
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            status = folder.lstat()
            if status.st_uid == os.geteuid() and status.st_mode & _OF_OTHERS and stat.S_ISDIR(status.st_mode):
                folder.chmod(status.st_mode & 0o755)  # created with a umask of 002; its content is checked separately
        except OSError:
            continue
        if belongs(folder) and os.access(folder, os.W_OK | os.X_OK):
            return folder
    return Path(tempfile.mkdtemp(prefix="meshops-istio-"))


def cache_folders(name: str, root: str | os.PathLike[str] | None = None) -> Iterator[Path]:
    """Yield the cache's folders of this name to read from: read-only ones, up to the one to write to."""
    for base in _candidates(root):
        folder = base / name
        if belongs(folder):
            yield folder
        if not folder.exists() or os.access(folder, os.W_OK | os.X_OK):
            return


def belongs(path: Path) -> bool:
    """Return whether a path exists, belongs to this user or root, and only they can write to it; follows no links."""
    try:
        return is_own(path.lstat())
    except OSError:
        return False


def is_own(status: os.stat_result) -> bool:
    """Return whether a file or folder belongs to this user or root, and only they can write to it."""
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        return False
    return status.st_uid in (os.geteuid(), 0) and not status.st_mode & _OF_OTHERS


def _candidates(root: str | os.PathLike[str] | None) -> Iterator[Path]:
    named = [Path(root).expanduser()] if root else []
    if os.environ.get("MESHOPS_CACHE"):
        named.append(Path(os.environ["MESHOPS_CACHE"]))
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    for folder in (*named, Path(home) / "meshops-istio"):
        # The owner of a folder can replace folders in it.
        with contextlib.suppress(FileNotFoundError):
            if folder.stat().st_uid not in (os.geteuid(), 0):
                continue
        yield folder
    private = Path(tempfile.gettempdir()) / f"meshops-istio-{os.getuid()}"
    with contextlib.suppress(OSError):
        private.mkdir(mode=0o700, exist_ok=True)
        # Any user can create this folder.
        if belongs(private):
            yield private


@contextlib.contextmanager
def locked(folder: Path, entry: str, *, until: float) -> Iterator[Path]:
    """Hold the lock of one entry of a cache folder; the system releases it if the process is killed.

    Raises NotReady after `until` on the monotonic clock.
    """
    path = folder / f".{entry}.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise NotReady(
                        f"Timed out waiting for the lock {path}: another run is downloading {entry}. Wait until it has"
                        " finished, increase download_timeout, or set another cache_dir.",
                        code="cache_locked",
                        path=str(path),
                    ) from None
                time.sleep(_PAUSE)
        yield folder


@contextlib.contextmanager
def work_folder(folder: Path, entry: str) -> Iterator[Path]:
    """Create a temporary folder next to the entry, removed at exit; call with the entry locked."""
    for left in folder.glob(f"{_WORK}{entry}-*"):
        shutil.rmtree(left, ignore_errors=True)  # left by a run that was killed
    work = Path(tempfile.mkdtemp(prefix=f"{_WORK}{entry}-", dir=folder))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file completely or not at all."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
