# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a module's options is secret, and the options as they may be shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .kube.errors import MeshError
from .kube.shapes import map_of
from .kube.yaml_reader import read_yaml

_SECRET_OF_USER = ("token", "password", "client-key-data")
_SECRET_OF_PROVIDER = ("access-token", "id-token", "refresh-token", "client-secret")
_URLS = ("host", "proxy", "download_proxy", "source", "src")
_PASSWORD = re.compile(r"https?://[^/@:]*:([^/@]+)@")
_HIDDEN = "<hidden>"


def secrets_of(parameters: Mapping[str, Any]) -> set[str]:
    """The tokens, passwords and keys in options that are not secret as a whole: kubeconfigs' content, and URLs."""
    content = _parsed(parameters.get("kubeconfig"))
    users = content.get("users") if isinstance(content, Mapping) else None
    return {*_of_users(users if isinstance(users, list) else []), *_of_urls(parameters)}


def concealed(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Options without the content of kubeconfigs, files and Secrets."""
    return {name: _concealed(name, value) for name, value in parameters.items()}


def is_content(kubeconfig: Any) -> bool:
    """Whether a kubeconfig is given as content, and not as a path."""
    if isinstance(kubeconfig, Mapping):
        return True
    return isinstance(kubeconfig, str) and ("\n" in kubeconfig.strip() or kubeconfig.lstrip().startswith("{"))


def _concealed(name: str, value: Any) -> Any:
    if name == "kubeconfig":
        return "<content>" if is_content(value) else value
    if name == "definition":
        return [_manifest(entry) for entry in value or ()]
    if name in ("overlays", "src"):
        return [_file(entry) for entry in value or ()]
    return value


def _manifest(entry: Any) -> Any:
    if isinstance(entry, str):
        return "<text>"
    if not isinstance(entry, Mapping):
        return entry
    shown = {key: _HIDDEN if key in ("data", "stringData") else value for key, value in entry.items()}
    return shown if entry.get("kind") == "Secret" else dict(entry)


def _file(entry: Any) -> Any:
    read_elsewhere = isinstance(entry, Mapping) and set(entry) == {"source", "text"}
    return {**entry, "text": "<text>"} if read_elsewhere else entry


def _parsed(kubeconfig: Any) -> Any:
    if not isinstance(kubeconfig, str) or not is_content(kubeconfig):
        return kubeconfig
    try:
        documents = read_yaml(kubeconfig, "kubeconfig")
    except (MeshError, AttributeError):  # not YAML, or no library to tell
        return None
    return documents[0] if documents else None


def _of_users(users: list[Any]) -> Iterator[str]:
    for entry in users:
        user = entry.get("user") if isinstance(entry, Mapping) else None
        if not isinstance(user, Mapping):
            continue
        provider = map_of(map_of(user.get("auth-provider")).get("config"))
        for source, names in ((user, _SECRET_OF_USER), (provider, _SECRET_OF_PROVIDER)):
            yield from (str(source[name]) for name in names if source.get(name))


def _of_urls(parameters: Mapping[str, Any]) -> Iterator[str]:
    for option in _URLS:
        value = parameters.get(option)
        for url in value if isinstance(value, list) else [value]:
            found = _PASSWORD.match(url) if isinstance(url, str) else None
            if found:
                yield found[1]
