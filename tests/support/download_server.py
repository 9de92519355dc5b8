# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A web server and a proxy of a test's own, over http or https."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from ansible_collections.meshops.istio.tests.support.kube.certificates import make_certificate

Reply = Callable[[http.server.BaseHTTPRequestHandler], object]


class Asked(NamedTuple):
    """A request that came."""

    path: str
    authorization: str | None
    headers: dict[str, str]


class Server:
    """Answers a path with bytes, or as a function does; anything else is not found."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.replies: dict[str, bytes | Reply] = {}
        self.asked: list[Asked] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(Asked(self.path, self.headers["Authorization"], dict(self.headers)))
                found = outer.replies.get(self.path.partition("?")[0])
                if callable(found):
                    found(self)
                elif found is None:
                    self.send_error(404)
                else:
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(found)))
                    self.end_headers()
                    if self.command == "GET":
                        self.wfile.write(found)

            do_HEAD = do_GET  # noqa: N815 - the base class's name

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if context else "http"
        self.place = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"{scheme}://{self.place}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


class Authority(NamedTuple):
    """The certificate and the key of servers, which is the authority that they are checked with."""

    certificate: Path
    key: Path

    def context(self, client: Path | None = None) -> ssl.SSLContext:
        """Of a server that, with `client`, takes only those who show this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        if client is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client)
        return context


class Proxy:
    """An HTTP proxy that wants a password, and notes what it is asked for."""

    def __init__(self, credentials: str) -> None:
        self.asked: list[str] = []
        self._credentials = credentials
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.place = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._tunnel, args=(connection,), daemon=True).start()

    def _tunnel(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head and (read := connection.recv(4096)):
            head += read
        method, target, _version = head.split(b"\r\n")[0].decode().split(" ")
        self.asked.append(f"{method} {target}")
        if f"proxy-authorization: {self._credentials}".encode().lower() not in head.lower():
            connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            connection.close()
            return
        host, _colon, port = target.rpartition(":")
        behind = socket.create_connection((host, int(port)))
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        for one, other in ((connection, behind), (behind, connection)):
            threading.Thread(target=_copy, args=(one, other), daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while read := source.recv(65536):
            target.sendall(read)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def redirect(target: str) -> Reply:
    """Answer with a redirect."""

    def reply(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", target)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return reply


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """What the test's servers are checked with."""
    return Authority(*make_certificate(tmp_path_factory.mktemp("authority"), "localhost"))


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start servers, which end with the test."""
    started: list[Server] = []

    def start(context: ssl.SSLContext | None = None) -> Server:
        started.append(Server(context))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No netrc and no proxy but those of a test."""
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
