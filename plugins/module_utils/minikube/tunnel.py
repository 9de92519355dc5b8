# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run `minikube tunnel`, which assigns addresses to load balancers, until the play ends."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time

from ..kube import processes
from ..kube.errors import InvalidInput
from .background import start_beside
from .cli import Minikube, MinikubeFailed

STARTED = 2.0
"""Seconds after which a tunnel without an error is considered open."""

_TAKEN = "Another tunnel process is already running"


def open_tunnel(minikube: Minikube, owner: int) -> bool:
    """Open a tunnel until the process `owner` has ended; return False if one is already open.

    Raises InvalidInput if sudo would ask the user for a password, and MinikubeFailed.
    """
    if not _may_route():
        raise InvalidInput(
            "Cannot open the tunnel of minikube: it changes the routes of this machine, for which sudo would ask for a"
            " password. Run as root, allow sudo without a password, or use a gateway of type NodePort."
        )
    words = minikube.command("tunnel", "--cleanup")
    with tempfile.TemporaryFile() as log:
        keeper = start_beside(minikube, words, owner, log)
        time.sleep(STARTED)
        if keeper.poll() is None:
            return True
        log.seek(0)
        said = " ".join(log.read().decode(errors="replace").split())
    if _TAKEN in said:
        return False
    raise MinikubeFailed(f"Cannot open the tunnel of minikube: {said or 'it has no output'}")


def _may_route() -> bool:
    if os.geteuid() == 0:
        return True
    try:
        return processes.run(["sudo", "-n", "true"], timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
