# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects that are about to be lost, kept in a file that `kubectl apply` takes."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..kube.errors import Refused
from ..kube.plan import clean
from ..kube.yaml_writer import write_yaml


def default_path(server: str) -> Path:
    """A file of its own for each cluster and second, in the user's folder for what programs leave."""
    home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    name = re.sub(r"[^\w.-]+", "-", server.partition("://")[2] or server).strip("-")
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return Path(home).expanduser() / "meshops-istio" / "removed" / f"{name}-{moment}.yaml"


def write(
    path: Path, objects: Iterable[Mapping[str, Any]], *, otherwise: str = "name another file in `backup`"
) -> None:
    """Write them as YAML, for the user alone, without what only a server sets. Raises Refused where that fails.

    `otherwise` is what the error says to do instead. A file that is there already is never overwritten: it may be the
    only copy of what an earlier run removed.
    """
    text = write_yaml(clean(obj) for obj in objects)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise Refused(
            f"The resources that would be lost cannot be saved to {path}: {error.strerror}; {otherwise}.",
            code="backup_failed",
            path=str(path),
        ) from error
