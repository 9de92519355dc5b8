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
import copy
import hashlib
import json
import os
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit
from urllib.request import getproxies

from ..errors import InvalidInput
from . import static_credentials
from .kubeconfig import CREDENTIALS, load, refreshing, reloading
from .memory_file import memory_file
from .static_credentials import Written

POOL_SIZE = 16
"""Requests in flight at once; the API server's priority and fairness shares its seats among all clients."""


@dataclass
class Connection:
    """How to reach one API server: the client's configuration, its pool, and what other programs need beside them."""

    configuration: Any
    pool: Any
    context: str | None
    proxy: str | None = None
    user_entry: dict[str, Any] = field(default_factory=dict)
    impersonate_user: str | None = None
    impersonate_groups: list[str] = field(default_factory=list)
    reload: Callable[[Any], None] | None = None
    _renewing: threading.Lock = field(default_factory=threading.Lock)

    def authorise(self, headers: Any) -> tuple[str, str]:
        """Add credentials to `headers` (a multi-dictionary) and return them; refreshes tokens that are about to expire."""
        scheme, credentials = self.credentials()
        if credentials:
            headers["Authorization"] = f"{scheme} {credentials}"
        if self.impersonate_user:
            headers["Impersonate-User"] = self.impersonate_user
        for group in self.impersonate_groups:
            headers.add("Impersonate-Group", group)
        return scheme, credentials

    def renew(self, refused: tuple[str, str]) -> bool:
        """Get new credentials where the API server does not accept those that were `refused`, such as a plugin's token.

        Whether there are others by now. Many threads may ask at once: the first one's answer is for all.
        """
        if self.reload is None:
            return False
        with self._renewing:
            if self.credentials() == refused:
                self.reload(self.configuration)
            return self.credentials() != refused

    def credentials(self) -> tuple[str, str]:
        """The scheme and value of the Authorization header; empty where there is none."""
        values = [setting["value"] for setting in self.configuration.auth_settings().values() if setting.get("value")]
        if not values and self.configuration.username:
            values = [self.configuration.get_basic_auth_token()]
        # Files of tokens like to end with a newline, which a header must not.
        scheme, _space, credentials = (values[0] if values else "").strip().partition(" ")
        return scheme.capitalize(), credentials

    @property
    def certificate_authority(self) -> str:
        """The SHA-256 of the certificates that the server's is checked with; empty for those of the system, or none."""
        path = self.configuration.ssl_ca_cert
        if not path or not self.configuration.verify_ssl:
            return ""
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    @contextlib.contextmanager
    def temporary_kubeconfig(self) -> Iterator[str]:
        """The path of a kubeconfig that says the same as this connection, for this user only; gone at exit."""
        with memory_file(json.dumps(self._kubeconfig()).encode()) as path:
            yield path

    def _kubeconfig(self) -> dict[str, Any]:
        cluster: dict[str, Any] = {"server": self.configuration.host}
        if not self.configuration.verify_ssl:
            cluster["insecure-skip-tls-verify"] = True
        elif self.configuration.ssl_ca_cert:
            cluster["certificate-authority-data"] = _file_as_base64(self.configuration.ssl_ca_cert)
        if self.proxy:
            cluster["proxy-url"] = self.proxy
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
        # A plugin stays one, so that a long run can renew its token; what it gave so far is its own affair.
        user: dict[str, Any] = {
            key: self.user_entry[key] for key in ("exec", "auth-provider") if key in self.user_entry
        }
        if not user:
            scheme, credentials = self.credentials()
            if scheme == "Basic":
                name, _colon, password = base64.b64decode(credentials).decode().partition(":")
                user.update(username=name, password=password)
            elif credentials:
                user["token"] = credentials
        if not user or any(name.startswith("client-certificate") for name in self.user_entry):
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
    given = {name: value for name, value in options.items() if value not in (None, "", {}, [])}
    _refuse_malformed(str(given.get("host", "")))
    loaded = load(given)
    _refuse_malformed(str(loaded.configuration.host))
    # A copy: refreshing a token would write all that was loaded over what is given.
    configuration = copy.copy(loaded.configuration)
    configuration.refresh_api_key_hook = refreshing(loaded)
    reload = reloading(loaded)
    user_entry = loaded.user
    if given.keys() & CREDENTIALS:
        configuration.api_key, configuration.api_key_prefix, configuration.refresh_api_key_hook = {}, {}, None
        configuration.cert_file = configuration.key_file = None
        user_entry, reload = {}, None
    for option, attribute in _SETTINGS.items():
        if option in given:
            setattr(configuration, attribute, _existing(given, option) if option in _FILES else given[option])
    if "api_key" in given:
        # The client's releases look it up by one name or the other.
        configuration.api_key = dict.fromkeys(("authorization", "BearerToken"), f"Bearer {given['api_key']}")
    configuration.host = configuration.host.rstrip("/")
    if not configuration.host.startswith(("https://", "http://")):
        raise InvalidInput(f"The host {configuration.host} is not a URL such as https://{configuration.host}.")
    if not configuration.proxy and not isinstance(configuration, Written):
        # Clients before 34.1 do not look at the environment.
        found = getproxies()
        configuration.proxy = found.get(configuration.host.partition("://")[0])
        configuration.no_proxy = configuration.no_proxy or found.get("no")
    proxy_headers = given.get("proxy_headers") or _proxy_credentials(configuration.proxy)
    if proxy_headers:
        configuration.proxy_headers = _proxy_headers(proxy_headers)
    configuration.connection_pool_maxsize = POOL_SIZE
    pool = _pool(configuration)
    return Connection(
        configuration=configuration,
        pool=pool,
        context=loaded.context,
        proxy=_proxy_url(configuration.proxy, proxy_headers) if getattr(pool, "proxy", None) else None,
        user_entry=user_entry,
        impersonate_user=given.get("impersonate_user") or user_entry.get("as"),
        impersonate_groups=list(given.get("impersonate_groups") or user_entry.get("as-groups") or ()),
        reload=reload,
    )


