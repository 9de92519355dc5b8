# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Serve an almost empty Kubernetes API on the loopback interface, for istioctl commands that need a cluster."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_NOT_FOUND = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}


@contextlib.contextmanager
def empty_api(answers: Mapping[str, Any]) -> Iterator[str]:
    """Serve `answers`, JSON by path, within the context; everything else is not found.

    Yields the text of a kubeconfig for it. It is read-only and needs no credentials.
    """

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            found = answers.get(urlsplit(self.path).path)
            body = json.dumps(_NOT_FOUND if found is None else found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = _answer  # noqa: N815 - the name that http.server looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in http.server
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "empty", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
                "users": [{"name": "empty", "user": {}}],
                "contexts": [{"name": "empty", "context": {"cluster": "empty", "user": "empty"}}],
                "current-context": "empty",
            }
        )
    finally:
        server.shutdown()
        server.server_close()
