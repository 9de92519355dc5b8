# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubeconfigs: read as kubectl reads them, and loaded by the kubernetes client."""

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
from .static_credentials import Written

DEFAULT = "~/.kube/config"

CREDENTIALS = frozenset({"api_key", "username", "client_cert"})
"""The options of which any one replaces the user that a kubeconfig names."""

_BESIDE = frozenset({"kubeconfig", "context", "persist_config", "impersonate_user", "impersonate_groups"})
"""The options that change nothing of what a kubeconfig says of its cluster and user."""


_RETURNED = re.compile(r"(exec: process returned -?\d+\.? ?)(.*)")

_REPLACING = threading.RLock()
"""Held by the one thread that may replace what the client does."""

_RENEWABLE = frozenset({"exec", "auth-provider", "tokenFile"})
"""What a user's entry gets a token from that may be another the next time."""


@dataclass
class Loaded:
    """What was found: the client's `configuration` (or one like it, see static_credentials.py), the context's name and its user's entry, if it was a kubeconfig.

    again: loads the same once more, where that may give another token.
    """

    configuration: Any
    context: str | None = None
    user: dict[str, Any] = field(default_factory=dict)
    again: Callable[[], Loaded] | None = None


def load(given: Mapping[str, Any]) -> Loaded:
    """Load the kubeconfig that `given` names or contains, else that of the environment or the pod's service account.

    Raises InvalidInput where there is none, or where it cannot be used.
    """
    source = given.get("kubeconfig")
    if source is None and "host" in given and given.keys() & CREDENTIALS:
        return Loaded(_configuration())
    content = kubeconfig = _content(source)
    where = "The kubeconfig given as content"
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
    with _speaking_of(where, context):
        cluster, user = _entries_of(content, context)
        written = None if given.keys() - _BESIDE else Written.of(cluster, user)
    if written is not None:
        return Loaded(written, context, user)
    source = os.pathsep.join(existing) or kubeconfig

    def loaded() -> Loaded:
        return _by_client(source, Loaded(_configuration(), context, user), given, where)

    found = loaded()
    # Clients before 35.0 do not know it.
    found.configuration.proxy = found.configuration.proxy or cluster.get("proxy-url")
    if user.keys() & _RENEWABLE:
        found.again = loaded
    return found


def _by_client(kubeconfig: Any, found: Loaded, given: Mapping[str, Any], where: str) -> Loaded:
    from kubernetes.config import kube_config

    by_path = isinstance(kubeconfig, str)
    loader: Callable[..., None] = kube_config.load_kube_config if by_path else kube_config.load_kube_config_from_dict
    options = {"context": found.context, "persist_config": bool(given.get("persist_config"))}
    with _client_speaking_of(where, found.context), _complaints() as said, _files_in_memory():
        loader(kubeconfig, client_configuration=found.configuration, **options)
    if found.user.get("exec") and not given.keys() & CREDENTIALS:
        _check_plugin(found, said)
    return found


def _configuration() -> Any:
    from kubernetes import client

    return client.Configuration()


def contexts(path: str | None = None) -> dict[str, str]:
    """The contexts of a kubeconfig (of those of the environment, without a path), each with its server's URL.

    Raises InvalidInput where there is no kubeconfig, or where it cannot be read.
    """
    paths, existing = _paths(path)
    if not existing:
        raise InvalidInput(f"There is no kubeconfig {paths}; name one that is there.")
    content = _merged(existing)
    servers = {entry.get("name"): (entry.get("cluster") or {}).get("server", "") for entry in content["clusters"]}
    return {
        str(entry["name"]): str(servers.get((entry.get("context") or {}).get("cluster"), ""))
        for entry in content["contexts"]
        if entry.get("name")
    }


def refreshing(loaded: Loaded) -> Callable[[Any], None] | None:
    """Renews another configuration's token as the loader of this one does, and touches nothing else of it."""
    if loaded.configuration.refresh_api_key_hook is None:
        return None
    lock = threading.Lock()

    def refresh(configuration: Any) -> None:
        # One at a time: a plugin that asks an identity provider must not be started by every thread at once.
        with lock, _complaints() as said, _files_in_memory():
            loaded.configuration.refresh_api_key_hook(loaded.configuration)
        if said:
            raise Unauthorized(f"The credentials of context '{loaded.context}' cannot be renewed: {said[-1]}.")
        configuration.api_key = loaded.configuration.api_key

    return refresh


