# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab that a program of the tests has for itself, by the Makefile's targets."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def fresh_lab(lab: str, *words: str) -> Iterator[tuple[Path, Path]]:
    """A lab for the length of the context: the paths of its kubeconfig and of its variables for a site."""
    try:
        # An earlier run may have been cut short; on the mesh that it has left this one would have less to do.
        make(lab, "lab-down")
        make(lab, "lab-up", *words)
        yield Path(make(lab, "lab-kubeconfig")), Path(make(lab, "lab-vars"))
    finally:
        make(lab, "lab-down")


def make(lab: str, target: str, *words: str) -> str:
    """What a target of the Makefile prints for the lab."""
    command = ["make", "--no-print-directory", "--silent", f"LAB={lab}", target, *words]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()
