# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run commands of minikube in the background until the play ends."""

from __future__ import annotations

import sys
from typing import IO

from ..kube.processes import Process
from .cli import Minikube

# Interrupts the command when the play has ended for any reason. At SIGINT minikube removes its routes.
_KEEPER = """
import os, signal, subprocess, sys, time
owner, words = int(sys.argv[1]), sys.argv[2:]
# In a play that a shell runs in the background, SIGINT is ignored, which the command would inherit.
signal.signal(signal.SIGINT, signal.SIG_DFL)
command = subprocess.Popen(words)

def there():
    try:
        os.kill(owner, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True

while command.poll() is None and there():
    time.sleep(0.5)
if command.poll() is not None:
    sys.exit(command.returncode)
command.send_signal(signal.SIGINT)
try:
    command.wait(20)
except subprocess.TimeoutExpired:
    command.kill()
"""


def start_beside(minikube: Minikube, words: list[str], owner: int, log: IO[bytes]) -> Process:
    """Start a command that is interrupted when the process `owner` has ended; its output goes to `log`.

    The process that is returned ends when the command does.
    """
    command = [sys.executable, "-c", _KEEPER, str(owner), *words]
    return Process(command, environment=minikube.environment, stdout=log, stderr=log, detached=True)
