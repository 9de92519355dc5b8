# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A port of a pod, reached through the API server: as whom it is asked for, and what is said where it is not opened."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import Unreachable
from ansible_collections.meshops.istio.tests.support.kube.connecting import SECRET, connect
from ansible_collections.meshops.istio.tests.support.messages import has_facts


class Refusing:
    """Answers who wants a websocket with something else; `asked` is what it was sent."""

    def __init__(self, status: str, body: str) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._answer = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nDate: today\r\n\r\n{body}"
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.asked = ""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        client, _from = self._listener.accept()
        with client:
            while "\r\n\r\n" not in self.asked:
                self.asked += client.recv(4096).decode()
            client.sendall(self._answer.encode())

    def close(self) -> None:
        self._listener.close()


FORBIDDEN = json.dumps({"kind": "Status", "message": 'pods "web" is forbidden: User "ada" cannot', "code": 403})


@pytest.fixture
def server() -> Iterator[Refusing]:
    refusing = Refusing("403 Forbidden", FORBIDDEN)
    yield refusing
    refusing.close()


def refusal(url: str, **options: object) -> str:
    with pytest.raises(Unreachable) as caught:
        connect(host=url, api_key=SECRET, **options).socket_to("shop", "web", 15000)
    return caught.value.message


def test_who_is_acted_as_is_said(server: Refusing) -> None:
    refusal(server.url, impersonate_user="ada", impersonate_groups=["dev", "ops"])
    head, *lines = server.asked.split("\r\n")
    assert head == "GET /api/v1/namespaces/shop/pods/web/portforward?ports=15000 HTTP/1.1"
    assert {"Impersonate-User: ada", "Impersonate-Group: dev", "Impersonate-Group: ops"} <= set(lines)
    assert f"Authorization: Bearer {SECRET}" in lines


def test_a_refusal_is_one_sentence(server: Refusing) -> None:
    assert has_facts(refusal(server.url), 'port 15000 & Pod shop/web & pods "web" is forbidden: User "ada" cannot')


def test_what_is_no_answer_of_an_api_server() -> None:
    other = Refusing("502 Bad Gateway", "<html>\n<h1>Sorry</h1>\n</html>")
    assert has_facts(refusal(other.url), "port 15000 & Pod shop/web & 502")
    other.close()
    assert has_facts(refusal(other.url), "port 15000 & Pod shop/web & Connection refused")
