# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules in this process, on an API server that is called and not connected to, so that thousands run in minutes."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer, Request
from ansible_collections.meshops.istio.tests.support.kube.selecting import selected
from ansible_collections.meshops.istio.tests.support.mesh_api import Mesh
from urllib3 import HTTPHeaderDict

Object = dict[str, Any]
Spoil = Callable[[str, bytes], bytes]


class OddMesh(Mesh):
    """Keeps objects as they are, however odd, as an API server of another version or a lax CRD might."""

    def __init__(self) -> None:
        ApiServer.__init__(self)
        self.gateway_api = True
        self._http.server_close()

    def keep(self, path: str, obj: Any) -> None:
        """Have an object at a path, if it is one at all."""
        if isinstance(obj, dict) and isinstance(obj.get("metadata"), dict):
            self._objects[path] = obj

    def answer(self, request: Request) -> tuple[int, Any]:
        """As the API server's; where an object is too odd for it, the answer is a refusal."""
        try:
            status, answer = super(Mesh, self).answer(request) if request.path != "/apis" else super().answer(request)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            return 422, {"kind": "Status", "code": 422, "message": f"the object is invalid: {type(error).__name__}"}
        return status, answer

    def _read(self, path: str, selector: str = "") -> tuple[int, Any]:
        status, answer = super()._read(path)
        if path not in self._objects and status == 200:
            fitting = [one for one in answer["items"] if selected(_labels(one), selector)]
            return 200, {**answer, "items": fitting}
        return status, answer


def _labels(obj: Any) -> dict[str, str]:
    metadata = obj.get("metadata") if isinstance(obj, dict) else None
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    return {key: value for key, value in labels.items() if isinstance(value, str)} if isinstance(labels, dict) else {}


class Answered:
    """An answer of HTTP, as urllib3 has them."""

    def __init__(self, status: int, data: bytes) -> None:
        self.status, self.data, self.headers = status, data, HTTPHeaderDict()

    def read(self) -> bytes:
        """All of it."""
        return self.data

    def stream(self, **_options: Any) -> Iterator[bytes]:
        """All of it, at once."""
        yield self.data

    def close(self) -> None:
        """Close nothing."""


class Pool:
    """Calls an API server; `spoil` changes the bytes that it answers to a path."""

    proxy = None

    def __init__(self, api: ApiServer, spoil: Spoil | None = None) -> None:
        self._api, self._spoil = api, spoil

    def request(
        self, method: str, url: str, *, body: bytes | Iterable[bytes] | None, headers: Mapping[str, str], **_more: Any
    ) -> Answered:
        """One request."""
        place = urlsplit(url)
        query = dict(parse_qsl(place.query))
        sent = {name.lower(): value for name, value in headers.items()}
        if "watch" in query:
            return Answered(200, self._spoiled(place.path, b""))
        data = body if isinstance(body, bytes | None) else b"".join(body)
        request = Request(method, place.path, query, sent, json.loads(data) if data else None, [])
        status, answer = self._api.answer(request)
        return Answered(status, self._spoiled(place.path, json.dumps(answer).encode()))

    def _spoiled(self, path: str, data: bytes) -> bytes:
        return self._spoil(path, data) if self._spoil else data


def cluster_of(api: ApiServer, spoil: Spoil | None = None) -> Cluster:
    """A cluster whose requests `api` answers, and that does not wait."""
    connection: Any = SimpleNamespace(
        context="fuzz",
        configuration=SimpleNamespace(host="http://fuzz.example.com"),
        pool=Pool(api, spoil),
        authorise=lambda _headers: None,
        impersonate_user=None,
        impersonate_groups=[],
        temporary_kubeconfig=lambda: contextlib.nullcontext("no-kubeconfig"),
    )
    cluster = Cluster(connection, "meshops.istio/fuzz")
    cluster.patience = 0.0
    return cluster
