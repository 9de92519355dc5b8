# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run `minikube service --url`: find the URLs of a Service from this machine, for any driver.

Where the node's address is reached, minikube names node ports and is done. Where it is not, as with docker on macOS and
Windows, it forwards ports for as long as it runs: as long as the play does.
"""

from __future__ import annotations

import re
import tempfile
import time

from ..kube.errors import InvalidInput
from .background import start_beside
from .cli import Minikube, MinikubeFailed

PAUSE = 0.2  # seconds between two reads of its output
_URL = re.compile(r"^https?://\S+$", re.MULTILINE)
_NOT_FOUND = 115
"""minikube's exit code if the Service is not found or has no pod."""


def urls_of(minikube: Minikube, service: str, owner: int, *, timeout: float) -> list[str]:
    """Return the URLs of a Service, NAMESPACE/NAME, in the order of its ports; none if it is not found.

    They hold until the process `owner` has ended. Raises InvalidInput for another form of name, and MinikubeFailed.
    """
    namespace, slash, name = service.partition("/")
    if not (namespace and slash and name):
        raise InvalidInput(f"services '{service}' is invalid: use NAMESPACE/NAME.")
    words = minikube.command("service", name, "--namespace", namespace, "--url")
    deadline = time.monotonic() + timeout
    # Opened again by name, because both processes would share the position in the file.
    with tempfile.NamedTemporaryFile() as log:
        keeper = start_beside(minikube, words, owner, log)
        while True:
            code = keeper.poll()
            with open(log.name, encoding="utf-8", errors="replace") as file:
                output = file.read()
            # minikube prints all URLs at once.
            found = _URL.findall(output)
            if code is not None or found:
                break
            if time.monotonic() > deadline:
                keeper.terminate()
                raise MinikubeFailed(
                    f"Timed out waiting for `minikube service {name}`, which returned no URL within {timeout:.0f} s."
                )
            time.sleep(PAUSE)
    if code is not None and not found and code != _NOT_FOUND:
        raise MinikubeFailed(f"`minikube service {name}` failed: {' '.join(output.split()) or f'exit code {code}'}")
    return found
