# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From connection options to an authenticated, pooled HTTP connection; the kubernetes client does the work.

The options carry the names of kubernetes.core. What is not given is looked up where the kubernetes client looks:
the environment's kubeconfig, the default one, and, inside a pod, its service account.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import InvalidInput, MeshError
from .objects import read_yaml

POOL_SIZE = 16
"""Requests in flight at once; the API server's priority and fairness shares its seats among all clients."""

KUBECONFIG_FILES = "~/.kube/config"


@dataclass
class Connection:
    """How to reach one API server: the client's configuration, its pool, and what istioctl needs beside them."""

    configuration: Any
    pool: Any
    context: str | None
    user_entry: dict[str, Any] = field(default_factory=dict)
    impersonate_user: str | None = None
    impersonate_groups: list[str] = field(default_factory=list)

    def authorise(self, headers: Any) -> None:
        """Add credentials to `headers` (a multi-dictionary); refreshes tokens that are about to expire."""
        for setting in self.configuration.auth_settings().values():
            if setting.get("in") == "header" and setting.get("value"):
                headers[setting["key"]] = setting["value"]
        if self.configuration.username and "authorization" not in headers:
            headers["authorization"] = self.configuration.get_basic_auth_token()
        if self.impersonate_user:
            headers["Impersonate-User"] = self.impersonate_user
        for group in self.impersonate_groups:
            headers.add("Impersonate-Group", group)

    @contextlib.contextmanager
    def temporary_kubeconfig(self) -> Iterator[str]:
        """The path of a kubeconfig (mode 0600) that says the same as this connection; removed at exit."""
        handle, path = tempfile.mkstemp(prefix="meshops-", suffix=".kubeconfig")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(self._kubeconfig(), file)
            yield path
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def _kubeconfig(self) -> dict[str, Any]:
        cluster: dict[str, Any] = {"server": self.configuration.host}
        if not self.configuration.verify_ssl:
            cluster["insecure-skip-tls-verify"] = True
        elif self.configuration.ssl_ca_cert:
            cluster["certificate-authority-data"] = _file_as_base64(self.configuration.ssl_ca_cert)
        if self.configuration.proxy:
            cluster["proxy-url"] = self.configuration.proxy
        if getattr(self.configuration, "tls_server_name", None):
            cluster["tls-server-name"] = self.configuration.tls_server_name
        name = self.context or "meshops"
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": name, "user": self._kubeconfig_user()}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }

    def _kubeconfig_user(self) -> dict[str, Any]:
        # An exec plugin stays one, so that a long run of istioctl can renew its token.
        user: dict[str, Any] = {
            key: self.user_entry[key] for key in ("exec", "auth-provider") if key in self.user_entry
        }
        if not user:
            for setting in self.configuration.auth_settings().values():
                scheme, _space, token = (setting.get("value") or "").partition(" ")
                if scheme == "Bearer" and token:
                    user["token"] = token
            if self.configuration.username:
                user.update(username=self.configuration.username, password=self.configuration.password)
        if self.configuration.cert_file:
            user["client-certificate-data"] = _file_as_base64(self.configuration.cert_file)
        if self.configuration.key_file:
            user["client-key-data"] = _file_as_base64(self.configuration.key_file)
        if self.impersonate_user:
            user["as"] = self.impersonate_user
        if self.impersonate_groups:
            user["as-groups"] = list(self.impersonate_groups)
        return user


def open_connection(options: Mapping[str, Any]) -> Connection:
    """A connection for the given options (kubernetes.core's names; None or absent is unset). Makes no request.

    Raises InvalidInput for a kubeconfig that is absent, unreadable or lacks the context, and for files that are absent.
    """
    from kubernetes import client
    from kubernetes.client import rest

    given = {name: value for name, value in options.items() if value not in (None, "", {}, [])}
    configuration = client.Configuration()
    context, user_entry = _load(given, configuration)
    for option, attribute in (
        ("host", "host"),
        ("username", "username"),
        ("password", "password"),
        ("ca_cert", "ssl_ca_cert"),
        ("client_cert", "cert_file"),
        ("client_key", "key_file"),
        ("proxy", "proxy"),
        ("no_proxy", "no_proxy"),
        ("validate_certs", "verify_ssl"),
    ):
        if option in given:
            value = given[option]
            setattr(
                configuration, attribute, _existing(value, option) if attribute.endswith(("cert", "file")) else value
            )
    if "api_key" in given:
        configuration.api_key = {
            "authorization": f"Bearer {given['api_key']}",
            "BearerToken": f"Bearer {given['api_key']}",
        }
        configuration.api_key_prefix = {}
        configuration.refresh_api_key_hook = None
    if "proxy_headers" in given:
        configuration.proxy_headers = _proxy_headers(given["proxy_headers"])
    configuration.host = configuration.host.rstrip("/")
    configuration.connection_pool_maxsize = POOL_SIZE
    try:
        pool = rest.RESTClientObject(configuration).pool_manager
    except (OSError, ValueError) as error:
        raise InvalidInput(f"The connection to {configuration.host} cannot be set up: {error}.") from error
    return Connection(
        configuration=configuration,
        pool=pool,
        context=context,
        user_entry=user_entry,
        impersonate_user=given.get("impersonate_user"),
        impersonate_groups=list(given.get("impersonate_groups") or ()),
    )


