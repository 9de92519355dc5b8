# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Downloads stay on https, send credentials where they belong, and end in time whatever a server does."""

from __future__ import annotations

import base64
import http.server
import io
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.download.client import Client, NotThere
from ansible_collections.meshops.istio.plugins.module_utils.download.credentials import of_netrc, same_origin, shown
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput, Refused, Unreachable
from ansible_collections.meshops.istio.tests.support.download_server import Authority, Proxy, Server, redirect
from ansible_collections.meshops.istio.tests.support.kube.certificates import make_certificate

Serve = Callable[..., Server]
BASIC = "Basic " + base64.b64encode(b"me:sword:fish").decode()


@pytest.fixture
def server(serve: Serve, authority: Authority) -> Server:
    server = serve(authority.context())
    server.replies["/file"] = b"all of it"
    return server


@pytest.fixture
def client(authority: Authority) -> Client:
    return made(authority)


def made(authority: Authority, **options: Any) -> Client:
    return Client(**{"timeout": 20, "ca_cert": str(authority.certificate), **options})


def read(client: Client, url: str) -> bytes:
    return client.read(url, limit=1 << 20)


def test_a_file_is_read_and_saved(client: Client, server: Server) -> None:
    assert read(client, f"{server.url}/file#sha256=ff") == b"all of it"
    file, lines = io.BytesIO(), []
    client.save(f"{server.url}/file", file, limit=9, received=lambda *one: lines.append(one))
    assert (file.getvalue(), lines) == (b"all of it", [(9, 9)])


# --- redirects -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["http", "ftp://127.0.0.1/file"])
def test_https_is_never_left(client: Client, server: Server, serve: Serve, target: str) -> None:
    plain = serve()
    plain.replies["/file"] = b"another"
    server.replies["/moved"] = redirect(f"{plain.url}/file?sig=swordfish" if target == "http" else target)
    with pytest.raises(Refused) as caught:
        read(client, f"{server.url}/moved")
    assert caught.value.code == "insecure_redirect"
    assert "swordfish" not in caught.value.message
    assert plain.asked == []


def test_nor_on_the_second_step_of_a_redirect_from_http(client: Client, server: Server, serve: Serve) -> None:
    plain = serve()
    plain.replies["/start"] = redirect(f"{server.url}/moved")
    server.replies["/moved"] = redirect(f"{plain.url}/file")
    with pytest.raises(Refused, match="redirects to http"):
        read(client, f"{plain.url}/start")


def test_redirects_to_https_are_followed(client: Client, server: Server, serve: Serve) -> None:
    plain = serve()
    plain.replies["/start"] = redirect(f"{server.url}/moved")
    server.replies["/moved"] = redirect("file")
    assert read(client, f"{plain.url}/start") == b"all of it"


def test_a_redirect_in_circles_ends(client: Client, server: Server) -> None:
    server.replies["/moved"] = redirect("/moved")
    with pytest.raises(Unreachable, match="302"):
        read(client, f"{server.url}/moved")


# --- credentials ---------------------------------------------------------------------------------------------------


def test_user_and_password_of_the_url_are_sent(client: Client, server: Server) -> None:
    assert read(client, f"https://me:sword%3Afish@{server.place}/file") == b"all of it"
    assert [one.authorization for one in server.asked] == [BASIC]


def test_a_token_alone_is_sent(client: Client, server: Server) -> None:
    read(client, f"https://token@{server.place}/file")
    assert server.asked[0].authorization == "Basic " + base64.b64encode(b"token:").decode()


def test_netrc_has_them_for_the_host(client: Client, server: Server, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password sword:fish\n")
    (tmp_path / "netrc").chmod(0o600)
    read(client, f"{server.url}/file")
    read(client, f"https://other:one@{server.place}/file")
    assert [one.authorization == BASIC for one in server.asked] == [True, False]


@pytest.mark.parametrize("text", ["machine 127.0.0.1 login", "nonsense", "\xff"])
def test_a_netrc_that_cannot_be_read_has_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "netrc").write_text(text, encoding="latin-1")
    assert of_netrc("https://127.0.0.1/") is None


def test_headers_go_to_the_mirrors_only(authority: Authority, server: Server, serve: Serve) -> None:
    other = serve(authority.context())
    other.replies["/file"] = b"elsewhere"
    server.replies["/istio/moved"] = redirect(f"{other.url}/file")
    server.replies["/istio/file"] = b"a release"
    client = made(authority, headers={"Authorization": "Bearer t"}, mirrors=[f"{server.url}/istio/"])
    read(client, f"{server.url}/istio/file")
    read(client, f"{server.url}/istio/moved")
    read(client, f"{server.url}/file")
    assert [one.authorization for one in server.asked] == ["Bearer t", "Bearer t", None]
    assert [one.authorization for one in other.asked] == [None]


def test_a_redirect_takes_credentials_to_the_same_server_only(
    client: Client, authority: Authority, server: Server, serve: Serve
) -> None:
    other = serve(authority.context())
    other.replies["/file"] = b"elsewhere"
    server.replies["/here"] = redirect("/file")
    server.replies["/there"] = redirect(f"{other.url}/file")
    read(client, f"https://me:sword%3Afish@{server.place}/here")
    read(client, f"https://me:sword%3Afish@{server.place}/there")
    assert [one.authorization for one in server.asked] == [BASIC] * 3
    assert [one.authorization for one in other.asked] == [None]


def test_origins() -> None:
    assert same_origin("https://a/x", "https://a:443/y")
    assert same_origin("http://a/x", "https://a/x")
    assert not same_origin("https://a/x", "https://a:8443/x")
    assert not same_origin("https://a/x", "https://b/x")


