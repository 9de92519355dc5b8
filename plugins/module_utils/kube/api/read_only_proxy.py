# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Serve a cluster's API to another program at a local port: read-only, without Secrets that have a label.

The program gets no credentials of the cluster, and never sees the hidden Secrets, whenever they were created.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .. import threads
from .connection import Connection
from .memory_file import memory_file

_CHUNK = 65536


@dataclass
class Relay:
    """The program's `kubeconfig`, and the `hidden` Secrets as namespace/name."""

    kubeconfig: str
    hidden: set[str] = field(default_factory=set)


@contextlib.contextmanager
def relay(connection: Connection, user_agent: str, *, hide: str) -> Iterator[Relay]:
    """Serve the cluster of `connection` within the context, without Secrets that have the label `hide`."""
    token = secrets.token_urlsafe(32)
    hidden: set[str] = set()

    class Handler(_Handler):
        root = f"/{token}"
        upstream = _Upstream(connection, user_agent)
        shield = _Shield(hide, hidden)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads, server.block_on_close = True, False
        thread = threads.start(server.serve_forever)
        try:
            with memory_file(_kubeconfig(f"http://127.0.0.1:{server.server_port}/{token}")) as path:
                yield Relay(path, hidden)
        finally:
            server.shutdown()
            thread.join()


def _kubeconfig(server: str) -> bytes:
    # The secret is part of the path, because Kubernetes clients send a token over TLS only.
    name = "relay"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server}}],
        "contexts": [{"name": name, "context": {"cluster": name}}],
        "current-context": name,
    }
    return json.dumps(content).encode()


class _Upstream:
    """Sends requests to the cluster."""

    def __init__(self, connection: Connection, user_agent: str) -> None:
        self._connection = connection
        self._user_agent = user_agent

    def get(self, path: str, accept: str) -> Any:
        from urllib3 import HTTPHeaderDict
        from urllib3.util import Timeout

        headers = HTTPHeaderDict({"User-Agent": self._user_agent, "Accept": accept})
        self._connection.authorise(headers)
        return self._connection.pool.request(
            "GET",
            self._connection.configuration.host + path,
            headers=headers,
            timeout=Timeout(connect=5, read=None),
            retries=False,
            redirect=False,
            preload_content=False,
        )


class _Shield:
    """Removes hidden Secrets from answers: objects, lists, and watch events."""

    def __init__(self, label: str, hidden: set[str]) -> None:
        self._label = label
        self._hidden = hidden

    def shown(self, obj: Any) -> bool:
        """Return whether an object may be shown."""
        metadata = obj.get("metadata") if isinstance(obj, Mapping) else None
        if not isinstance(metadata, Mapping) or self._label not in (metadata.get("labels") or {}):
            return True
        self._hidden.add(f"{metadata.get('namespace')}/{metadata.get('name')}")
        return False

    def answer(self, data: bytes) -> bytes | None:
        """Return an object or list without hidden Secrets; None if nothing is left."""
        body = json.loads(data)
        if not self.shown(body):
            return None
        if isinstance(body.get("items"), list):
            body["items"] = [one for one in body["items"] if self.shown(one)]
        return json.dumps(body).encode()

    def events(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the lines of a watch without those of hidden Secrets."""
        rest = b""
        for chunk in chunks:
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line.strip() and self.shown(json.loads(line).get("object")):
                    yield line + b"\n"


class _Handler(BaseHTTPRequestHandler):
    """Handles one connection of the program; supports GET only."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    root: str
    upstream: _Upstream
    shield: _Shield

    def do_GET(self) -> None:
        root, slash, rest = self.path[1:].partition("/")
        if not hmac.compare_digest(f"/{root}".encode(), self.root.encode()):
            return self._status(HTTPStatus.UNAUTHORIZED, "Unauthorized")
        address = slash + rest
        path, _mark, query = address.partition("?")
        about_secrets = "secrets" in path.split("/")
        accept = self.headers.get("Accept", "application/json")
        if about_secrets:
            # Only JSON can be filtered.
            accept = accept.replace("application/vnd.kubernetes.protobuf", "application/json")
        try:
            response = self.upstream.get(address, accept)
        except Exception as error:  # noqa: BLE001 - any error is reported to the program
            return self._status(HTTPStatus.BAD_GATEWAY, f"The cluster cannot be reached: {type(error).__name__}")
        try:
            self._pass_on(response, about_secrets, watching="watch=" in query or "/watch/" in path)
        except OSError:
            self.close_connection = True  # the program has closed it
        finally:
            response.close()
        return None

    def _pass_on(self, response: Any, about_secrets: bool, *, watching: bool) -> None:
        kind = response.headers.get("Content-Type", "application/json")
        if not about_secrets:
            return self._send(response.status, kind, response.stream(_CHUNK))
        if not kind.startswith("application/json"):
            return self._status(HTTPStatus.BAD_GATEWAY, "The cluster's answer cannot be filtered: it is not JSON")
        if watching and response.status == HTTPStatus.OK:
            return self._send(response.status, kind, self.shield.events(response.stream(_CHUNK)))
        answer = self.shield.answer(response.read())
        if answer is None:
            return self._status(HTTPStatus.NOT_FOUND, "NotFound")
        return self._send(response.status, kind, iter([answer]))

    def _send(self, status: int, kind: str, chunks: Iterator[bytes]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in chunks:
            if chunk:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")

    def _status(self, status: HTTPStatus, message: str) -> None:
        reason = message if status != HTTPStatus.BAD_GATEWAY else "InternalError"
        body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status.value}
        answer = json.dumps({**body, "message": message, "reason": reason}).encode()
        self._send(status.value, "application/json", iter([answer]))

    def log_message(self, *_arguments: Any) -> None:
        """Log nothing."""
