# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and merge kubeconfigs as kubectl does, and load them by the kubernetes client."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import InvalidInput, MeshError, Unauthorized
from ..objects.redaction import plain_words
from ..yaml.reader import read_yaml
from ..yaml.text_encoding import read_text
from .kubeconfig_shape import refuse_misshapen_kubeconfig
from .memory_file import memory_file
from .static_credentials import StaticCredentials

DEFAULT = "~/.kube/config"

CREDENTIALS = frozenset({"api_key", "username", "client_cert"})
"""Options that replace the user of a kubeconfig."""

_UNRELATED = frozenset({"kubeconfig", "context", "persist_config", "impersonate_user", "impersonate_groups"})
"""Options that do not change the cluster and user of a kubeconfig."""


_RETURNED = re.compile(r"(exec: process returned -?\d+\.? ?)(.*)")

_REPLACING = threading.RLock()
"""Held by the thread that patches the client."""

_RENEWABLE = frozenset({"exec", "auth-provider", "tokenFile"})
"""Entries of a user whose token may change."""


@dataclass
class Loaded:
    """The loaded `configuration` (of the client or of static_credentials), and context and user of the kubeconfig.

    again: loads it again, if that may return another token.
    """

    configuration: Any
    context: str | None = None
    user: dict[str, Any] = field(default_factory=dict)
    again: Callable[[], Loaded] | None = None


def load(given: Mapping[str, Any]) -> Loaded:
    """Load the kubeconfig in `given` (a path or content), else that of the environment or the pod's service account.

    Raises InvalidInput if none is found, or if it is invalid.
    """
    source = given.get("kubeconfig")
    if source is None and "host" in given and given.keys() & CREDENTIALS:
        return Loaded(_configuration())
    content = kubeconfig = _content(source)
    where = "The content of kubeconfig"
    if content is not None:
        refuse_misshapen_kubeconfig(content, where)
    existing: list[str] = []
    if content is None:
        paths, existing = _paths(source)
        where = f"The kubeconfig {paths}"
        if not existing:
            return _without_kubeconfig(given, where)
        content = _merged(existing)
    context = _context(content, given.get("context"), where)
    with _errors_of(where, context):
        cluster, user = _entries_of(content, context)
        static = None if given.keys() - _UNRELATED else StaticCredentials.of(cluster, user)
    if static is not None:
        return Loaded(static, context, user)
    source = os.pathsep.join(existing) or kubeconfig

    def loaded() -> Loaded:
        return _by_client(source, Loaded(_configuration(), context, user), given, where)

    found = loaded()
    # Clients before 35.0 ignore proxy-url.
    found.configuration.proxy = found.configuration.proxy or cluster.get("proxy-url")
    if user.keys() & _RENEWABLE:
        found.again = loaded
    return found


def _by_client(kubeconfig: Any, found: Loaded, given: Mapping[str, Any], where: str) -> Loaded:
    from kubernetes.config import kube_config

    by_path = isinstance(kubeconfig, str)
    loader: Callable[..., None] = kube_config.load_kube_config if by_path else kube_config.load_kube_config_from_dict
    options = {"context": found.context, "persist_config": bool(given.get("persist_config"))}
    with _client_errors_of(where, found.context), _logged_errors() as errors, _files_in_memory():
        loader(kubeconfig, client_configuration=found.configuration, **options)
    if found.user.get("exec") and not given.keys() & CREDENTIALS:
        _check_plugin(found, errors)
    return found


def _configuration() -> Any:
    from kubernetes import client

    return client.Configuration()


def contexts(path: str | None = None) -> dict[str, str]:
    """Return the contexts of a kubeconfig (default: those of the environment), each with its server's URL.

    Raises InvalidInput if no kubeconfig is found, or if it cannot be read.
    """
    paths, existing = _paths(path)
    if not existing:
        raise InvalidInput(f"The kubeconfig {paths} was not found. Correct the path, or set KUBECONFIG.")
    content = _merged(existing)
    servers = {entry.get("name"): (entry.get("cluster") or {}).get("server", "") for entry in content["clusters"]}
    return {
        str(entry["name"]): str(servers.get((entry.get("context") or {}).get("cluster"), ""))
        for entry in content["contexts"]
        if entry.get("name")
    }