def _load(given: Mapping[str, Any], configuration: Any) -> tuple[str | None, dict[str, Any]]:
    """Fill `configuration` from a kubeconfig or the pod's service account; returns the context and its user's entry."""
    from kubernetes.config import ConfigException, incluster_config, kube_config

    source = given.get("kubeconfig")
    if source is None and "host" in given and given.keys() & {"api_key", "username", "client_cert"}:
        return None, {}
    content = _content(source)
    load: Callable[..., None] = kube_config.load_kube_config_from_dict
    kubeconfig: Any = content
    where = "The kubeconfig given as content"
    if content is None:
        paths = str(source or os.environ.get("KUBECONFIG") or KUBECONFIG_FILES)
        existing = [path for path in map(os.path.expanduser, paths.split(os.pathsep)) if path and os.path.exists(path)]
        where = f"The kubeconfig {paths}"
        if not existing:
            if source is None and os.environ.get("KUBERNETES_SERVICE_HOST"):
                try:
                    in_cluster: Callable[..., None] = incluster_config.load_incluster_config
                    in_cluster(client_configuration=configuration)
                except ConfigException as error:
                    raise InvalidInput(f"This pod's service account cannot be used: {error}") from error
                return None, {}
            if "host" in given:
                return None, {}
            raise InvalidInput(f"{where} does not exist; name one with 'kubeconfig', or a server with 'host'.")
        load, kubeconfig = kube_config.load_kube_config, os.pathsep.join(existing)
        content = _merged(existing)
    context: str = given.get("context") or content.get("current-context") or ""
    names = [entry.get("name") for entry in content.get("contexts") or () if isinstance(entry, Mapping)]
    if context not in names:
        has = f"it has {', '.join(map(str, names))}" if names else "it has none"
        missing = f"no context '{context}'" if context else "no current context, and none is given"
        raise InvalidInput(f"{where} has {missing}; {has}.", contexts=names)
    try:
        persist = {"persist_config": bool(given.get("persist_config"))}
        load(kubeconfig, context=context, client_configuration=configuration, **persist)
    except ConfigException as error:
        raise InvalidInput(f"{where} cannot be used with context '{context}': {_one_line(error)}.") from error
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInput(f"{where} is not valid for context '{context}': {_one_line(error)}.") from error
    return context, _user_of(content, context)


def _content(source: Any) -> dict[str, Any] | None:
    """The kubeconfig itself, where it was given as a dictionary or as its text; None where it is a path."""
    if isinstance(source, Mapping):
        return dict(source)
    if isinstance(source, str) and ("\n" in source.strip() or source.lstrip().startswith("{")):
        try:
            documents = read_yaml(source, "the kubeconfig given as content")
        except MeshError as error:
            # The parser quotes what it stumbles over, which here may be a secret.
            raise InvalidInput("The kubeconfig given as content is not YAML.") from error
        if len(documents) == 1 and isinstance(documents[0], dict):
            return documents[0]
        raise InvalidInput("The kubeconfig given as content is not a kubeconfig.")
    return None


def _merged(paths: Sequence[str]) -> dict[str, Any]:
    """What several kubeconfigs say together, as kubectl understands it: the first to name a thing wins."""
    merged: dict[str, Any] = {"clusters": [], "users": [], "contexts": []}
    for path in paths:
        try:
            with open(path, encoding="utf-8") as file:
                documents = read_yaml(file.read(), f"The kubeconfig {path}")
        except OSError as error:
            raise InvalidInput(f"The kubeconfig {path} cannot be read: {error.strerror}.") from error
        except (MeshError, UnicodeDecodeError) as error:
            # The parser quotes what it stumbles over, which here may be a secret.
            raise InvalidInput(f"The kubeconfig {path} is not YAML.") from error
        for document in documents:
            if not isinstance(document, dict):
                raise InvalidInput(f"The kubeconfig {path} is not a kubeconfig.")
            for section in ("clusters", "users", "contexts"):
                merged[section] += [entry for entry in document.get(section) or () if isinstance(entry, Mapping)]
            if "current-context" in document:
                merged.setdefault("current-context", document["current-context"])
    return merged


def _user_of(content: Mapping[str, Any], context: str) -> dict[str, Any]:
    def entry(section: str, name: Any, key: str) -> Mapping[str, Any]:
        return next((item.get(key) or {} for item in content.get(section) or () if item.get("name") == name), {})

    return dict(entry("users", entry("contexts", context, "context").get("user"), "user"))


def _existing(path: Any, option: str) -> str:
    full = os.path.expanduser(str(path))
    if not os.path.isfile(full):
        raise InvalidInput(f"The file {path}, given as '{option}', does not exist.")
    return full


def _proxy_headers(options: Mapping[str, Any]) -> Any:
    from urllib3.util import make_headers

    names = ("proxy_basic_auth", "basic_auth", "user_agent")
    return make_headers(**{name: options[name] for name in names if options.get(name)})


def _file_as_base64(path: str) -> str:
    with open(path, "rb") as file:
        return base64.b64encode(file.read()).decode()


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")
