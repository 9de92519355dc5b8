# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An API server on the loopback: stores objects, knows who applied which field, and fails as it is told to.

It has no schema and no controllers: lists are atomic, and what a test does not change stays as it is.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.builtin_kinds import BUILT_IN, Resource
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.kube.ownership import (
    applied,
    conflicts,
    fields_of,
    merged_into,
    updated,
    without_versions,
)
from ansible_collections.meshops.istio.tests.support.kube.selecting import selected

Object = dict[str, Any]

KINDS = {("/".join((kind.api_version, one.plural))): kind.kind for kind, one in BUILT_IN.items()}
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass
class Request:
    """A request as it came in; `groups` are those that it impersonates."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    groups: list[str]
    time: float = field(default_factory=time.monotonic)

    @property
    def writes(self) -> bool:
        """Whether it is one that changes the cluster."""
        return self.method != "GET" and "dryRun" not in self.query and not self.path.endswith("accessreviews")


@dataclass
class Answer:
    """What the server says instead of what it would: `status`; or it closes the connection, before or after it has
    done what it was asked to; or it is silent for as long as the server lives.
    """

    status: int = 0
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    closes: bool = False
    loses: bool = False
    hangs: bool = False


class ApiServer:
    """`fault` is asked for an Answer to each request; None lets the server do its work. Use as a context manager."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.fault: Callable[[Request], Answer | None] = lambda request: None
        self.forbidden: Callable[[Object], bool] | None = None
        self._objects: dict[str, Object] = {}
        self._version = 1
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.api = self
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> ApiServer:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()

    # --- what a test does to it

    def secure(self, certificate: Path, key: Path, clients: Path | None = None) -> None:
        """Speak TLS from now on, and ask for certificates of the authority `clients`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        if clients:
            context.load_verify_locations(clients)
            context.verify_mode = ssl.CERT_REQUIRED
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.url = self.url.replace("http:", "https:")

    @property
    def objects(self) -> list[Object]:
        """All that is stored."""
        with self._lock:
            return deepcopy(list(self._objects.values()))

    @property
    def writes(self) -> list[str]:
        """The requests that change the cluster, as `PATCH /api/v1/…`."""
        return [f"{one.method} {one.path}" for one in self.requests if one.writes]

    def put(self, path: str, obj: Object, manager: str = "kubectl-create") -> None:
        """Store an object as it is; `manager` updates what it holds."""
        with self._lock:
            owned = {"manager": manager, "operation": "Update", "apiVersion": obj["apiVersion"]}
            managed = obj["metadata"].get("managedFields", [{**owned, "fieldsV1": fields_of(obj)}])
            self._store(path, {**obj, "metadata": {**obj["metadata"], "managedFields": managed}})

    def change(self, path: str, manager: str = "kubectl-edit", **body: Any) -> None:
        """Merge `body` into an object, as `manager`, who owns then what is another value by that."""
        with self._lock:
            self._store(path, updated(self._objects[path], body, manager))

    def remove(self, path: str) -> None:
        """Remove an object."""
        with self._lock:
            self._objects.pop(path)

    def get(self, path: str) -> Object:
        """A stored object."""
        with self._lock:
            return deepcopy(self._objects[path])

    # --- what it does

    def hang(self) -> None:
        """Wait until the server is closed."""
        self._closing.wait(30)

    def answer(self, request: Request) -> tuple[int, Any]:
        """Status and body of the answer to a request."""
        with self._lock:
            if request.path == "/version":
                return 200, {"major": "1", "minor": "35+", "gitVersion": "v1.35.4"}
            if request.path in ("/api", "/apis"):
                return 200, {"kind": "APIGroupDiscoveryList", "items": groups(BUILT_IN, core=request.path == "/api")}
            if request.path == REVIEWS:
                attributes = request.body["spec"]["resourceAttributes"]
                # Who may not do one thing may not do everything.
                allowed = self.forbidden is None or (attributes["verb"] != "*" and not self.forbidden(attributes))
                return 201, {**request.body, "status": {"allowed": allowed}}
            if request.method == "GET":
                status, answer = self._read(request.path, request.query.get("labelSelector", ""))
                return (status, _page(answer, request.query)) if answer.get("kind") == "List" else (status, answer)
            if request.method == "POST":
                return self._create(request)
            return {"PATCH": self._patch, "PUT": self._replace, "DELETE": self._delete}[request.method](request)

    def _read(self, path: str, selector: str = "") -> tuple[int, Any]:
        if path in self._objects:
            return 200, self._objects[path]
        root, _slash, plural = path.rpartition("/")
        version = root.partition("/namespaces/")[0].removeprefix("/apis/").removeprefix("/api/")
        if f"{version}/{plural}" not in KINDS:
            return _status(404, "NotFound", f"{path} not found")
        prefix = root.partition("/namespaces/")[0]
        found = [
            {name: value for name, value in obj.items() if name not in ("apiVersion", "kind")}
            for stored, obj in self._objects.items()
            if (
                stored.rpartition("/")[0] == path
                or ("/namespaces/" not in path and stored.startswith(prefix) and stored.split("/")[-2] == plural)
            )
            and selected(obj["metadata"].get("labels") or {}, selector)
        ]
        return 200, {"kind": "List", "metadata": {"resourceVersion": str(self._version)}, "items": found}

    def _create(self, request: Request) -> tuple[int, Any]:
        path = f"{request.path}/{request.body['metadata']['name']}"
        if path in self._objects:
            return _status(409, "AlreadyExists", f"{path} already exists")
        created = {**request.body, "metadata": {**request.body["metadata"], "creationTimestamp": now()}}
        created = updated({"apiVersion": created["apiVersion"], "metadata": {}}, created, request.query["fieldManager"])
        return 201, self._store(path, created, dry_run="dryRun" in request.query)

    def _replace(self, request: Request) -> tuple[int, Any]:
        return self._guarded(request) or (200, self._store(request.path, request.body))

    def _patch(self, request: Request) -> tuple[int, Any]:
        live, dry_run = self._objects.get(request.path), "dryRun" in request.query
        if request.headers["content-type"] == "application/apply-patch+yaml":
            metadata = dict(request.body["metadata"])
            guards = {name: metadata.pop(name) for name in ("resourceVersion", "uid") if name in metadata}
            # As API servers do it: who only names a version creates an object that is not there.
            if any(live["metadata"][name] != guards[name] for name in guards) if live else "uid" in guards:
                return _conflict()
            wanted = {**request.body, "metadata": metadata}
            if live is not None and request.query.get("force") != "true":
                refused = conflicts(wanted, live, request.query["fieldManager"])
                if refused:
                    return _field_conflict(refused)
            result = applied(wanted, live, request.query["fieldManager"])
            if live is not None and without_versions(result) == without_versions(live):
                return 200, live
            return (200 if live else 201), self._store(request.path, result, dry_run=dry_run)
        if live is None:
            return _status(404, "NotFound", f"{request.path} not found")
        if request.headers["content-type"] == "application/json-patch+json":
            test, replace = request.body
            if test["value"] != live["metadata"]["resourceVersion"]:
                return _status(422, "Invalid", "the server rejected our request due to an error in our request")
            return 200, self._store(request.path, merged_into(live, {"metadata": {"managedFields": replace["value"]}}))
        return self._guarded(request) or (
            200,
            self._store(request.path, updated(live, request.body, request.query["fieldManager"]), dry_run=dry_run),
        )

    def _delete(self, request: Request) -> tuple[int, Any]:
        refused = self._guarded(request)
        if refused is None and "dryRun" not in request.query:
            self._objects.pop(request.path)
        return refused or (200, {"kind": "Status", "status": "Success"})

    def _guarded(self, request: Request) -> tuple[int, Any] | None:
        if request.path not in self._objects:
            return _status(404, "NotFound", f"{request.path} not found")
        asked = request.body.get("preconditions") or request.body.get("metadata") or {}
        live = self._objects[request.path]["metadata"]
        if any(name in asked and asked[name] != live[name] for name in ("uid", "resourceVersion")):
            return _conflict()
        return None

    def _store(self, path: str, obj: Object, *, dry_run: bool = False) -> Object:
        before = self._objects.get(path, {"metadata": {}})["metadata"]
        metadata = {**obj["metadata"], "uid": before.get("uid") or str(uuid.uuid4())}
        if not dry_run:
            self._version += 1
        metadata["resourceVersion"] = str(self._version)
        metadata.setdefault("managedFields", [])
        stored = {**deepcopy(obj), "metadata": metadata}
        if not dry_run:
            self._objects[path] = stored
        return stored


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    api: ApiServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer goes out in two parts, which need not wait for each other

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def _serve(self) -> None:
        api = self.server.api  # type: ignore[attr-defined]
        url = urlsplit(self.path)
        length = int(self.headers.get("content-length", 0))
        text = self.rfile.read(length).decode()
        if r"\ud" in text and self.headers.get("content-type", "").startswith("application/apply-patch"):
            text = '"It is read as YAML, which knows no escapes of half characters."'
        body = json.loads(text) if length else None
        headers = {name.lower(): value for name, value in self.headers.items()}
        groups = self.headers.get_all("impersonate-group", [])
        request = Request(self.command, url.path, dict(parse_qsl(url.query)), headers, body, groups)
        api.requests.append(request)
        fault = api.fault(request) or (status(400, "BadRequest", body) if isinstance(body, str) else Answer())
        if fault.hangs:
            api.hang()
        if fault.closes or fault.hangs:
            self.close_connection = True
            return
        code, answer = (fault.status, fault.body) if fault.status else api.answer(request)
        if fault.loses:
            self.close_connection = True
            return
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(code)
        for name, value in {"Content-Length": str(len(data)), **fault.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

    def log_message(self, *_args: Any) -> None:
        """Say nothing: tests look at `requests`."""


def groups(kinds: Mapping[Kind, Resource], *, core: bool = False) -> list[Object]:
    """Kinds as aggregated discovery tells them: those of the core group, or all others."""
    served: dict[str, dict[str, list[Object]]] = {}
    for kind, resource in kinds.items():
        if (kind.group == "") is core:
            scope = "Namespaced" if resource.namespaced else "Cluster"
            verbs = ["create"] if kind.kind.endswith("Review") else ["list", "delete"]
            entry = {"resource": resource.plural, "responseKind": {"kind": kind.kind}, "scope": scope, "verbs": verbs}
            version = kind.api_version.rpartition("/")[2]
            served.setdefault(kind.group, {}).setdefault(version, []).append(entry)
    return [
        {"metadata": {"name": group}, "versions": [{"version": one, "resources": of} for one, of in found.items()]}
        for group, found in served.items()
    ]


def now() -> str:
    """The time as API servers write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def faulty(*answers: Answer | None) -> Callable[[Request], Answer | None]:
    """Answers to the first requests, in this order, then none: the server does its work."""
    waiting = iter(answers)
    return lambda request: next(waiting, None)


def status(code: int, reason: str = "", message: str = "", **headers: str) -> Answer:
    """A failure as an API server states it."""
    return Answer(code, _status(code, reason, message)[1], headers)


def _field_conflict(found: list[tuple[str, str]]) -> tuple[int, Object]:
    causes = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{manager}" using v1', "field": path}
        for manager, path in found
    ]
    code, body = _status(409, "Conflict", f"Apply failed with {len(found)} conflicts")
    return code, {**body, "details": {"causes": causes}}


def _page(answer: Object, query: dict[str, str]) -> Object:
    """A part of a list; what goes on is named by the number of the next object."""
    begin, items = int(query.get("continue") or 0), answer["items"]
    end = begin + int(query.get("limit") or len(items))
    rest = {"continue": str(end)} if end < len(items) else {}
    return {**answer, "metadata": {**answer["metadata"], **rest}, "items": items[begin:end]}


def _conflict() -> tuple[int, Object]:
    message = "the object has been modified; please apply your changes to the latest version and try again"
    return _status(409, "Conflict", message)


def _status(code: int, reason: str, message: str) -> tuple[int, Object]:
    return code, {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
    }
