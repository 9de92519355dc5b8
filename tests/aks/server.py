# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for Azure: its login and its Resource Manager, on the loopback interface of this machine.

Azure's libraries reach it unchanged, under Azure's own names: it is their HTTPS proxy, and answers for those names with
a certificate of its own, which `REQUESTS_CA_BUNDLE` has them trust. To any other name it refuses to connect, so that
nothing ever reaches Azure. Each answer has the header `x-stand-in: azure`.

It is strict about paths, versions of the API, tokens, and about bodies, which the SDK's own models must know. It cannot
verify what only Azure knows: permissions, policies, prices, whether machines of a size exist, how long things take, and
what a real cluster has running in it.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ansible_collections.meshops.istio.tests.aks import bodies, login
from ansible_collections.meshops.istio.tests.aks.certificate import make_certificate
from ansible_collections.meshops.istio.tests.aks.cloud import SUBSCRIPTION, TENANT, VERSIONS, Cloud
from ansible_collections.meshops.istio.tests.aks.refusals import Refusal, malformed

MANAGER = "management.azure.com"
HOSTS = (MANAGER, login.HOST)

Answer = tuple[int, Any, dict[str, str]]
Query = dict[str, str]
Handler = Callable[..., Answer]


@dataclass
class Fault:
    """Requests of this method and path are refused, as often as `times` says."""

    method: str
    path: re.Pattern[str]
    refusal: Refusal
    times: int