def refreshing(loaded: Loaded) -> Callable[[Any], None] | None:
    """Return a function that renews the token of another configuration, and changes nothing else of it."""
    if loaded.configuration.refresh_api_key_hook is None:
        return None
    lock = threading.Lock()

    def refresh(configuration: Any) -> None:
        # One at a time, so that not every thread starts the plugin.
        with lock, _logged_errors() as errors, _files_in_memory():
            loaded.configuration.refresh_api_key_hook(loaded.configuration)
        if errors:
            raise Unauthorized(
                f"Cannot renew the credentials of context '{loaded.context}': {errors[-1]}. Log in again, and run this"
                " again."
            )
        configuration.api_key = loaded.configuration.api_key

    return refresh


def reloading(loaded: Loaded) -> Callable[[Any], None] | None:
    """Return a function that loads the kubeconfig again, and sets the new token in another configuration."""
    again = loaded.again
    if again is None:
        return None

    def reload(configuration: Any) -> None:
        try:
            fresh = again()
        except MeshError as error:
            raise Unauthorized(
                f"Cannot renew the credentials of context '{loaded.context}', which are unauthorized: {error.message}"
            ) from error
        loaded.configuration = fresh.configuration
        configuration.api_key = fresh.configuration.api_key

    return reload


def _without_kubeconfig(given: Mapping[str, Any], where: str) -> Loaded:
    from kubernetes.config import ConfigException, incluster_config

    found = Loaded(_configuration())
    if given.get("kubeconfig") is None and os.environ.get("KUBERNETES_SERVICE_HOST"):
        in_cluster: Callable[..., None] = incluster_config.load_incluster_config
        try:
            in_cluster(client_configuration=found.configuration)
        except ConfigException as error:
            raise InvalidInput(
                f"Cannot use the service account of this pod: {_one_line(error)}. Mount its token, or set kubeconfig."
            ) from error
    elif "host" not in given:
        raise InvalidInput(
            f"{where} was not found. Set kubeconfig to an existing one, or set host to an API server.",
            code="no_kubeconfig",
        )
    return found


def _context(content: Mapping[str, Any], wanted: str | None, where: str) -> str:
    context: str = wanted or content.get("current-context") or ""
    names = [entry.get("name") for entry in content.get("contexts") or () if isinstance(entry, Mapping)]
    if context not in names:
        has = ", ".join(map(str, names)) or "none"
        missing = f"Context '{context}' not found" if context else "Current context not found"
        raise InvalidInput(
            f"{missing} in {where[0].lower()}{where[1:]}, which has {has}. Set context to one of these.", contexts=names
        )
    return context


def _content(source: Any) -> dict[str, Any] | None:
    """Return the kubeconfig if it was given as a dictionary or text; None for a path."""
    if isinstance(source, Mapping):
        return dict(source)
    if isinstance(source, str) and ("\n" in source or source.lstrip().startswith("{")):
        documents = _documents(source, "The content of kubeconfig")
        if len(documents) == 1 and isinstance(documents[0], dict):
            return documents[0]
        raise InvalidInput("The content of kubeconfig is invalid: it must be one map. Correct it, or give a path.")
    return None


def _paths(named: str | None) -> tuple[str, list[str]]:
    """Return the paths of kubeconfigs, as kubectl finds them, and those that exist."""
    paths = str(named or os.environ.get("KUBECONFIG") or DEFAULT)
    return paths, [path for path in map(os.path.expanduser, paths.split(os.pathsep)) if path and os.path.exists(path)]


def _merged(paths: Sequence[str]) -> dict[str, Any]:
    """Merge kubeconfigs as kubectl does: the first entry of a name wins."""
    merged: dict[str, Any] = {"clusters": [], "users": [], "contexts": []}
    for path in paths:
        for document in _documents(read_text(path, "kubeconfig"), f"The kubeconfig {path}"):
            if not isinstance(document, dict):
                raise InvalidInput(f"The kubeconfig {path} is invalid: it must be a map. Correct the file or the path.")
            refuse_misshapen_kubeconfig(document, f"The kubeconfig {path}")
            for section in ("clusters", "users", "contexts"):
                entries = [entry for entry in document.get(section) or () if isinstance(entry, Mapping)]
                merged[section] += [_anchored(entry, os.path.dirname(path)) for entry in entries]
            if "current-context" in document:
                merged.setdefault("current-context", document["current-context"])
    return merged


