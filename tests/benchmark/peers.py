# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What we are compared with, ready to run: programs of Go modules, and kubernetes.core in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from lab import sources
from lab.files import digest, lock_of, locked
from lab.paths import CHECKOUT

from .failure import BenchmarkError
from .playbooks import Ansible

_PACKAGES = ("ansible-core", "kubernetes", "PyYAML", "jmespath")


def program(name: str) -> Path:
    """A program of the lab's, built where it has to be."""
    return sources.find([name])[name]


def kubernetes_core() -> Ansible:
    """kubernetes.core, as the PyPI package `ansible` brings it, with the same ansible-core and client as ours."""
    collections = Path(_run(str(CHECKOUT / "tools" / "peers")).splitlines()[-1])
    constraints = CHECKOUT / "constraints.txt"
    name = f"environment-{digest(constraints.read_bytes(), sys.version, *_PACKAGES)}"
    environment = collections.parent / name
    with locked(lock_of(environment), waiting_for="making the peers' environment"):
        if not (environment / "complete").exists():
            # Not made elsewhere and renamed: its scripts hold its path.
            venv.create(environment, clear=True, with_pip=True)
            pip = [
                str(environment / "bin" / "python"),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ]
            _run(*pip, "--constraint", str(constraints), *_PACKAGES)
            (environment / "complete").touch()
    return Ansible(environment / "bin", {"ANSIBLE_COLLECTIONS_PATH": str(collections)})


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchmarkError(f"{' '.join(command[:4])} failed: {done.stderr.strip()[-500:]}")
    return done.stdout
