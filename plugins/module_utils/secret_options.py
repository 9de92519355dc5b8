# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Redact secrets of a module's options in results, warnings and progress."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .kube.errors import MeshError
from .kube.objects.redaction import HIDDEN, MASK, is_secret_name, redacted_text, secret_values
from .kube.objects.shapes import map_of
from .kube.yaml.reader import read_yaml
from .terminal_text import without_controls

_SECRET_OF_USER = ("token", "password", "client-key-data")
_SECRET_OF_PROVIDER = ("access-token", "id-token", "refresh-token", "client-secret")
_OF_CONNECTION = ("api_key", "password", "proxy_basic_auth", "basic_auth")
_CONTENT = "<content>"
_TEXT = "<text>"
_OF_CONTENT = frozenset({"values", "config", "download_headers", "mesh_config", "injector_config", "injector_values"})
"""Options with settings of programs, any of which may be secret."""

_TOO_SHORT = 3
"""The maximum length of secrets that are not redacted, because they occur by chance."""


class Redaction:
    """Redacts the secrets of a run."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def learn(self, secrets: Iterable[str]) -> None:
        """Add secrets."""
        found = {secret for secret in secrets if len(secret) > _TOO_SHORT}
        if not found <= self._secrets:
            self._secrets |= found
            self._pattern = None

    def text(self, text: str) -> str:
        """Return a text without known secrets, and without values in the form of a secret."""
        if self._secrets:
            if self._pattern is None:
                # The longest first, because one may be part of another.
                self._pattern = re.compile("|".join(map(re.escape, sorted(self._secrets, key=len, reverse=True))))
            text = self._pattern.sub(MASK, text)
        return redacted_text(text)

    def tree(self, value: Any) -> Any:
        """Return a result without secrets and control characters, which ansible-core would print unchanged."""
        if isinstance(value, str):
            return without_controls(self.text(value))
        if isinstance(value, Mapping):
            return {name: self.tree(one) for name, one in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.tree(one) for one in value]
        return value


def secrets_of(parameters: Mapping[str, Any]) -> Iterator[str]:
    """Yield the secrets in options: of the connection, manifests, settings and URLs."""
    content = _parsed(parameters.get("kubeconfig"))
    users = content.get("users") if isinstance(content, Mapping) else None
    yield from _of_users(users if isinstance(users, list) else [])
    for name, value in parameters.items():
        if name in _OF_CONNECTION and isinstance(value, str):
            yield value
        elif name == "proxy_headers" and isinstance(value, Mapping):
            yield from (str(value[one]) for one in _OF_CONNECTION if value.get(one))
        elif name != "kubeconfig":
            yield from secret_values(_with_texts_read(value), name)


def redacted_options(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return options without the content of kubeconfigs, manifests and settings, and without secrets."""
    return {name: _redacted_options(name, value) for name, value in parameters.items()}


def is_content(kubeconfig: Any) -> bool:
    """Return whether a kubeconfig is given as content rather than as a path."""
    if isinstance(kubeconfig, Mapping):
        return True
    return isinstance(kubeconfig, str) and ("\n" in kubeconfig.strip() or kubeconfig.lstrip().startswith("{"))


def _redacted_options(name: str, value: Any) -> Any:
    if name == "kubeconfig":
        return _CONTENT if is_content(value) else value
    if name == "definition":
        return [_manifest(entry) for entry in value or ()] if isinstance(value, (list, type(None))) else _CONTENT
    if name in _OF_CONTENT and value:
        return _CONTENT
    if isinstance(value, Mapping):
        if set(value) == {"source", "text"}:  # a file that was read on the controller
            return {**value, "text": _TEXT}
        if name in ("overlays", "src"):
            return _manifest(value)
        return {key: _redacted_options(str(key), one) for key, one in value.items()}
    if isinstance(value, list):
        return [_redacted_options(name, one) for one in value]
    if isinstance(value, str):
        if name in ("overlays", "src") and "\n" in value:
            return _TEXT
        return HIDDEN if value and is_secret_name(name) else redacted_text(value)
    return value


def _manifest(entry: Any) -> Any:
    """Return kind and name of a manifest, without its content."""
    if not isinstance(entry, Mapping):
        return _TEXT
    metadata = entry.get("metadata")
    names = [metadata.get(key) for key in ("namespace", "name")] if isinstance(metadata, Mapping) else []
    return f"<{' '.join(filter(None, [str(entry.get('kind') or 'object'), '/'.join(map(str, filter(None, names)))]))}>"


def _with_texts_read(value: Any) -> Any:
    """Return the value with manifests in texts parsed into objects."""
    if isinstance(value, str):
        return (_yaml(value) or value) if "\n" in value else value
    if isinstance(value, Mapping):
        return {key: _with_texts_read(one) for key, one in value.items()} if set(value) == {"source", "text"} else value
    return [_with_texts_read(one) for one in value] if isinstance(value, list) else value


def _yaml(text: str) -> Any:
    try:
        return read_yaml(text, "a manifest")
    except Exception:  # noqa: BLE001 - errors are reported where it is read for use
        return None


def _parsed(kubeconfig: Any) -> Any:
    if not isinstance(kubeconfig, str) or not is_content(kubeconfig):
        return kubeconfig
    try:
        documents = read_yaml(kubeconfig, "kubeconfig")
    except (MeshError, AttributeError):  # not YAML, or no library to parse it
        return None
    return documents[0] if documents else None


def _of_users(users: list[Any]) -> Iterator[str]:
    for entry in users:
        user = entry.get("user") if isinstance(entry, Mapping) else None
        if not isinstance(user, Mapping):
            continue
        config = map_of(map_of(user.get("auth-provider")).get("config"))
        for source, names in ((user, _SECRET_OF_USER), (config, _SECRET_OF_PROVIDER)):
            yield from (str(source[name]) for name in names if source.get(name))
        yield from secret_values(user.get("exec"))
