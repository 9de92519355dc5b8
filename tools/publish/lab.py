# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab that checks use, started for the first that asks and removed in the end."""

from __future__ import annotations

import atexit
import functools
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
NAME = os.environ.get("LAB") or "publish"


@functools.cache
def variables() -> Path | None:
    """The file with a site's variables for the lab, or None where this machine cannot have one."""
    if _make("lab-up").returncode != 0:
        return None
    atexit.register(_make, "lab-down")
    return Path(_make("lab-vars").stdout.strip())


def read(path: Path) -> dict[str, Any]:
    """The lab's variables."""
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def _make(target: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--silent", target, f"LAB={NAME}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
