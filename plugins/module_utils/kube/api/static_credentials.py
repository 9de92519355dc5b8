# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections with static credentials: a kubeconfig with server, certificates and token only.

The kubernetes client supports all others (plugins, providers, proxies), but importing it takes longer than a whole run
without changes.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.request import getproxies

from .memory_file import memory_file

_CLUSTER = frozenset({"server", "certificate-authority-data", "extensions"})
_USER = frozenset({"token", "client-certificate-data", "client-key-data", "as", "as-groups"})


@dataclass
class StaticCredentials:
    """The attributes of the client's Configuration for such a connection."""

    host: str
    token: str = ""
    ssl_ca_cert: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    verify_ssl: bool = True
    username: str | None = None
    proxy: str | None = None
    proxy_headers: Any = None
    refresh_api_key_hook: Any = None
    connection_pool_maxsize: int = 1

    @classmethod
    def of(cls, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> StaticCredentials | None:
        """Read a kubeconfig's entries; None if they, or the environment, need the kubernetes client.

        Raises ValueError for invalid base64.
        """
        texts = [*cluster.items(), *user.items()]
        known = user.get("token") or {"client-certificate-data", "client-key-data"} <= user.keys()
        if not known or cluster.keys() - _CLUSTER or user.keys() - _USER or "server" not in cluster or getproxies():
            return None
        if not all(isinstance(value, str) for name, value in texts if name not in ("extensions", "as-groups")):
            return None
        return cls(
            host=cluster["server"],
            token=user.get("token", ""),
            ssl_ca_cert=_file(cluster.get("certificate-authority-data")),
            cert_file=_file(user.get("client-certificate-data")),
            key_file=_file(user.get("client-key-data")),
        )

    def auth_settings(self) -> dict[str, Any]:
        """Return the credentials of requests, as the client's Configuration does."""
        return {"BearerToken": {"value": f"Bearer {self.token}"}} if self.token else {}


def pool(configuration: StaticCredentials, size: int) -> Any:
    """Return a pool of connections with a shared TLS context."""
    import urllib3
    from urllib3.util.ssl_ import create_urllib3_context

    if not configuration.host.startswith("https://"):
        return urllib3.PoolManager(maxsize=size)
    context = create_urllib3_context()
    if configuration.ssl_ca_cert:
        context.load_verify_locations(configuration.ssl_ca_cert)
    else:
        context.load_default_certs()
    if configuration.cert_file:
        # An empty password, or OpenSSL would ask for one.
        context.load_cert_chain(configuration.cert_file, configuration.key_file, password="")
    return urllib3.PoolManager(maxsize=size, ssl_context=context)


def _file(data: str | None) -> str | None:
    """Return a file with the decoded data, because OpenSSL reads files only."""
    return memory_file(base64.b64decode(data)) if data else None