@dataclass
class StandIn:
    """The stand-in: `cloud` is its state, `requests` counts what it was asked, as `METHOD path`."""

    cloud: Cloud
    folder: Path
    faults: list[Fault] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)

    def __enter__(self) -> StandIn:
        certificate, key = make_certificate(self.folder, *HOSTS)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)

        class Bound(_Connection):
            stand_in = self
            tls = context

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.authority = certificate
        return self

    def __exit__(self, *_raised: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def environment(self) -> dict[str, str]:
        """The environment that brings Azure's libraries here, logged in."""
        return {
            "HTTPS_PROXY": f"http://127.0.0.1:{self._server.server_port}",
            "REQUESTS_CA_BUNDLE": str(self.authority),
            "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
            **login.ENVIRONMENT,
        }

    @property
    def writes(self) -> list[str]:
        """What changed something, or tried to."""
        return [asked for asked in self.requests.elements() if asked.startswith(("PUT", "PATCH", "DELETE"))]

    def refuse(self, method: str, path: str, refusal: Refusal, *, times: int = 1000) -> None:
        """Refuse requests whose path matches."""
        self.faults.append(Fault(method, re.compile(path, re.IGNORECASE), refusal, times))

    def answer(self, method: str, url: str, headers: Any, body: Any) -> Answer:
        """What the Resource Manager answers; raises Refusal."""
        parts = urlsplit(url)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        with self.cloud.lock:
            self.requests[f"{method} {parts.path}"] += 1
            login.check(headers.get("Authorization"))
            for fault in self.faults:
                if fault.times and fault.method == method and fault.path.search(parts.path):
                    fault.times -= 1
                    raise fault.refusal
            for wanted, path, version, handler in _ROUTES:
                match = path.fullmatch(parts.path)
                if match and method == wanted:
                    if query.get("api-version") != version:
                        raise _wrong_version(query.get("api-version"), version)
                    names = match.groupdict()
                    subscription = names.pop("subscription", SUBSCRIPTION)
                    if subscription != SUBSCRIPTION:
                        raise Refusal(
                            404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found."
                        )
                    return handler(self.cloud, body, **names)
        raise Refusal(404, "NotFound", f"The stand-in for Azure does not know {method} {parts.path}.")


def _wrong_version(given: str | None, known: str) -> Refusal:
    return Refusal(
        400,
        "InvalidApiVersionParameter",
        f"The api-version '{given}' is invalid. The supported versions are '{known}'.",
    )


class _Connection(BaseHTTPRequestHandler):
    """One connection of a client: the proxy's CONNECT, and then the requests inside of it."""

    stand_in: StandIn
    tls: ssl.SSLContext
    protocol_version = "HTTP/1.1"
    host = ""

    def do_CONNECT(self) -> None:
        host = self.path.partition(":")[0]
        if host not in HOSTS:
            self.send_error(403, f"The stand-in for Azure does not lead to {host}")
            return
        self.host = host
        self.send_response(200)
        self.end_headers()
        try:
            self.connection = self.request = self.tls.wrap_socket(self.connection, server_side=True)
        except (ssl.SSLError, OSError):
            self.close_connection = True
            return
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rfile = self.connection.makefile("rb", -1)
        self.wfile = self.connection.makefile("wb", 0)
        self.close_connection = False

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length) if length else b""
        try:
            if self.host == login.HOST:
                status, body, headers = login.answer(self.command, self.path, content.decode())
            elif self.host == MANAGER:
                status, body, headers = self.stand_in.answer(self.command, self.path, self.headers, _json(content))
            else:
                status, body, headers = 400, {"error": "This is a proxy."}, {}
        except Refusal as refusal:
            status, body, headers = refusal.status, refusal.body, refusal.headers
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"x-stand-in": "azure", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        if data:
            self.send_header("Content-Type", "application/json; charset=utf-8")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = do_HEAD = _serve  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: what was asked is in `requests`."""


def _json(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError as error:
        raise malformed(f"The request content was invalid and could not be deserialized: '{error}'.") from error


# What is asked for, by method, path, and version of the API.

_SUBSCRIPTION = r"/subscriptions/(?P<subscription>[^/]+)"
_GROUP = _SUBSCRIPTION + r"/resource[gG]roups/(?P<group>[^/]+)"
_CLUSTERS = "/providers/Microsoft.ContainerService/managedClusters"
_CLUSTER = _GROUP + _CLUSTERS + "/(?P<name>[^/]+)"
_LOCATION = _SUBSCRIPTION + r"/providers/Microsoft.ContainerService/locations/(?P<region>[^/]+)"
_SOON = {"x-ms-retry-after-ms": "50", "Retry-After": "1"}


def _operation_of(kind: str, name: str) -> str:
    version = bodies.GROUPS if kind == "operationresults" else bodies.CLUSTERS
    place = (
        f"/subscriptions/{SUBSCRIPTION}/operationresults/{name}"
        if kind == "operationresults"
        else f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerService/locations/any/operations/{name}"
    )
    return f"https://{MANAGER}{place}?api-version={version}"


def _subscriptions(_cloud: Cloud, _body: Any) -> Answer:
    told = {"id": f"/subscriptions/{SUBSCRIPTION}", "subscriptionId": SUBSCRIPTION, "displayName": "stand-in"}
    return 200, {"value": [{**told, "state": "Enabled", "tenantId": TENANT}]}, {}


def _get_group(cloud: Cloud, _body: Any, group: str) -> Answer:
    return 200, cloud.group(group), {}


def _group_exists(cloud: Cloud, _body: Any, group: str) -> Answer:
    return (204 if group.lower() in cloud.groups else 404), None, {}


def _list_groups(cloud: Cloud, _body: Any) -> Answer:
    return 200, {"value": list(cloud.groups.values())}, {}


def _put_group(cloud: Cloud, body: Any, group: str) -> Answer:
    status, created = cloud.put_group(group, body)
    return status, created, {}


def _delete_group(cloud: Cloud, _body: Any, group: str) -> Answer:
    return 202, None, {"Location": _operation_of("operationresults", cloud.delete_group(group)), **_SOON}


def _group_deleted(cloud: Cloud, _body: Any, operation: str) -> Answer:
    if cloud.poll(operation).polls > 0:
        return 202, None, {"Location": _operation_of("operationresults", operation), **_SOON}
    return 200, None, {}


def _resources(cloud: Cloud, _body: Any, group: str) -> Answer:
    return 200, {"value": cloud.resources(group)}, {}


def _orchestrators(_cloud: Cloud, _body: Any, region: str) -> Answer:
    listed = [
        {
            "orchestratorType": "Kubernetes",
            "orchestratorVersion": version,
            "upgrades": [{"orchestratorType": "Kubernetes", "orchestratorVersion": newer} for newer in newer_ones],
        }
        for version, newer_ones in ((one, VERSIONS[index + 1 :]) for index, one in enumerate(VERSIONS))
    ]
    return 200, {"id": region, "name": "default", "type": "x", "properties": {"orchestrators": listed}}, {}


def _list_clusters(cloud: Cloud, _body: Any, group: str | None = None) -> Answer:
    found = [body for (place, _), body in cloud.clusters.items() if group is None or place == group.lower()]
    return 200, {"value": found}, {}


def _get_cluster(cloud: Cloud, _body: Any, group: str, name: str) -> Answer:
    return 200, cloud.cluster(group, name), {}


def _put_cluster(cloud: Cloud, body: Any, group: str, name: str) -> Answer:
    created, operation = cloud.put_cluster(group, name, body)
    return 201, created, {"Azure-AsyncOperation": _operation_of("operations", operation), **_SOON}


def _delete_cluster(cloud: Cloud, _body: Any, group: str, name: str) -> Answer:
    operation = cloud.delete_cluster(group, name)
    return 202, None, {"Azure-AsyncOperation": _operation_of("operations", operation), **_SOON}


def _operation(cloud: Cloud, _body: Any, region: str, operation: str) -> Answer:
    now = cloud.poll(operation)
    if now.polls > 0:
        return 200, {"name": operation, "status": "InProgress"}, _SOON
    if now.failure:
        return 200, {"name": operation, "status": "Failed", **now.failure.body}, {}
    return 200, {"name": operation, "status": "Succeeded"}, {}


def _admin(cloud: Cloud, _body: Any, group: str, name: str) -> Answer:
    return 200, cloud.credentials(group, name, admin=True), {}


def _user(cloud: Cloud, _body: Any, group: str, name: str) -> Answer:
    return 200, cloud.credentials(group, name, admin=False), {}


_ROUTES: list[tuple[str, re.Pattern[str], str, Handler]] = [
    (method, re.compile(path), version, handler)
    for method, path, version, handler in (
        ("GET", "/subscriptions", bodies.SUBSCRIPTIONS, _subscriptions),
        ("GET", _SUBSCRIPTION + "/resourcegroups", bodies.GROUPS, _list_groups),
        ("GET", _GROUP, bodies.GROUPS, _get_group),
        ("HEAD", _GROUP, bodies.GROUPS, _group_exists),
        ("PUT", _GROUP, bodies.GROUPS, _put_group),
        ("DELETE", _GROUP, bodies.GROUPS, _delete_group),
        ("GET", _GROUP + "/resources", bodies.GROUPS, _resources),
        ("GET", _SUBSCRIPTION + r"/operationresults/(?P<operation>[^/]+)", bodies.GROUPS, _group_deleted),
        ("GET", _LOCATION + "/orchestrators", bodies.ORCHESTRATORS, _orchestrators),
        ("GET", _SUBSCRIPTION + _CLUSTERS, bodies.CLUSTERS, _list_clusters),
        ("GET", _GROUP + _CLUSTERS, bodies.CLUSTERS, _list_clusters),
        ("GET", _CLUSTER, bodies.CLUSTERS, _get_cluster),
        ("PUT", _CLUSTER, bodies.CLUSTERS, _put_cluster),
        ("DELETE", _CLUSTER, bodies.CLUSTERS, _delete_cluster),
        ("POST", _CLUSTER + "/listClusterAdminCredential", bodies.CLUSTERS, _admin),
        ("POST", _CLUSTER + "/listClusterUserCredential", bodies.CLUSTERS, _user),
        ("GET", _LOCATION + "/operations/(?P<operation>[^/]+)", bodies.CLUSTERS, _operation),
    )
]
