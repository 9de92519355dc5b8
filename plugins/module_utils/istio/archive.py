# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Unpack the archive of a release."""

from __future__ import annotations

import tarfile
from pathlib import Path

from ..kube.errors import InvalidInput


def unpack(archive: Path, target: Path) -> Path:
    """Unpack a gzipped tar archive into `target` and return the one folder that it holds.

    Members that would land outside `target` are refused. Raises InvalidInput for what is not such an archive.
    """
    target.mkdir(parents=True)
    try:
        with tarfile.open(archive, "r:*") as tar:
            tar.extractall(target, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise InvalidInput(f"{archive} cannot be unpacked: {error}.", path=str(archive)) from error
    folders = [path for path in target.iterdir() if path.is_dir()]
    return folders[0] if len(folders) == 1 else target
