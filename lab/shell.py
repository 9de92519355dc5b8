# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run other programs, with failures as one sentence."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .errors import LabError


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    timeout: float = 600,
) -> str:
    """Standard output of a program that must succeed; `env` is laid over our own environment."""
    program = str(argv[0])
    try:
        done = subprocess.run(
            [str(word) for word in argv],
            env={**os.environ, **env} if env else None,
            cwd=cwd,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as e:
        raise LabError(f"{program} is not installed on this machine.") from e
    except subprocess.TimeoutExpired as e:
        raise LabError(f"{program} did not end within {timeout:.0f} s: {shown(argv)}") from e
    if done.returncode:
        raise LabError(f"{shown(argv)} failed: {last_lines(done.stderr or done.stdout)}")
    return done.stdout


def succeeds(argv: Sequence[str | Path]) -> bool:
    """Whether a program ends with 0; it may be missing."""
    try:
        run(argv)
    except LabError:
        return False
    return True


def shown(argv: Sequence[str | Path]) -> str:
    text = " ".join(str(word) for word in argv)
    return text if len(text) <= 160 else text[:157] + "..."


def last_lines(text: str, count: int = 3) -> str:
    return " / ".join(line.strip() for line in text.strip().splitlines()[-count:]) or "no message"