def reloading(loaded: Loaded) -> Callable[[Any], None] | None:
    """Gives another configuration the token that loading once more gives, as by the user's plugin."""
    again = loaded.again
    if again is None:
        return None

    def reload(configuration: Any) -> None:
        try:
            fresh = again()
        except MeshError as error:
            raise Unauthorized(
                f"The cluster does not accept the credentials of context '{loaded.context}' any more, and they cannot"
                f" be renewed: {error.message}"
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
            raise InvalidInput(f"This pod's service account cannot be used: {_one_line(error)}.") from error
    elif "host" not in given:
        raise InvalidInput(
            f"{where} does not exist; name one with 'kubeconfig', or a server with 'host'.", code="no_kubeconfig"
        )
    return found


def _context(content: Mapping[str, Any], wanted: str | None, where: str) -> str:
    context: str = wanted or content.get("current-context") or ""
    names = [entry.get("name") for entry in content.get("contexts") or () if isinstance(entry, Mapping)]
    if context not in names:
        has = f"it has {', '.join(map(str, names))}" if names else "it has none"
        missing = f"no context '{context}'" if context else "no current context, and none is given"
        raise InvalidInput(f"{where} has {missing}; {has}.", contexts=names)
    return context


def _content(source: Any) -> dict[str, Any] | None:
    """The kubeconfig itself, where it was given as a dictionary or as its text; None where it is a path."""
    if isinstance(source, Mapping):
        return dict(source)
    if isinstance(source, str) and ("\n" in source or source.lstrip().startswith("{")):
        documents = _documents(source, "The kubeconfig given as content")
        if len(documents) == 1 and isinstance(documents[0], dict):
            return documents[0]
        raise InvalidInput("The kubeconfig given as content is not a kubeconfig.")
    return None


def _paths(named: str | None) -> tuple[str, list[str]]:
    """Where kubeconfigs are looked for, as kubectl does, and those that are there."""
    paths = str(named or os.environ.get("KUBECONFIG") or DEFAULT)
    return paths, [path for path in map(os.path.expanduser, paths.split(os.pathsep)) if path and os.path.exists(path)]


def _merged(paths: Sequence[str]) -> dict[str, Any]:
    """What several kubeconfigs say together, as kubectl understands it: the first to name a thing wins."""
    merged: dict[str, Any] = {"clusters": [], "users": [], "contexts": []}
    for path in paths:
        for document in _documents(read_text(path, "kubeconfig"), f"The kubeconfig {path}"):
            if not isinstance(document, dict):
                raise InvalidInput(f"The kubeconfig {path} is not a kubeconfig.")
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
        # The reader quotes what it stumbles over, which here may be a secret.
        line = error.details.get("line")
        raise InvalidInput(f"{where} is not YAML{f', from line {line} on' if line else ''}.") from error


def _anchored(entry: Mapping[str, Any], folder: str) -> Mapping[str, Any]:
    """A user's entry whose plugin is found from anywhere: a path with a folder in it starts at the kubeconfig's."""
    user: Any = entry.get("user")
    plugin: Any = user.get("exec") if isinstance(user, Mapping) else None
    command = plugin.get("command") if isinstance(plugin, Mapping) else None
    if not isinstance(command, str) or os.sep not in command:
        return entry
    return {**entry, "user": {**user, "exec": {**plugin, "command": os.path.abspath(os.path.join(folder, command))}}}


def _entries_of(content: Mapping[str, Any], context: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A context's cluster and user."""

    def entry(section: str, name: Any, key: str) -> dict[str, Any]:
        found = next((item.get(key) for item in content.get(section) or () if item.get("name") == name), None) or {}
        if not isinstance(found, dict):
            raise TypeError
        return found

    chosen = entry("contexts", context, "context")
    return entry("clusters", chosen.get("cluster"), "cluster"), entry("users", chosen.get("user"), "user")


def _check_plugin(found: Loaded, said: Sequence[str]) -> None:
    # The client only logs why a plugin gave nothing, and would go on without credentials.
    if not found.configuration.api_key and not found.configuration.cert_file:
        command = found.user["exec"].get("command", "")
        why = f": {said[-1]}" if said else ""
        raise InvalidInput(
            f"The plugin '{os.path.basename(str(command))}' gives no credentials for context '{found.context}'{why}."
        )


@contextlib.contextmanager
def _client_speaking_of(where: str, context: str | None) -> Iterator[None]:
    from kubernetes.config import ConfigException

    try:
        with _speaking_of(where, context):
            yield
    except ConfigException as error:
        raise InvalidInput(f"{where} cannot be used with context '{context}': {_one_line(error)}.") from error


@contextlib.contextmanager
def _speaking_of(where: str, context: str | None) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{where} is not valid for context '{context}': {_one_line(error)}.") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(
            f"{where} is not valid for context '{context}': its entries have not the form that kubectl writes."
        ) from error


@contextlib.contextmanager
def _files_in_memory() -> Iterator[None]:
    """Have the client keep certificates and keys of a kubeconfig, or of a plugin, in memory instead of /tmp."""
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
def _complaints() -> Iterator[list[str]]:
    """What the kubernetes client logs as errors meanwhile, each in one line."""
    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(_of_plugin(" ".join(record.getMessage().split())).rstrip("."))

    listener = Listener(logging.ERROR)
    logging.getLogger().addHandler(listener)
    try:
        yield said
    finally:
        logging.getLogger().removeHandler(listener)


def _of_plugin(complaint: str) -> str:
    """A complaint in which what a plugin itself says is in plain words: it may print what it logs in with."""
    returned = _RETURNED.match(complaint)
    return returned[1] + plain_words(returned[2]) if returned else complaint


def _one_line(error: BaseException) -> str:
    # The client names an entry by all that it holds, which may be a secret.
    return re.sub(r"\{.*\}", "{…}", " ".join(str(error).split())).rstrip(".")
