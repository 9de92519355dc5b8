# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Back up objects before their deletion, to a file for `kubectl apply`."""

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

OTHERWISE = "Set backup to another file"


def default_path(server: str) -> Path:
    """Return a unique file for each cluster and second, in the user's state folder."""
    home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    name = re.sub(r"[^\w.-]+", "-", server.partition("://")[2] or server).strip("-")
    timestamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return Path(home).expanduser() / "meshops-istio" / "removed" / f"{name}-{timestamp}.yaml"


def refuse_lost_folder(given: str | None) -> None:
    """Raise Refused in a job of AWX without a given file, because its folders are deleted with its container."""
    if not given and os.environ.get("AWX_PRIVATE_DATA_DIR"):
        raise Refused(
            "Cannot back up the resources to delete: the default folder of a job of AWX is deleted with its container. Set"
            " backup to a file in a folder that AWX mounts into its jobs (setting AWX_ISOLATION_SHOW_PATHS).",
            code="backup_lost",
        )


def text_of(objects: Iterable[Mapping[str, Any]]) -> str:
    """Return the objects as YAML for `kubectl apply`, without fields that the server sets."""
    return write_yaml(clean(obj) for obj in objects)


def try_place(path: Path, text: str, *, otherwise: str = OTHERWISE) -> None:
    """Raise Refused if `text` cannot be written to a new file at `path`. Leaves no files."""
    if os.path.lexists(path):
        raise _failed(path, "the file already exists, and may be the only backup of an earlier run", otherwise)
    folder = next(one for one in path.absolute().parents if os.path.lexists(one))
    try:
        with tempfile.NamedTemporaryFile("w", dir=folder, prefix=".meshops-", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _failed(path, str(error.strerror), otherwise) from error


def write(path: Path, text: str, *, otherwise: str = OTHERWISE) -> None:
    """Write and sync a text to a new file that only the user can read. Raises Refused if that fails.

    `otherwise`: the remedy in the error. An existing file is never overwritten: it may be the only backup of an earlier
    run.
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
    """Sync the entries of a folder, if its file system supports it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def _failed(path: Path, why: str, otherwise: str) -> Refused:
    return Refused(
        f"Cannot back up the resources to delete to {path}: {why}. {otherwise}.",
        code="backup_failed",
        path=str(path),
    )
