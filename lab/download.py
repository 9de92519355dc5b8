# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Official downloads: a file, its published checksum, and one quick answer where there is no way to the internet."""

from __future__ import annotations

import os
import re
import socket
import tarfile
import threading
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from .errors import LabError
from .files import sha256_of
from .progress import say, step

_REFUSAL = 3.0  # seconds after which a host that does not answer is taken as no way to the internet
_TIMEOUT = (_REFUSAL, 60.0)
_CHUNK = 1 << 20

# Overridden one by one with LAB_DOWNLOADS_<NAME>, for a mirror of the same layout.
BASES = {
    "kubernetes": "https://dl.k8s.io/release",
    "istio": "https://github.com/istio/istio/releases/download",
    "etcd": "https://github.com/etcd-io/etcd/releases/download",
    "coredns": "https://github.com/coredns/coredns/releases/download",
    "prometheus": "https://github.com/prometheus/prometheus/releases/download",
    "kwok": "https://github.com/kubernetes-sigs/kwok/releases/download",
    "minikube": "https://github.com/kubernetes/minikube/releases/download",
}


class Unavailable(Exception):
    """The official place cannot serve this file; the registries are next. Without a text, the reason was said before."""


@dataclass(frozen=True)
class Official:
    """Where a file is published: `base` is a key of BASES, `path` and `sums` are relative to it.

    `sums` is a checksum file, of this one file or a list of many; `member` is the file wanted from an archive.
    """

    base: str
    path: str
    sums: str
    member: str = ""

    @property
    def url(self) -> str:
        return f"{base_url(self.base)}/{self.path}"


def base_url(name: str) -> str:
    return (os.environ.get(f"LAB_DOWNLOADS_{name.upper()}") or BASES[name]).rstrip("/")


class Downloads:
    """Fetches official files. The first refusal of the internet holds for the rest of the run, mirrors aside."""

    def __init__(self) -> None:
        self._refused: set[str] = set()
        self._reached: set[str] = set()

    def fetch(self, what: Official, target: Path) -> None:
        """Put the verified file (or the archive's member) at `target`; Unavailable, or LabError on a bad checksum."""
        self._reach(what.base)
        expected = self._published_checksum(what)
        downloaded = target.with_name(f"{target.name}.download")
        try:
            self._stream(what, downloaded)
            found = sha256_of(downloaded)
            if found != expected:
                raise LabError(
                    f"The checksum of {what.url} is {found}, but {expected} is published for it: nothing was kept; "
                    "try again, or name another source."
                )
            if what.member:
                _extract(downloaded, what.member, target)
            else:
                downloaded.replace(target)
            target.chmod(0o755)
        finally:
            downloaded.unlink(missing_ok=True)

    def _reach(self, base: str) -> None:
        """Unavailable where it is known, or quickly found out, that the base does not answer."""
        if _scope(base) in self._refused:
            raise Unavailable
        url = base_url(base)
        if url not in self._reached and not _proxied(url):
            if reason := unreachable(url):
                raise self._refusal(base, reason)
            self._reached.add(url)

    def _refusal(self, base: str, reason: str) -> Unavailable:
        self._refused.add(_scope(base))
        say(f"no way to {urlsplit(base_url(base)).netloc} ({reason}): on to the package registries")
        return Unavailable()

    def _published_checksum(self, what: Official) -> str:
        url = f"{base_url(what.base)}/{what.sums}"
        return find_checksum(self._get(what.base, url).text, what.path.rsplit("/", 1)[-1], url)

    def _get(self, base: str, url: str) -> requests.Response:
        try:
            response = requests.get(url, stream=True, timeout=_TIMEOUT)
        except requests.RequestException as e:
            raise self._refusal(base, "no answer") from e
        if response.status_code != 200:
            raise Unavailable(f"{url} answers {response.status_code}")
        return response

    def _stream(self, what: Official, target: Path) -> None:
        with (
            step(f"downloading {what.url}") as far,
            self._get(what.base, what.url) as response,
            target.open("wb") as out,
        ):
            total, done = int(response.headers.get("Content-Length") or 0), 0
            try:
                for chunk in response.iter_content(_CHUNK):
                    out.write(chunk)
                    done += len(chunk)
                    far(f"{done / 1e6:.0f} of {total / 1e6:.0f} MB")
            except requests.RequestException as e:
                raise Unavailable(f"{what.url} broke off") from e
            if done < total:
                raise Unavailable(f"{what.url} broke off")


def _scope(base: str) -> str:
    """What a refusal speaks for: a mirror for itself, any official place for the whole internet."""
    return base if os.environ.get(f"LAB_DOWNLOADS_{base.upper()}") else "the internet"


def find_checksum(text: str, file_name: str, source: str) -> str:
    """The SHA-256 of `file_name` in a checksum file: alone in it, or in a line that names the file."""
    for line in text.splitlines():
        words = line.split()
        if not words or not re.fullmatch(r"[0-9a-fA-F]{64}", words[0]):
            continue
        if len(words) == 1 or words[-1].lstrip("*").rsplit("/", 1)[-1] == file_name:
            return words[0].lower()
    raise LabError(f"{source} holds no SHA-256 of {file_name}: nothing was downloaded.")


def unreachable(url: str) -> str:
    """Why no connection to the URL's host can be made, or nothing; never takes longer than a quick refusal."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    answer = [f"no answer within {_REFUSAL:.0f} s"]

    def attempt() -> None:
        try:
            socket.create_connection((parts.hostname or "", port), timeout=_REFUSAL).close()
            answer[0] = ""
        except OSError as e:
            answer[0] = (e.strerror or str(e)).lower()

    # In a thread of its own because a resolver's own time-outs can be much longer than ours.
    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(_REFUSAL)
    return answer[0]


def _proxied(url: str) -> bool:
    return bool(requests.utils.get_environ_proxies(url, no_proxy=None))


def _extract(archive: Path, member: str, target: Path) -> None:
    with tarfile.open(archive) as tar:
        try:
            source = tar.extractfile(member)
        except KeyError:
            source = None
        if source is None:
            raise LabError(f"{archive.name} holds no {member}: the release has another layout than expected.")
        with target.open("wb") as out:
            while chunk := source.read(_CHUNK):
                out.write(chunk)