_SETTINGS = {
    "host": "host",
    "username": "username",
    "password": "password",
    "ca_cert": "ssl_ca_cert",
    "client_cert": "cert_file",
    "client_key": "key_file",
    "proxy": "proxy",
    "no_proxy": "no_proxy",
    "validate_certs": "verify_ssl",
}
"""The attributes of the client's configuration, by our options."""

_FILES = frozenset({"ca_cert", "client_cert", "client_key"})


def _pool(configuration: Any) -> Any:
    if configuration.host.startswith("https://"):
        _check_certificates(configuration)
    if isinstance(configuration, Written):
        return static_credentials.pool(configuration, POOL_SIZE)

    import urllib3
    from kubernetes.client import rest

    if not configuration.verify_ssl:
        # It was asked for, and need not be said again with every request.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    try:
        return rest.RESTClientObject(configuration).pool_manager
    except (OSError, ValueError, ImportError) as error:
        raise InvalidInput(f"The connection to {configuration.host} cannot be set up: {error}.") from error


def _check_certificates(configuration: Any) -> None:
    """Load the files once: what is wrong with them would else look like a server that does not answer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    checking = "the authority's certificate"
    try:
        if configuration.ssl_ca_cert:
            context.load_verify_locations(configuration.ssl_ca_cert)
        checking = "the client's certificate or key"
        if configuration.cert_file:
            # An empty password, or OpenSSL would ask for one.
            context.load_cert_chain(configuration.cert_file, configuration.key_file, password="")
    except OSError as error:
        raise InvalidInput(
            f"For the cluster at {configuration.host}, {checking} cannot be used: {error.strerror or error}."
        ) from error


def _refuse_malformed(host: str) -> None:
    try:
        urlsplit(host)
    except ValueError as error:
        raise InvalidInput(f"The host {host} is malformed ({error}): correct it.", option="host") from error
    if any(char.isspace() or not char.isprintable() for char in host):
        raise InvalidInput(f"The host {' '.join(host.split())} has a space or a control character: correct it.")


def _existing(given: Mapping[str, Any], option: str) -> str:
    full = os.path.expanduser(str(given[option]))
    if not os.path.isfile(full):
        raise InvalidInput(f"The file {given[option]}, given as '{option}', does not exist.")
    return full


def _proxy_credentials(url: str | None) -> dict[str, str]:
    """The name and password within a proxy's URL, which urllib3 leaves there."""
    try:
        user, _at, _host = urlsplit(url or "").netloc.rpartition("@")
    except ValueError as error:
        raise InvalidInput("The proxy is malformed: write it as http://proxy.example.com:3128.") from error
    return {"proxy_basic_auth": user} if user else {}


def _proxy_url(url: str, headers: Mapping[str, Any]) -> str:
    """A proxy's URL with name and password within, the one way to tell other programs."""
    credentials = headers.get("proxy_basic_auth")
    parts = urlsplit(url)
    if not credentials or "@" in parts.netloc:
        return url
    return parts._replace(netloc=f"{quote(credentials, safe=':')}@{parts.netloc}").geturl()


def _proxy_headers(options: Mapping[str, Any]) -> Any:
    from urllib3.util import make_headers

    names = ("proxy_basic_auth", "basic_auth", "user_agent")
    return make_headers(**{name: options[name] for name in names if options.get(name)})


def _file_as_base64(path: str) -> str:
    with open(path, "rb") as file:
        return base64.b64encode(file.read()).decode()
