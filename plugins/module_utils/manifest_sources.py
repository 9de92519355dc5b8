# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read manifests from files, folders, URLs and texts."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .download.credentials import shown
from .kube.errors import InvalidInput, Refused, Unreachable
from .kube.objects.objects import Object, expand, read_manifests
from .kube.yaml.text_encoding import LIMIT, decode, read_text

if TYPE_CHECKING:
    from .download.client import Client

_SUFFIXES = (".yaml", ".yml", ".json")
_CHECKSUM = re.compile(r"#sha256=([0-9a-fA-F]{64})$")


def is_url(text: str) -> bool:
    """Return whether this is a URL."""
    return text.startswith(("http://", "https://"))


def manifest_files(folder: str) -> list[str]:
    """List the manifests in a folder by name; like kubectl, without subfolders."""
    found = sorted(name for name in os.listdir(folder) if name.endswith(_SUFFIXES) and not name.startswith("."))
    if not found:
        raise InvalidInput(
            f"Manifests (*.yaml, *.yml, *.json) not found in the folder {folder}. Correct the path.", path=folder
        )
    return [os.path.join(folder, name) for name in found]


def read_sources(
    entries: Iterable[Any], *, timeout: float, connection: Mapping[str, Any] | None = None
) -> list[Object]:
    """Read the objects of `entries`: paths of files or folders, URLs, and maps of `source` (a name) and `text`.

    A URL may end in `#sha256=` and the checksum of its content, which is required for http. `timeout`: seconds for all
    URLs; `connection`: further arguments of `Client`. Raises InvalidInput, Unreachable, and Refused for a wrong checksum.
    """
    found: list[Object] = []
    client: Client | None = None
    for entry in entries:
        if isinstance(entry, Mapping):
            found += read_manifests(str(entry.get("text", "")), str(entry.get("source", "src")))
        elif is_url(str(entry)):
            if client is None:
                from .download import client as downloads

                client = downloads.Client(timeout=timeout, **(connection or {}))
            found += read_manifests(_fetched(str(entry), client), shown(str(entry)))
        else:
            path = os.path.expanduser(str(entry))
            for file in manifest_files(path) if os.path.isdir(path) else [path]:
                found += read_manifests(read_text(file, "manifest"), file)
    return found


def read_definitions(entries: Iterable[Any]) -> list[Object]:
    """Read the objects in `entries`: objects, or YAML texts."""
    found: list[Object] = []
    for number, entry in enumerate(entries, start=1):
        name = f"definition {number}"
        found += read_manifests(entry, name) if isinstance(entry, str) else expand([entry], name)
    return found


def _fetched(url: str, client: Client) -> str:
    from .download.client import NotThere

    address, expected = shown(url), _CHECKSUM.search(url)
    if url.startswith("http://") and not expected:
        raise Refused(
            f"Cannot download {address}: over http it could be tampered with. Use https, or append #sha256= and the"
            " checksum of its content to the URL.",
            code="insecure_url",
            url=address,
        )
    try:
        data = client.read(url, limit=LIMIT)
    except NotThere as error:
        raise InvalidInput(f"{address} was not found (HTTP status 404). Correct the URL.", url=address) from error
    except Unreachable as error:
        raise Unreachable(
            f"Cannot download {address}: {error.message.rstrip('.')}. Check the URL and the network, or"
            " set the path of a copy instead of the URL.",
            url=address,
        ) from error
    digest = hashlib.sha256(data).hexdigest()
    if expected and digest != expected[1].lower():
        raise Refused(
            f"Cannot use {address}: its SHA-256 is {digest} instead of {expected[1].lower()}. Check its content, and"
            " correct the checksum in the URL.",
            code="checksum_mismatch",
            url=address,
        )
    return decode(data, address)
