# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects that are about to be lost, kept in a file that `kubectl apply` takes."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import Refused
from ..yaml.writer import write_yaml
from .change import clean

OTHERWISE = "name another file in `backup`"


def default_path(server: str) -> Path:
    """A file of its own for each cluster and second, in the user's folder for what programs leave."""
    home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    name = re.sub(r"[^\w.-]+", "-", server.partition("://")[2] or server).strip("-")
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return Path(home).expanduser() / "meshops-istio" / "removed" / f"{name}-{moment}.yaml"


def refuse_lost_folder(given: str | None) -> None:
    """Raise Refused where a job of AWX is to save something and no file was named: its folders go with its container."""
    if not given and os.environ.get("AWX_PRIVATE_DATA_DIR"):
        raise Refused(
            "The resources that would be lost cannot be saved in a job of AWX without a file that outlives it: name one in"
            " `backup`, in a folder that AWX mounts into its jobs (its setting for paths to expose).",
            code="backup_lost",
        )


def text_of(objects: Iterable[Mapping[str, Any]]) -> str:
    """The objects for `kubectl apply`, without what only a server sets."""
    return write_yaml(clean(obj) for obj in objects)


def try_place(path: Path, text: str, *, otherwise: str = OTHERWISE) -> None:
    """Raise Refused where `text` could not be written to a new file at `path`. Leaves nothing behind."""
    if os.path.lexists(path):
        raise _failed(path, "there is a file already, which may be the only copy of what was removed before", otherwise)
    folder = next(one for one in path.absolute().parents if os.path.lexists(one))
    try:
        with tempfile.NamedTemporaryFile("w", dir=folder, prefix=".meshops-", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _failed(path, str(error.strerror), otherwise) from error


def write(path: Path, text: str, *, otherwise: str = OTHERWISE) -> None:
    """Write it to a new file, for the user alone, and to the disk. Raises Refused where that fails.

    `otherwise` is what the error says to do instead. A file that is there already is never overwritten: it may be the
    only copy of what an earlier run removed.
    """
    created = False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            created = True
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        _to_disk(path.parent)
    except OSError as error:
        if created:
            path.unlink(missing_ok=True)
        raise _failed(path, str(error.strerror), otherwise) from error


def _to_disk(folder: Path) -> None:
    """Have the entries of a folder written, as far as its file system can."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def _failed(path: Path, why: str, otherwise: str) -> Refused:
    return Refused(
        f"The resources that would be lost cannot be saved to {path}: {why}; {otherwise}.",
        code="backup_failed",
        path=str(path),
    )
