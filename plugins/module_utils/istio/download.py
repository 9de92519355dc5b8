# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fetch a file over HTTP and verify it against its published SHA-256."""

from __future__ import annotations

import hashlib
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..kube.errors import InvalidInput, MeshError, Refused, Unreachable
from ..kube.progress import Progress

_CHUNK = 1 << 18
_STALL = 15.0
"""Seconds without a byte after which a server counts as gone."""
_ATTEMPTS = 3


class NotThere(MeshError):
    """The server answers, and has no such file."""

    code = "not_there"


class Download:
    """Downloads that share a time limit (seconds for all of them), a proxy and a CA bundle."""

    def __init__(self, *, timeout: float, proxy: str | None, ca_cert: str | None, progress: Progress) -> None:
        self._until = time.monotonic() + timeout
        self._progress = progress
        handlers: list[urllib.request.BaseHandler] = [urllib.request.HTTPSHandler(context=_trust(ca_cert))]
        if proxy:
            handlers.append(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
        self._opener = urllib.request.build_opener(*handlers)

    def fetch(self, url: str, target: Path, checksum: str | None, *, what: str) -> tuple[Path, str]:
        """Fetch `url` to `target` and return it with its SHA-256, which is `checksum` or the one at `<url>.sha256`.

        Raises NotThere for a file that does not exist, Refused for a wrong checksum (the file is removed),
        Unreachable for anything else.
        """
        expected = checksum or self._published(url, what)
        self._retrying(url, what, lambda: self._save(url, target, what))
        try:
            return target, self.verify(target, expected, where=url)
        except Refused:
            target.unlink()
            raise

    def verify(self, path: Path, expected: str | None, *, where: str = "") -> str:
        """The SHA-256 of a file; Refused if it is not the expected one."""
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if expected and digest != expected:
            raise Refused(
                f"{where or path} has the checksum {digest} instead of {expected}: it is damaged or not what was"
                " published, so it is not used.",
                code="checksum_mismatch",
                expected=expected,
                found=digest,
            )
        return digest

    def _published(self, url: str, what: str) -> str:
        try:
            text = self._retrying(f"{url}.sha256", what, lambda: self._read(f"{url}.sha256"))
        except NotThere:
            # A missing release has no checksum either: only a release without one deserves another sentence.
            self._retrying(url, what, lambda: self._open(url, "HEAD").close())
            raise Refused(
                f"{url} has no published checksum ({url}.sha256): give its SHA-256 in `checksum`.", code="no_checksum"
            ) from None
        return checksum_in(text, f"{url}.sha256")

    def _retrying(self, url: str, what: str, request: Callable[[], Any]) -> Any:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return request()
            except urllib.error.HTTPError as error:
                if error.code in (404, 410):
                    raise NotThere(f"{url} does not exist.") from error
                reason, again = f"HTTP status {error.code}", error.code >= 500 or error.code == 429
            except urllib.error.URLError as error:
                # Nothing answered at all: trying again costs time and changes nothing.
                reason, again = str(getattr(error.reason, "strerror", None) or error.reason), False
            except (OSError, EOFError) as error:
                reason, again = str(error) or type(error).__name__, True
            if not again or attempt == _ATTEMPTS or time.monotonic() > self._until:
                break
            time.sleep(attempt)
        archive = url.removesuffix(".sha256").rpartition("/")[2]
        raise Unreachable(
            f"{what} cannot be downloaded from {url} ({reason}): name in `source` {archive}, a folder with it or with the"
            " unpacked release, or a mirror that this machine reaches.",
            code="download_failed",
            url=url,
        )

    def _open(self, url: str, method: str = "GET") -> Any:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time is up")
        request = urllib.request.Request(url, method=method)  # noqa: S310 - callers pass http and https only
        return self._opener.open(request, timeout=min(left, _STALL))

    def _read(self, url: str) -> str:
        with self._open(url) as response:
            return str(response.read(_CHUNK).decode("ascii", "replace"))

    def _save(self, url: str, target: Path, what: str) -> None:
        with self._open(url) as response, open(target, "wb") as file:
            size = int(response.headers.get("Content-Length") or 0)
            done = 0
            while chunk := response.read(_CHUNK):
                if time.monotonic() > self._until:
                    raise TimeoutError("the time is up")
                before, done = done, done + file.write(chunk)
                if before * 10 // max(size, 1) != done * 10 // max(size, 1):
                    self._progress(f"downloading {what}: {done >> 20} of {size >> 20} MB")
            if done < size:
                raise EOFError(f"the connection ended after {done} of {size} bytes")


def checksum_in(text: str, where: str) -> str:
    """The SHA-256 in the text of a `.sha256` file; Refused if there is none."""
    found = re.search(r"\b[0-9a-fA-F]{64}\b", text)
    if not found:
        raise Refused(f"{where} holds no SHA-256: give it in `checksum`.", code="no_checksum")
    return found[0].lower()


def _trust(ca_cert: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_cert)
    except OSError as error:
        raise InvalidInput(f"The CA certificates in {ca_cert} cannot be read: {error.strerror or error}.") from error
