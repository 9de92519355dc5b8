# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Open an authenticated, pooled HTTP connection from connection options, by the kubernetes client.

The options have the names of kubernetes.core. Defaults are those of the kubernetes client: the environment's
kubeconfig, the default one, and, inside a pod, its service account.
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
from .static_credentials import StaticCredentials

POOL_SIZE = 16
"""The maximum of parallel requests; the API server's priority and fairness limits all clients."""


@dataclass
class Connection:
    """A connection to one API server: the client's configuration, its pool, and further settings for other programs."""

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
        """Add credentials to `headers` (a multi-dictionary) and return them; refresh tokens that are about to expire."""
        scheme, credentials = self.credentials()
        if credentials:
            headers["Authorization"] = f"{scheme} {credentials}"
        if self.impersonate_user:
            headers["Impersonate-User"] = self.impersonate_user
        for group in self.impersonate_groups:
            headers.add("Impersonate-Group", group)
        return scheme, credentials

    def renew(self, refused: tuple[str, str]) -> bool:
        """Get new credentials if the API server has rejected those that were `refused`, such as a plugin's token.

        Return whether they differ. If several threads call this at once, only the first gets new ones.
        """
        if self.reload is None:
            return False
        with self._renewing:
            if self.credentials() == refused:
                self.reload(self.configuration)
            return self.credentials() != refused

    def credentials(self) -> tuple[str, str]:
        """Return the scheme and value of the Authorization header; empty if there is none."""
        values = [setting["value"] for setting in self.configuration.auth_settings().values() if setting.get("value")]
        if not values and self.configuration.username:
            values = [self.configuration.get_basic_auth_token()]
        # Token files often end with a newline, which is invalid in a header.
        scheme, _space, credentials = (values[0] if values else "").strip().partition(" ")
        return scheme.capitalize(), credentials

    @property
    def certificate_authority(self) -> str:
        """The SHA-256 of the CA certificates that verify the server; empty for the system's, or without verification."""
        path = self.configuration.ssl_ca_cert
        if not path or not self.configuration.verify_ssl:
            return ""
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    @contextlib.contextmanager
    def temporary_kubeconfig(self) -> Iterator[str]:
        """Yield the path of a kubeconfig with the settings of this connection, for this user only, removed at exit."""
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
        # Keep a plugin instead of its current token, so that a long run can renew it.
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
    """Open a connection for options (names of kubernetes.core; None means unset). Makes no request.

    Raises InvalidInput for a kubeconfig that is not found, invalid or without the context, and for files not found.
    """
    given = {name: value for name, value in options.items() if value not in (None, "", {}, [])}
    _refuse_malformed(str(given.get("host", "")))
    loaded = load(given)
    _refuse_malformed(str(loaded.configuration.host))
    # A copy, because refreshing a token would overwrite the given options.
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
        # Releases of the client use different names.
        configuration.api_key = dict.fromkeys(("authorization", "BearerToken"), f"Bearer {given['api_key']}")
    configuration.host = configuration.host.rstrip("/")
    if not configuration.host.startswith(("https://", "http://")):
        raise InvalidInput(
            f"The host '{configuration.host}' is invalid: it must be a URL. Use, for example, https://{configuration.host}."
        )
    if not configuration.proxy and not isinstance(configuration, StaticCredentials):
        # Clients before 34.1 ignore the environment.
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
"""The attributes of the client's configuration by option."""

_FILES = frozenset({"ca_cert", "client_cert", "client_key"})


def _pool(configuration: Any) -> Any:
    if configuration.host.startswith("https://"):
        _check_certificates(configuration)
    if isinstance(configuration, StaticCredentials):
        return static_credentials.pool(configuration, POOL_SIZE)

    import urllib3
    from kubernetes.client import rest

    if not configuration.verify_ssl:
        # The user has disabled verification on purpose.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    try:
        return rest.RESTClientObject(configuration).pool_manager
    except (OSError, ValueError, ImportError) as error:
        raise InvalidInput(
            f"Cannot connect to {configuration.host}: {str(error).rstrip('.')}. Check the connection options."
        ) from error


def _check_certificates(configuration: Any) -> None:
    """Load the files once, because errors in them would look like an unreachable server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    checked = "CA certificate (ca_cert)"
    try:
        if configuration.ssl_ca_cert:
            context.load_verify_locations(configuration.ssl_ca_cert)
        checked = "client certificate or key (client_cert, client_key)"
        if configuration.cert_file:
            # An empty password, because OpenSSL would prompt for one.
            context.load_cert_chain(configuration.cert_file, configuration.key_file, password="")
    except OSError as error:
        raise InvalidInput(
            f"Cannot connect to {configuration.host}: the {checked} is invalid: {error.strerror or error}. Correct the"
            " file, or the entry of the kubeconfig."
        ) from error


def _refuse_malformed(host: str) -> None:
    try:
        urlsplit(host)
    except ValueError as error:
        raise InvalidInput(f"The host '{host}' is invalid: {error}. Correct it.", option="host") from error
    if any(char.isspace() or not char.isprintable() for char in host):
        raise InvalidInput(
            f"The host '{' '.join(host.split())}' is invalid: it contains a space or a control character. Remove it."
        )


def _existing(given: Mapping[str, Any], option: str) -> str:
    full = os.path.expanduser(str(given[option]))
    if not os.path.isfile(full):
        raise InvalidInput(f"The file {given[option]} of {option} was not found. Correct the path.")
    return full


def _proxy_credentials(url: str | None) -> dict[str, str]:
    """Return the user name and password in a proxy's URL, which urllib3 ignores."""
    try:
        user, _at, _host = urlsplit(url or "").netloc.rpartition("@")
    except ValueError as error:
        raise InvalidInput(
            "The proxy is invalid: it must be a URL, for example http://proxy.example.com:3128."
        ) from error
    return {"proxy_basic_auth": user} if user else {}


def _proxy_url(url: str, headers: Mapping[str, Any]) -> str:
    """Return a proxy's URL with user name and password, as other programs expect it."""
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
