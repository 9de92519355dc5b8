# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A loopback proxy before an API server that spoils a share of the requests, each in one of several ways."""

from __future__ import annotations

import base64
import collections
import contextlib
import http.client
import json
import random
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

HANG = 2.0  # seconds without an answer, before the connection ends
_HOP = {"connection", "keep-alive", "transfer-encoding", "host"}
_RACING = ("PATCH", "PUT", "DELETE")  # what may lose a race, and gets a 409 then
_STATUSES = {429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 409: "Conflict"}
_ALWAYS = ("429", "500", "503", "closed before", "closed after", "hangs")


class FaultyProxy(ThreadingHTTPServer):
    """Passes requests on to the API server of a kubeconfig, with its credentials, and spoils `share` of them.

    `kubeconfig` is the path of one for clients; `faults` counts what was injected, `requests` all that came.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, upstream: str, folder: Path, *, share: float, seed: int = 1) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.share = share
        self.faults: collections.Counter[str] = collections.Counter()
        self.requests = 0
        self._random = random.Random(seed)
        self._drawing = threading.Lock()
        document = yaml.safe_load(Path(upstream).read_text(encoding="utf-8"))
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        self._address = urlsplit(cluster["server"]).netloc
        self._context = ssl.create_default_context(cadata=_text(cluster["certificate-authority-data"]))
        with tempfile.NamedTemporaryFile("w", dir=folder) as pair:
            pair.write(_text(user["client-certificate-data"]) + _text(user["client-key-data"]))
            pair.flush()
            self._context.load_cert_chain(pair.name)
        self.kubeconfig = folder / "faulty.kubeconfig"
        document["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{self.server_address[1]}"}
        document["users"][0]["user"] = {}
        self.kubeconfig.write_text(json.dumps(document), encoding="utf-8")

    def fault(self, method: str) -> str:
        """What is to go wrong with the next request; empty for nothing."""
        with self._drawing:
            self.requests += 1
            if self._random.random() >= self.share:
                return ""
            chosen = self._random.choice((*_ALWAYS, "409") if method in _RACING else _ALWAYS)
            self.faults[chosen] += 1
            return chosen

    def connect(self) -> http.client.HTTPSConnection:
        """A connection to the API server."""
        return http.client.HTTPSConnection(self._address, context=self._context, timeout=60)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that give up are part of it."""


@contextlib.contextmanager
def faulty_proxy(upstream: str, *, share: float) -> Iterator[FaultyProxy]:
    """A proxy that runs for the length of the context."""
    with (
        tempfile.TemporaryDirectory(prefix="meshops-") as folder,
        FaultyProxy(upstream, Path(folder), share=share) as proxy,
    ):
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            yield proxy
        finally:
            proxy.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: FaultyProxy
    protocol_version = "HTTP/1.1"

    def handle_request(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.fault(self.command)
        if fault.isdigit():
            self._refuse(int(fault))
        elif fault in ("closed before", "hangs"):
            time.sleep(HANG if fault == "hangs" else 0)
            self.close_connection = True
        else:
            self._pass_on(body, answered=fault != "closed after")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_request  # noqa: N815

    def _refuse(self, status: int) -> None:
        answer = {
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": status,
            "reason": _STATUSES[status], "message": f"injected by the test's proxy: {status}",
        }  # fmt: skip
        data = json.dumps(answer).encode()
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _pass_on(self, body: bytes, *, answered: bool) -> None:
        upstream = self.server.connect()
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
            upstream.request(self.command, self.path, body or None, headers)
            answer = upstream.getresponse()
            if answered:
                self._give_back(answer)
            else:
                answer.read()
                self.close_connection = True
        except (OSError, http.client.HTTPException):
            self.close_connection = True  # the API server is not there, which the client is to see
        finally:
            upstream.close()

    def _give_back(self, answer: http.client.HTTPResponse) -> None:
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {*_HOP, "content-length", "date", "server"}:
                self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        # As it comes: an answer to a watch has no end.
        while chunk := answer.read1(65536):
            self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_arguments: Any) -> None:
        """Nothing: the counts tell."""


def _text(data: str) -> str:
    return base64.b64decode(data).decode()
