# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Download a release's archive and verify its SHA-256."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from ...download.client import Client, NotThere, Received
from ...download.credentials import shown
from ...kube.errors import Refused, Unreachable
from ...kube.progress import Progress
from .archive import LARGEST

_CHECKSUM_FILE = 1 << 16


class Download:
    """Downloads archives with one client."""

    def __init__(self, client: Client, progress: Progress) -> None:
        self._client = client
        self._progress = progress

    def fetch(self, url: str, target: Path, checksum: str | None, *, what: str) -> tuple[Path, str]:
        """Download `url` to `target` and return it with its SHA-256, which is `checksum` or the one at `<url>.sha256`.

        Raises NotThere for a file that is not found, Refused for a wrong checksum (the file is removed) and for http
        without `checksum`, Unreachable for other errors.
        """
        if not checksum and url.startswith("http://"):
            raise Refused(
                f"Cannot download {what} from {shown(url)}: over http the archive and its .sha256 file could be tampered"
                " with. Use https, or set checksum to the archive's SHA-256.",
                code="no_checksum",
                url=shown(url),
            )
        try:
            expected = checksum or self._published(url)
            with open(target, "wb") as file:
                self._client.save(url, file, limit=LARGEST, received=self._shown(what))
        except Unreachable as error:
            raise Unreachable(
                f"Cannot download {what} from {shown(url)}: {error.message.rstrip('.')}. Set source to the archive"
                f" {shown(url).rpartition('/')[2]}, to a folder with it or with the unpacked release, or to a reachable"
                " mirror.",
                code=error.code,
                url=shown(url),
            ) from error
        try:
            return target, verify(target, expected, where=shown(url))
        except Refused:
            target.unlink()
            raise

    def _published(self, url: str) -> str:
        where = f"{url}.sha256"
        try:
            text = self._client.read(where, limit=_CHECKSUM_FILE).decode("ascii", "replace")
        except NotThere:
            # Tell a release without a checksum from one that is not found.
            self._client.check(url)
            raise Refused(
                f"Cannot verify {shown(url)}: checksum {shown(where)} not found. Set checksum to its SHA-256.",
                code="no_checksum",
            ) from None
        return checksum_in(text, shown(where))

    def _shown(self, what: str) -> Received:
        tenths = 0

        def received(done: int, size: int) -> None:
            nonlocal tenths
            before, tenths = tenths, done * 10 // max(size, 1)
            if before != tenths:
                self._progress(f"downloading {what}: {done >> 20} of {size >> 20} MB")

        return received


def verify(path: Path, expected: str | None, *, where: str = "") -> str:
    """Return the SHA-256 of a file. Raises Refused if it is not the expected one."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if expected and digest != expected:
        raise Refused(
            f"Cannot use {where or path}: its checksum is {digest} instead of {expected}, so that it is damaged or was"
            " changed. Download it again or, for a build of your own, set checksum to its SHA-256.",
            code="checksum_mismatch",
            expected=expected,
            found=digest,
        )
    return digest


def checksum_in(text: str, where: str) -> str:
    """Return the SHA-256 in the text of a `.sha256` file. Raises Refused if there is none."""
    found = re.search(r"\b[0-9a-fA-F]{64}\b", text)
    if not found:
        raise Refused(
            f"Cannot read the checksum {where}: SHA-256 not found in it. Set checksum to the archive's SHA-256.",
            code="no_checksum",
        )
    return found[0].lower()
