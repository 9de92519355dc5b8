# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Download from URLs over HTTP and HTTPS, with limits of time and size."""

from __future__ import annotations

import http.client
import queue
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, BinaryIO, TypeVar
from urllib.parse import urlsplit

from ..kube import threads
from ..kube.deadline import seconds_left
from ..kube.errors import InvalidInput, MeshError, Refused, Unreachable
from .credentials import of_netrc, same_origin, shown, split_credentials

_CHUNK = 1 << 18
_STALL = 15.0
"""Seconds without a byte after which a connection times out."""
_ATTEMPTS = 3

Result = TypeVar("Result")
Received = Callable[[int, int], None]
"""Called with the received and total bytes (0 if unknown)."""


class NotThere(MeshError):
    """The server has no such file."""

    code = "not_there"


class Client:
    """Downloads that share a time limit (`timeout` in seconds, for all of them) and ways to connect.

    Credentials are those in a URL, else the user's netrc has them. `headers`, tokens for example, are sent to URLs
    below those of `mirrors` only. A proxy's credentials are in its URL; without `proxy` the environment names it.
    """

    def __init__(
        self,
        *,
        timeout: float,
        proxy: str | None = None,
        ca_cert: str | None = None,
        client_cert: str | None = None,
        client_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        mirrors: Sequence[str] = (),
    ) -> None:
        self.until = time.monotonic() + timeout
        self._timeout = timeout
        self._proxy = proxy
        self._certificates = (ca_cert, client_cert, client_key)
        self._headers = dict(headers or {})
        self._mirrors = [split_credentials(mirror)[0].rstrip("/") + "/" for mirror in mirrors]

    def read(self, url: str, *, limit: int) -> bytes:
        """Return the content of a URL, at most `limit` bytes."""
        return self._retrying(url, lambda: self._received(url, limit))

    def save(self, url: str, file: BinaryIO, *, limit: int, received: Received) -> None:
        """Write the content of a URL, at most `limit` bytes, to a file."""
        self._retrying(url, lambda: self._received(url, limit, file, received))

    def check(self, url: str) -> None:
        """Raise NotThere if the server has no such file."""
        self._retrying(url, lambda: self._open(url, "HEAD").close())

    def _retrying(self, url: str, request: Callable[[], Result]) -> Result:
        """Return the result of a request. Raises NotThere, Refused, InvalidInput, and Unreachable with only the `reason`."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._in_time(url, request)
            except urllib.error.HTTPError as error:
                if error.code in (404, 410):
                    raise NotThere(
                        f"{shown(url)} was not found (HTTP status {error.code}). Correct the URL."
                    ) from error
                reason, again = f"HTTP status {error.code}", error.code >= 500 or error.code == 429
                if error.code in (401, 407):
                    reason += ", the credentials are missing or wrong"
            except urllib.error.URLError as error:
                # Without any answer, another attempt is useless.
                reason, again = _reason(error.reason), False
            except (OSError, EOFError, http.client.HTTPException) as error:
                reason, again = _reason(error), not isinstance(error, http.client.InvalidURL)
            except ValueError as error:
                raise InvalidInput(f"Cannot download {shown(url)}: {error}. Correct the URL or the proxy.") from error
            left = self.until - time.monotonic()
            if not again or attempt == _ATTEMPTS or left <= attempt:
                break
            time.sleep(attempt)
        raise Unreachable(reason, code="download_failed", url=shown(url))

    def _in_time(self, url: str, request: Callable[[], Result]) -> Result:
        """Return the result of a request. Raises Unreachable after the timeout, also for a slow server."""
        answers: queue.SimpleQueue[tuple[Result | None, BaseException | None]] = queue.SimpleQueue()

        def run() -> None:
            try:
                answers.put((request(), None))
            except BaseException as error:  # noqa: BLE001 - raised by the waiting thread
                answers.put((None, error))

        threads.start(run, name="download")
        try:
            result, failure = answers.get(timeout=seconds_left(self.until))
        except queue.Empty:
            reason = f"timed out after {self._timeout:g} s"
            raise Unreachable(reason, code="download_failed", url=shown(url)) from None
        if failure is not None:
            raise failure
        return result  # type: ignore[return-value]

    def _received(self, url: str, limit: int, file: BinaryIO | None = None, received: Received | None = None) -> bytes:
        if file is not None:
            file.seek(0)
            file.truncate()
        content = bytearray()
        with self._open(url) as response:
            size, done = int(response.headers.get("Content-Length") or 0), 0
            while size <= limit and (chunk := response.read(_CHUNK)):
                done += len(chunk)
                if done > limit:
                    break
                if file is None:
                    content += chunk
                else:
                    file.write(chunk)
                if received is not None:
                    received(done, size)
            if max(size, done) > limit:
                raise Refused(
                    f"{shown(url)} is too large: the maximum is {_readable(limit)}. Check the URL.",
                    code="too_large",
                    limit=limit,
                )
            if done < size:
                raise EOFError(f"the connection ended after {done} of {size} bytes")
        return bytes(content)

    def _open(self, url: str, method: str = "GET") -> Any:
        left = self.until - time.monotonic()
        return self._opener.open(self._request(url, method), timeout=max(0.01, min(left, _STALL)))

    def _request(self, url: str, method: str = "GET") -> urllib.request.Request:
        address, credentials = split_credentials(url)
        request = urllib.request.Request(address, method=method, headers={"User-Agent": "meshops.istio"})  # noqa: S310
        if any(address.startswith(mirror) for mirror in self._mirrors):
            for name, value in self._headers.items():
                request.add_unredirected_header(name, value)
        credentials = credentials or (None if request.has_header("Authorization") else of_netrc(address))
        if credentials:
            request.add_unredirected_header("Authorization", credentials.header)
        return request

    def redirected(self, request: urllib.request.Request, target: str) -> urllib.request.Request:
        """Return the request that follows a redirect. Raises Refused for one from https to another scheme."""
        origin = request.full_url
        if urlsplit(target).scheme != "https" and (request.type == "https" or urlsplit(target).scheme != "http"):
            raise Refused(
                f"{shown(origin)} redirects to {shown(target)}, which is not https, so it is not followed: give the"
                " https URL of a server that has the file.",
                code="insecure_redirect",
                url=shown(origin),
            )
        followed = self._request(target, request.get_method())
        if same_origin(origin, followed.full_url):
            for name, value in request.unredirected_hdrs.items():
                if name not in followed.unredirected_hdrs and name not in ("Host", "Proxy-authorization"):
                    followed.add_unredirected_header(name, value)
        return followed

    @cached_property
    def _opener(self) -> urllib.request.OpenerDirector:
        opener = urllib.request.OpenerDirector()
        proxies = {"http": self._proxy, "https": self._proxy} if self._proxy else None
        for handler in (
            urllib.request.ProxyHandler(proxies),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(context=_context(*self._certificates)),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.UnknownHandler(),
            _Redirects(self),
        ):
            opener.add_handler(handler)
        return opener


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects as the client does."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def redirect_request(self, req: urllib.request.Request, *answer: Any) -> urllib.request.Request:
        """Return the next request; the last argument is the joined URL."""
        return self._client.redirected(req, answer[-1])


def _context(ca_cert: str | None, client_cert: str | None, client_key: str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_cert)
    except OSError as error:
        raise InvalidInput(
            f"The CA certificates in {ca_cert} cannot be read: {error.strerror or error}. Correct the file or the path."
        ) from error
    if client_cert:
        try:
            # An empty password prevents a prompt for that of an encrypted key.
            context.load_cert_chain(client_cert, client_key, password="")
        except OSError as error:
            where = f"{client_cert}{f' with the key {client_key}' if client_key else ''}"
            raise InvalidInput(
                f"The client certificate {where} is invalid: {error.strerror or error}. Correct the files or the paths."
            ) from error
    return context


def _reason(error: Any) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message}"
    return str(getattr(error, "strerror", None) or error) or type(error).__name__


def _readable(size: int) -> str:
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"
