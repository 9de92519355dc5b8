# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sends requests, and waits until what was set has reached the proxies."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

Value = TypeVar("Value")

SPREAD = 30.0
"""Seconds in which a change has to have reached all proxies."""


@dataclass(frozen=True)
class Answer:
    """Status 0 means that there was none: the connection was refused or reset."""

    status: int
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Which version of the service answered: `v1`, `v2`, or nothing."""
        return self.text.partition("version: ")[2][:2]


@dataclass(frozen=True)
class Door:
    """An address that requests are sent to; `tls` makes them secure, for the host that they ask for."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None

    def ask(self, path: str, *, name: str = "hello.test", method: str = "GET", **headers: str) -> Answer:
        """One request for the host `name` over a connection of its own; underscores in headers stand for a dash."""
        connection: http.client.HTTPConnection = (
            _Secure(self, name) if self.tls else http.client.HTTPConnection(self.host, self.port, timeout=15)
        )
        try:
            sent = {key.replace("_", "-"): value for key, value in headers.items()}
            connection.request(method, path, headers={"Host": name, **sent})
            response = connection.getresponse()
            received = {key.lower(): value for key, value in response.getheaders()}
            return Answer(response.status, response.read().decode(errors="replace"), received)
        except (OSError, http.client.HTTPException) as error:
            return Answer(0, str(error))
        finally:
            connection.close()

    def ask_often(self, count: int, path: str, *, at_once: int = 8, name: str = "hello.test") -> list[Answer]:
        """Many requests, some at a time."""
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(lambda _number: self.ask(path, name=name), range(count)))


class _Secure(http.client.HTTPSConnection):
    """Goes to the door's address, and asks for another name there."""

    def __init__(self, door: Door, name: str) -> None:
        super().__init__(door.host, door.port, timeout=15, context=door.tls)
        self._name = name

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self._name)  # type: ignore[attr-defined]


class Client:
    """Sends a request every so many seconds for as long as it is entered; `seen` tells what it got, by status.

    What else is `asked` is as for `Door.ask`.
    """

    def __init__(self, door: Door, path: str, *, every: float = 0.02, **asked: str) -> None:
        self.seen: dict[str, int] = {}
        self._every, self._asked = every, asked
        self._door, self._path = door, path
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(8)
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Client:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        asked = []
        with self._pool:
            while not self._over.wait(self._every):
                asked.append(self._pool.submit(self._door.ask, self._path, **self._asked))
        self.seen = tally(one.result().status for one in asked)


def eventually(look: Callable[[], Value], holds: Callable[[Value], object], *, limit: float = SPREAD) -> Value:
    """The first value that holds; the test fails with the last one when there is none in time."""
    until = time.monotonic() + limit
    while True:
        value = look()
        if holds(value):
            return value
        assert time.monotonic() < until, f"still {value} after {limit:.0f} s"
        time.sleep(0.25)


def tally(values: Iterable[object]) -> dict[str, int]:
    """How often each value came."""
    return {str(value): count for value, count in Counter(values).most_common()}


CLUSTERS = ("pilot-agent", "request", "GET", "clusters")
"""The command by which a sidecar tells what it has counted."""


def counts(said: str, cluster: str, what: str) -> list[int]:
    """What a sidecar, by its own word, has counted for each pod of the clusters whose names begin so."""
    lines = [line for line in said.splitlines() if line.startswith(cluster) and f"::{what}::" in line]
    return [int(line.rpartition("::")[2]) for line in lines]
