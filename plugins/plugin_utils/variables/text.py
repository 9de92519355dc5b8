# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse lists and maps from text, as an AWX survey or the command line gives them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from ansible.module_utils.common.validation import check_type_dict
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import MeshError
from ansible_collections.meshops.istio.plugins.module_utils.kube.yaml.reader import read_yaml

ITEMS = "one item per line or separated by commas, or a list in YAML or JSON"
MAPS = "a list of maps in YAML or JSON"
DOCUMENTS = "names, one per line or separated by commas, or objects in YAML or JSON"
PAIRS = "key=value pairs, one per line or separated by commas, or a map in YAML or JSON"

# A comma separates items, except in the braces of istioctl's lists, a={x,y}, and after a backslash.
_COMMA = re.compile(r"(?<!\\),(?![^{]*\})")
_STRUCTURE = re.compile(r"\s*(\[|\{|- |-$|---)|^[\w./-]+:(\s|$)", re.MULTILINE)
_SETTING = re.compile(r"([\w./-]+)\s*=\s*([^'\"]*)")
_PAIR = re.compile(r"([\w./-]+)\s*:\s+((?!.*:\s)[^\s'\"{\[][^'\"{\[]*)")


class NotReadable(ValueError):
    """Invalid YAML or JSON; the message has the line."""


def split(text: str) -> list[str]:
    """Split a text into items, which are separated by lines or commas."""
    return [item.strip() for line in text.splitlines() for item in _COMMA.split(line) if item.strip()]


def as_list(value: Any, elements: str = "raw") -> list[Any]:
    """Convert a value to a list. Raises TypeError or ValueError for others.

    elements: the type of the items. Text with objects and maps must be YAML or JSON; for other types, lines and commas
    also separate items.
    """
    structured = elements in ("dict", "raw")
    if isinstance(value, str):
        if elements == "dict" and not _STRUCTURE.match(value.strip()):
            return [line.strip() for line in value.splitlines() if line.strip()]
        if structured:
            return _documents(value) if _STRUCTURE.match(value.strip()) else split(value)
        return _scalars(value) if value.strip().startswith(("[", "- ")) else split(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return [value]
    if isinstance(value, Mapping) or not isinstance(value, Sequence):
        raise TypeError
    if not structured:
        return list(value)
    return [found for item in value for found in _item(item)]


def as_map(value: Any) -> dict[Any, Any]:
    """Convert a value to a map. Raises TypeError or ValueError for others."""
    if not isinstance(value, str):
        if not isinstance(value, Mapping):
            raise TypeError
        return dict(value)
    lines = [line.strip().rstrip(",") for line in value.splitlines() if line.strip()]
    pairs = [_PAIR.fullmatch(item) for item in split(value)]
    if all(pairs):
        return {pair[1]: (_read(pair[2]) or [None])[0] for pair in pairs if pair}
    settings = [_SETTING.fullmatch(item) for item in split(value)]
    if all(settings):
        return {one[1]: one[2] for one in settings if one}
    if not settings[0]:
        documents = _read(value)
        if len(documents) == 1 and isinstance(documents[0], Mapping):
            return dict(documents[0])
    return dict(check_type_dict(", ".join(lines)))


def _item(value: Any) -> list[Any]:
    """Return the objects of an item: those in its text, or itself."""
    return _documents(value) if isinstance(value, str) and _STRUCTURE.match(value.strip()) else [value]


def _documents(text: str) -> list[Any]:
    found: list[Any] = []
    for document in _read(text):
        found += document if isinstance(document, list) else [document]
    return found


def _scalars(text: str) -> list[Any]:
    """Return the items of a YAML list as text: 1.10 is not a number."""
    documents = _read(text)
    if len(documents) != 1 or not isinstance(documents[0], list):
        raise TypeError
    spelled: list[Any] = yaml.load(_plain(text), Loader=yaml.BaseLoader)  # noqa: S506 - it creates only text
    return [one for one in spelled if one not in ("", None)]


def _read(text: str) -> list[Any]:
    try:
        return read_yaml(_plain(text), "the text")
    except MeshError as error:
        raise NotReadable(error.message.removesuffix(".")) from error


def _plain(text: str) -> str:
    """Return a text without the tags of Ansible, which the YAML reader in C does not accept."""
    return str.__str__(text)