def test_what_is_missing_is_said_without_what_is_secret(client: Client, server: Server) -> None:
    server.replies["/closed"] = lambda handler: handler.send_error(401)
    with pytest.raises(Unreachable, match="HTTP status 401, the credentials are missing or wrong") as caught:
        read(client, f"https://me:swordfish@{server.place}/closed")
    assert caught.value.details == {"url": f"{server.url}/closed"}
    with pytest.raises(NotThere) as absent:
        read(client, f"https://me:swordfish@{server.place}/absent?sig=swordfish")
    assert "swordfish" not in absent.value.message
    assert shown("https://u:p@host:8443/a/b?c=d#e") == "https://host:8443/a/b?<hidden>"


# --- certificates and proxies --------------------------------------------------------------------------------------


def test_a_server_that_nobody_vouches_for_is_not_asked(server: Server) -> None:
    with pytest.raises(Unreachable, match="certificate verify failed"):
        read(Client(timeout=20), f"{server.url}/file")
    assert server.asked == []


def test_a_client_certificate_is_shown(authority: Authority, serve: Serve, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "me")
    server = serve(authority.context(client=certificate))
    server.replies["/file"] = b"all of it"
    with pytest.raises(Unreachable):
        read(made(authority), f"{server.url}/file")
    assert (
        read(made(authority, client_cert=str(certificate), client_key=str(key)), f"{server.url}/file") == b"all of it"
    )
    with pytest.raises(InvalidInput, match=r"The client certificate \S+ is invalid"):
        read(made(authority, client_cert=str(tmp_path / "none")), f"{server.url}/file")


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    proxy = Proxy(BASIC)
    yield proxy
    proxy.close()


@pytest.mark.parametrize("how", ["option", "environment"])
def test_a_proxy_gets_its_password(
    authority: Authority, server: Server, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    url = f"http://me:sword%3Afish@{proxy.place}"
    if how == "environment":
        monkeypatch.setenv("https_proxy", url)
    client = made(authority, proxy=url if how == "option" else None)
    assert read(client, f"{server.url}/file") == b"all of it"
    assert proxy.asked == [f"CONNECT {server.place}"]
    assert "Proxy-Authorization" not in server.asked[0].headers


def test_a_proxy_that_refuses_is_named_without_its_password(authority: Authority, server: Server, proxy: Proxy) -> None:
    with pytest.raises(Unreachable, match="407") as caught:
        read(made(authority, proxy=f"http://me:wrong-one@{proxy.place}"), f"{server.url}/file")
    assert "wrong-one" not in caught.value.message


# --- limits --------------------------------------------------------------------------------------------------------


def trickle(part: str, gone: threading.Event) -> Callable[[http.server.BaseHTTPRequestHandler], None]:
    """Answer a byte at a time, for ever."""

    def reply(handler: http.server.BaseHTTPRequestHandler) -> None:
        if part == "body":
            handler.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not gone.wait(0.02):
            try:
                handler.wfile.write(b"H")
            except OSError:
                return

    return reply


@pytest.mark.parametrize("part", ["head", "body"])
def test_the_time_limit_holds_for_a_server_that_trickles(authority: Authority, server: Server, part: str) -> None:
    gone = threading.Event()
    server.replies["/slow"] = trickle(part, gone)
    start = time.monotonic()
    with pytest.raises(Unreachable, match=r"timed out after 0\.3 s"):
        read(made(authority, timeout=0.3), f"{server.url}/slow")
    gone.set()
    assert time.monotonic() - start < 10


def test_what_is_too_large_is_not_read(client: Client, server: Server) -> None:
    server.replies["/large"] = bytes(2048)
    with pytest.raises(Refused, match="too large: the maximum is 1 KiB") as caught:
        client.read(f"{server.url}/large", limit=1024)
    assert caught.value.code == "too_large"


def test_nor_where_the_server_does_not_say_how_large_it_is(client: Client, server: Server) -> None:
    def endless(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
        while True:
            try:
                handler.wfile.write(bytes(65536))
            except OSError:
                return

    server.replies["/endless"] = endless
    with pytest.raises(Refused, match="too large: the maximum is 1 MiB"):
        read(client, f"{server.url}/endless")


def test_an_answer_that_breaks_off_is_asked_for_again(
    client: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)

    def broken(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nall")
        server.replies["/broken"] = b"all of it"

    server.replies["/broken"] = broken
    file = io.BytesIO()
    client.save(f"{server.url}/broken", file, limit=9, received=lambda *_size: None)
    assert file.getvalue() == b"all of it"


@pytest.mark.parametrize("answer", [b"nonsense\r\n\r\n", b"HTTP/1.0 200 OK\r\nContent-Length: many\r\n\r\n"])
def test_what_is_no_http_is_one_sentence(
    client: Client, server: Server, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    server.replies["/broken"] = lambda handler: handler.wfile.write(answer)
    with pytest.raises((Unreachable, InvalidInput)):
        read(client, f"{server.url}/broken")


@pytest.mark.parametrize("url", ["https://[::1/file", "https://host:port/file", "https://a b/", "https:///file"])
def test_what_is_no_url_is_one_sentence(client: Client, url: str) -> None:
    with pytest.raises((Unreachable, InvalidInput)):
        read(client, url)


@pytest.mark.parametrize("url", ["https://me:s3cret@[/istio.tar.gz?sig=s3cret", "http://[::1"])
def test_a_url_that_is_malformed(authority: Authority, url: str) -> None:
    for use in (lambda: made(authority, mirrors=[url]), lambda: read(made(authority), url)):
        with pytest.raises(InvalidInput, match="is invalid") as caught:
            use()
        assert "s3cret" not in caught.value.message
