# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`minikube tunnel`, which gives load balancers addresses for as long as it runs: as long as the play does."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time

from ..kube.errors import InvalidInput
from .background import start_beside
from .cli import Minikube, MinikubeFailed

SETTLED = 2.0
"""After how many seconds a tunnel that could not be opened has said so."""

_TAKEN = "Another tunnel process is already running"


def open_tunnel(minikube: Minikube, owner: int) -> bool:
    """Open a tunnel that closes when the process `owner` has ended; False if there was one already.

    Raises InvalidInput where this user cannot open one without being asked for a password, and MinikubeFailed.
    """
    if not _may_route():
        raise InvalidInput(
            "minikube's tunnel sets routes of this machine, for which sudo would ask for a password; run as root, allow"
            " sudo without one, or have the gateway be of type NodePort."
        )
    words = minikube.command("tunnel", "--cleanup")
    with tempfile.TemporaryFile() as log:
        keeper = start_beside(minikube, words, owner, log)
        time.sleep(SETTLED)
        if keeper.poll() is None:
            return True
        log.seek(0)
        said = " ".join(log.read().decode(errors="replace").split())
    if _TAKEN in said:
        return False
    raise MinikubeFailed(f"minikube's tunnel does not open: {said or 'it said nothing'}")


def _may_route() -> bool:
    if os.geteuid() == 0:
        return True
    try:
        return subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False