def _documents(text: str, where: str) -> list[Any]:
    try:
        return read_yaml(text, where)
    except MeshError as error:
        # The reader's message quotes the text, which may be a secret.
        line = error.details.get("line")
        raise InvalidInput(f"{where} is not valid YAML{f' at line {line}' if line else ''}. Correct it.") from error


def _anchored(entry: Mapping[str, Any], folder: str) -> Mapping[str, Any]:
    """Make the path of a user's plugin absolute: a relative path is relative to the kubeconfig's folder."""
    user: Any = entry.get("user")
    plugin: Any = user.get("exec") if isinstance(user, Mapping) else None
    command = plugin.get("command") if isinstance(plugin, Mapping) else None
    if not isinstance(command, str) or os.sep not in command:
        return entry
    return {**entry, "user": {**user, "exec": {**plugin, "command": os.path.abspath(os.path.join(folder, command))}}}


def _entries_of(content: Mapping[str, Any], context: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the entries of a context's cluster and user."""

    def entry(section: str, name: Any, key: str) -> dict[str, Any]:
        found = next((item.get(key) for item in content.get(section) or () if item.get("name") == name), None) or {}
        if not isinstance(found, dict):
            raise TypeError
        return found

    chosen = entry("contexts", context, "context")
    return entry("clusters", chosen.get("cluster"), "cluster"), entry("users", chosen.get("user"), "user")


def _check_plugin(found: Loaded, errors: Sequence[str]) -> None:
    # The client only logs a plugin's error, and continues without credentials.
    if not found.configuration.api_key and not found.configuration.cert_file:
        command = found.user["exec"].get("command", "")
        why = errors[-1] if errors else "it returned none"
        raise InvalidInput(
            f"Cannot get credentials for context '{found.context}' from the plugin '{os.path.basename(str(command))}':"
            f" {why}. Log in, or check the exec entry of the kubeconfig."
        )


@contextlib.contextmanager
def _client_errors_of(where: str, context: str | None) -> Iterator[None]:
    from kubernetes.config import ConfigException

    try:
        with _errors_of(where, context):
            yield
    except ConfigException as error:
        raise InvalidInput(f"{where} is invalid for context '{context}': {_one_line(error)}. Correct it.") from error


@contextlib.contextmanager
def _errors_of(where: str, context: str | None) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{where} is invalid for context '{context}': {_one_line(error)}. Correct it.") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(
            f"{where} is invalid for context '{context}': its entries do not have the form of a kubeconfig. Correct it."
        ) from error


@contextlib.contextmanager
def _files_in_memory() -> Iterator[None]:
    """Make the client store certificates and keys of a kubeconfig or plugin in memory instead of /tmp."""
    from kubernetes.config import kube_config

    name = "_create_temp_file_with_content"
    with _REPLACING:
        original = getattr(kube_config, name, None)
        setattr(kube_config, name, lambda content, *_where, **_how: memory_file(_bytes(content)))
        try:
            yield
        finally:
            if original is not None:
                setattr(kube_config, name, original)


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


@contextlib.contextmanager
def _logged_errors() -> Iterator[list[str]]:
    """Collect the errors that the kubernetes client logs within the context, each in one line."""
    errors: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            errors.append(_of_plugin(" ".join(record.getMessage().split())).rstrip("."))

    listener = Listener(logging.ERROR)
    logging.getLogger().addHandler(listener)
    try:
        yield errors
    finally:
        logging.getLogger().removeHandler(listener)


def _of_plugin(complaint: str) -> str:
    """Redact the output of a plugin in an error, which may have credentials."""
    returned = _RETURNED.match(complaint)
    return returned[1] + plain_words(returned[2]) if returned else complaint


def _one_line(error: BaseException) -> str:
    # The client quotes whole entries, which may have secrets.
    return re.sub(r"\{.*\}", "{…}", " ".join(str(error).split())).rstrip(".")
