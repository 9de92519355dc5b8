# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A WebSocket client: one connection, on which short texts are sent and come back."""

from __future__ import annotations

import base64
import os
import socket
from collections.abc import Iterable

from ansible_collections.meshops.istio.tests.integration.traffic.traffic import Door

_LAST_TEXT = 0x81
_MASKED = 0x80


def echoed(door: Door, path: str, texts: Iterable[str], *, name: str) -> tuple[str, list[str]]:
    """The status line of the handshake and, where it is one, what came back; each text has at most 125 bytes."""
    with (
        socket.create_connection((door.host, door.port), timeout=15) as connection,
        connection.makefile("rwb") as stream,
    ):
        key = base64.b64encode(os.urandom(16)).decode()
        upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        stream.write(f"GET {path} HTTP/1.1\r\nHost: {name}\r\n{upgrade}Sec-WebSocket-Key: {key}\r\n\r\n".encode())
        stream.flush()
        status = stream.readline().decode().strip()
        if " 101 " not in status:
            return status, []
        while stream.readline().strip():
            pass
        answers = []
        for text in texts:
            data, mask = text.encode(), os.urandom(4)
            masked = bytes(byte ^ mask[number % 4] for number, byte in enumerate(data))
            stream.write(bytes([_LAST_TEXT, _MASKED | len(data)]) + mask + masked)
            stream.flush()
            _kind, length = stream.read(2)
            answers.append(stream.read(length).decode())
        return status, answers
