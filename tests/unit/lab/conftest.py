# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Folders and a web server of the tests' own: nothing here reaches a network, a cluster or the user's cache."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.paths import Lab


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESHOPS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MESHOPS_LAB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("MESHOPS_LAB_RUNTIME", str(tmp_path / "run" / "labs"))
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "LAB_IMAGES", "LAB_NETWORK"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def lab() -> Lab:
    return Lab("mine")


class Mirror:
    """A loopback server of files in the layout of an official download; it counts what it is asked for."""

    def __init__(self, root: Path) -> None:
        self.root, self.asked = root, list[str]()
        root.mkdir()
        mirror = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                mirror.asked.append(self.path)

        handler = functools.partial(Handler, directory=str(root))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def put(self, path: str, content: bytes) -> str:
        """Serve a file; its checksum."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return hashlib.sha256(content).hexdigest()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    made = Mirror(tmp_path / "mirror")
    yield made
    made.stop()
