# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manifests from where users keep them: files, folders, URLs, and texts that were read elsewhere."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .kube.errors import InvalidInput, Refused, Unreachable
from .kube.objects import expand, read_manifests

_SUFFIXES = (".yaml", ".yml", ".json")
_CHECKSUM = re.compile(r"#sha256=([0-9a-fA-F]{64})$")

Object = dict[str, Any]


def is_url(text: str) -> bool:
    """Whether this is a URL that can be fetched."""
    return text.startswith(("http://", "https://"))


def manifest_files(folder: str) -> list[str]:
    """The manifests in a folder, by name; like kubectl, without those in the folders below it."""
    found = sorted(name for name in os.listdir(folder) if name.endswith(_SUFFIXES) and not name.startswith("."))
    if not found:
        raise InvalidInput(f"The folder {folder} holds no manifest (*.yaml, *.yml, *.json).", path=folder)
    return [os.path.join(folder, name) for name in found]


def read_sources(entries: Iterable[Any], *, timeout: float) -> list[Object]:
    """The objects of `entries`: paths of files or folders, URLs, and maps of `source` (a name) and `text`.

    A URL may end in `#sha256=` and the checksum of what it holds; fetching one takes at most `timeout` seconds.
    Raises InvalidInput, Unreachable, and Refused for a wrong checksum.
    """
    found: list[Object] = []
    for entry in entries:
        if isinstance(entry, Mapping):
            found += read_manifests(str(entry.get("text", "")), str(entry.get("source", "src")))
        elif is_url(str(entry)):
            found += read_manifests(_fetched(str(entry), timeout), str(entry).partition("#")[0])
        else:
            path = os.path.expanduser(str(entry))
            for file in manifest_files(path) if os.path.isdir(path) else [path]:
                found += read_manifests(_text(file), file)
    return found


def read_definitions(entries: Iterable[Any]) -> list[Object]:
    """The objects among `entries`: objects as they are, or YAML texts of any number of them."""
    found: list[Object] = []
    for number, entry in enumerate(entries, start=1):
        name = f"definition {number}"
        found += read_manifests(entry, name) if isinstance(entry, str) else expand([entry], name)
    return found


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError as error:
        raise InvalidInput(f"The manifest {path} does not exist.", path=path) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"The manifest {path} cannot be read: {error}.", path=path) from error


def _fetched(url: str, timeout: float) -> str:
    from urllib.error import HTTPError

    from ansible.module_utils.urls import open_url

    address = url.partition("#")[0]
    try:
        with open_url(address, timeout=timeout) as response:
            data: bytes = response.read()
    except HTTPError as error:
        raise InvalidInput(f"{address} cannot be fetched: HTTP status {error.code}.", url=address) from error
    except (OSError, ValueError) as error:  # ansible-core's own errors of TLS are ValueErrors
        reason = getattr(error, "reason", None) or error
        raise Unreachable(f"{address} cannot be fetched: {reason}.", url=address) from error
    expected = _CHECKSUM.search(url)
    digest = hashlib.sha256(data).hexdigest()
    if expected and digest != expected[1].lower():
        raise Refused(
            f"{address} has the SHA-256 {digest} instead of {expected[1].lower()}: it is not what you expect.",
            code="checksum_mismatch",
            url=address,
        )
    return data.decode("utf-8", "replace")
