# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's one way out lets containerd pull, and nobody do anything else."""

from __future__ import annotations

import asyncio

import pytest

from lab.pull_proxy import PullProxy, upstream


async def exchange(proxy: PullProxy, request: bytes) -> bytes:
    """What the proxy answers to a request, and to `ping` after that."""
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head:
            writer.close()
            return head
        writer.write(b"ping")
        writer.write_eof()
        answer = head + await reader.read()
        writer.close()
        return answer


async def registry(said: list[bytes], greeting: bytes = b"") -> asyncio.Server:
    """A server that notes what it hears and answers `pong`."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if greeting:
            said.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(greeting)
        said.append(await reader.read())
        writer.write(b"pong")
        writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", 0)


def test_a_connection_is_passed_on_both_ways() -> None:
    async def scenario() -> tuple[bytes, list[bytes]]:
        said: list[bytes] = []
        async with await registry(said) as server:
            port = server.sockets[0].getsockname()[1]
            request = f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
            return await exchange(PullProxy("127.0.0.1", port=port), request), said

    answer, said = asyncio.run(scenario())
    assert answer == b"HTTP/1.1 200 Connection established\r\n\r\npong"
    assert said == [b"ping"]


def test_the_machines_own_proxy_is_asked_where_there_is_one() -> None:
    async def scenario() -> tuple[bytes, list[bytes]]:
        said: list[bytes] = []
        async with await registry(said, b"HTTP/1.1 200 OK\r\n\r\n") as server:
            address = server.sockets[0].getsockname()
            request = b"CONNECT registry.example:443 HTTP/1.1\r\n\r\n"
            return await exchange(PullProxy("127.0.0.1", (address[0], address[1])), request), said

    answer, said = asyncio.run(scenario())
    assert answer == b"HTTP/1.1 200 OK\r\n\r\npong"
    assert said == [b"CONNECT registry.example:443 HTTP/1.1\r\n\r\n", b"ping"]


@pytest.mark.parametrize(
    ("client", "request_line"),
    [
        ("127.0.0.1", b"GET http://example.com/ HTTP/1.1"),
        ("127.0.0.1", b"CONNECT example.com:22 HTTP/1.1"),
        ("127.0.0.1", b"CONNECT example.com HTTP/1.1"),
        ("127.0.0.1", b"nonsense"),
        ("10.0.0.1", b"CONNECT example.com:443 HTTP/1.1"),
    ],
)
def test_nothing_else_is_let_out(client: str, request_line: bytes) -> None:
    answer = asyncio.run(exchange(PullProxy(client), request_line + b"\r\n\r\n"))
    assert answer.startswith(b"HTTP/1.1 403 ")


def test_a_registry_that_does_not_answer_is_said() -> None:
    async def scenario() -> bytes:
        async with await registry([]) as server:
            port = server.sockets[0].getsockname()[1]
        return await exchange(PullProxy("127.0.0.1", port=port), f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n".encode())

    assert asyncio.run(scenario()).startswith(b"HTTP/1.1 502 ")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("", None),
        ("http://proxy.example:8080", ("proxy.example", 8080)),
        ("proxy.example:8080", ("proxy.example", 8080)),
        ("http://user:secret@proxy.example", ("proxy.example", 3128)),
    ],
)
def test_the_machines_proxy_is_read_from_its_url(url: str, address: tuple[str, int] | None) -> None:
    assert upstream(url) == address
