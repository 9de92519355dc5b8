# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pythons of this machine, and environments made of them, kept in the user's cache folder."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

# The Pythons that each ansible-core runs on as a controller, of those that this collection supports.
CONTROLLERS = {
    "2.17": ("3.11", "3.12"),
    "2.18": ("3.11", "3.12", "3.13"),
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.12", "3.13", "3.14"),
}


def cache() -> Path:
    """The folder that outlives the checkout."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("MESHOPS_CACHE") or home / "meshops-istio") / "publish"


def python(version: str) -> str | None:
    """A Python of this version, as `3.12`, that runs; a name on the PATH alone proves nothing."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    candidates = [shutil.which(f"python{version}"), *map(str, sorted(root.glob(f"versions/{version}.*/bin/python")))]
    for candidate in candidates:
        if candidate and _answers(candidate, version):
            return candidate
    return None


def _answers(candidate: str, version: str) -> bool:
    code = "import sys, venv; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([candidate, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() == version


def environment(interpreter: str, packages: Sequence[str]) -> Path:
    """The `bin` folder of an environment with these packages (as pip names them), made if it is not there."""
    content = "\n".join([interpreter, sys.platform, *packages])
    folder = cache() / "environments" / hashlib.sha256(content.encode()).hexdigest()[:16]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # The mark is made last, so that what a kill left half made is made anew.
        if not (folder / "complete").exists():
            _uv("venv", "--clear", "--python", interpreter, str(folder))
            _uv("pip", "install", "--python", str(folder / "bin/python"), *packages)
            (folder / "complete").touch()
    return folder / "bin"


def _uv(*arguments: str) -> None:
    subprocess.run(["uv", "--quiet", "--no-python-downloads", *arguments], check=True)
