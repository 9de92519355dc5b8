# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections whose kubeconfig holds all that they need: a server, certificates, a token.

Most are such. The kubernetes client knows every other way (plugins, providers, proxies), but importing it takes longer
than all else that a run does which has nothing to change.
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
class Written:
    """What the client's Configuration would say of such a connection, by the same names."""

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
    def of(cls, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> Written | None:
        """From a kubeconfig's entries; None where they, or the environment, say what only the client understands.

        Raises ValueError for data that is no base64.
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
        """The credentials of requests, as the client tells them."""
        return {"BearerToken": {"value": f"Bearer {self.token}"}} if self.token else {}


def pool(configuration: Written, size: int) -> Any:
    """The pool of connections; they share what the certificates were read into."""
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
    """A file with what is encoded, which OpenSSL reads from nowhere else."""
    return memory_file(base64.b64decode(data)) if data else None
