# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client that sends requests at a steady rate, and counts those that are lost."""

from __future__ import annotations

import http.client
import threading
import time
from concurrent.futures import ThreadPoolExecutor

RATE = 50
"""Requests a second."""
LONGEST = 1200.0
"""Seconds after which a client ends in any case."""
_AT_ONCE = 64
_TIMEOUT = 40.0


class Client:
    """Sends requests from entering to leaving; `lost` are those without an answer of status 200."""

    def __init__(self, host: str, path: str) -> None:
        self._host, self._path = host, path
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._send)
        self.sent = 0
        self.lost: list[str] = []

    def __enter__(self) -> Client:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def ask(self) -> str:
        """Send one request over a connection of its own; return why it is lost, empty if it is answered."""
        connection = http.client.HTTPConnection(self._host, 80, timeout=_TIMEOUT)
        try:
            connection.request("POST", self._path, headers={"number": "42"})
            response = connection.getresponse()
            text = response.read()
            return "" if response.status == 200 else f"{response.status} {text[:80].decode(errors='replace')}"
        except (OSError, http.client.HTTPException) as error:
            return f"{type(error).__name__} {error}"
        finally:
            connection.close()

    def _send(self) -> None:
        begun = time.monotonic()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            while not self._over.is_set() and (passed := time.monotonic() - begun) < LONGEST:
                if self.sent < passed * RATE:
                    self.sent += 1
                    pool.submit(self._count)
                else:
                    time.sleep(1 / RATE / 4)

    def _count(self) -> None:
        begun = time.strftime("%H:%M:%S")
        why = self.ask()
        if why:
            with self._lock:
                self.lost.append(f"{begun} {why}")
