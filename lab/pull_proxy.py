# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's one way out, where image registries answer: a proxy on the machine that lets containerd pull.

The node's network reaches nothing but the machine. This process listens at the machine's end of it, takes CONNECT
requests of the node for HTTPS, and passes them on, through the machine's own proxy if it has one.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from urllib.parse import urlsplit

PORT = 3128
_HTTPS = 443
_CHUNK = 1 << 16


class PullProxy:
    """Serves `client` only; `upstream` is the address of another proxy, or nothing."""

    def __init__(self, client: str, upstream: tuple[str, int] | None = None, port: int = _HTTPS) -> None:
        self._client, self._upstream, self._port = client, upstream, port

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await self._answer(reader, writer)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, _, target = head.split(b"\r\n", 1)[0].decode("latin-1").partition(" ")
        host, _, port = target.partition(" ")[0].rpartition(":")
        peer = writer.get_extra_info("peername")[0]
        if method != "CONNECT" or port != str(self._port) or peer != self._client:
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*(self._upstream or (host.strip("[]"), self._port)))
        except OSError:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            return
        if self._upstream:
            far_writer.write(head)  # it answers the request itself
        else:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        far_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


def upstream(url: str) -> tuple[str, int] | None:
    """Host and port of the machine's own proxy, as HTTPS_PROXY names it."""
    parts = urlsplit(url if "://" in url else f"http://{url}") if url else None
    return (parts.hostname, parts.port or PORT) if parts and parts.hostname else None


async def _run(listen: str, client: str, proxy: str) -> None:
    server = await asyncio.start_server(PullProxy(client, upstream(proxy)).serve, listen, PORT)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", required=True, help="the machine's address in the lab's network")
    parser.add_argument("--client", required=True, help="the node's address")
    parser.add_argument("--upstream", default="", help="the URL of the machine's own proxy")
    options = parser.parse_args()
    asyncio.run(_run(options.listen, options.client, options.upstream))
