# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for AWX's API on this machine: it keeps what it is given, and refuses what AWX refuses.

It is no AWX: nothing is launched, and of AWX's objects it knows those that awx/configure.yml makes. It is stricter in
one thing: a field that it does not know is an error, where AWX would drop it and leave the caller to wonder.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ansible_collections.meshops.istio.tests.awx import rules
from ansible_collections.meshops.istio.tests.awx.rules import KINDS, Refusal

Object = dict[str, Any]

VERSION = "24.6.1"
ROOT = "/api/v2/"
HIDDEN = "$encrypted$"
UNIFIED = ("job_templates", "projects", "inventory_sources", "workflow_job_templates")
"""What schedules and workflows launch."""


class Store:
    """All objects of an AWX, by their endpoint and id."""

    def __init__(self, playbooks: Path) -> None:
        self.playbooks = playbooks
        self.objects: dict[str, dict[int, Object]] = {kind: {} for kind in KINDS}
        self.linked: dict[tuple[str, int, str], list[int]] = {}
        self.surveys: dict[tuple[str, int], Object] = {}
        self.writes: list[str] = []
        self._last = 0
        self.add("organizations", {"name": "Default"})

    def add(self, kind: str, given: Mapping[str, Any]) -> Object:
        """Keep a new object, with the defaults of what is not given."""
        self._last += 1
        number = self._last
        defaults = {name: field.default for name, field in KINDS[kind].fields.items()}
        self.objects[kind][number] = {**defaults, **given, "id": number}
        return self.shown(kind, number)

    def one(self, kind: str, number: int) -> Object:
        """An object as it is kept, its secrets too."""
        if number not in self.objects.get(kind, {}):
            raise Refusal({"detail": "Not found."}, HTTPStatus.NOT_FOUND)
        return self.objects[kind][number]

    def shown(self, kind: str, number: int) -> Object:
        """An object as AWX answers."""
        found, url = self.one(kind, number), f"{ROOT}{kind}/{number}/"
        related = {name: f"{url}{name}/" for name in (*KINDS[kind].links, *(("survey_spec",) if _asks(kind) else ()))}
        if kind == "workflow_job_template_nodes" and found["unified_job_template"] in self.objects[rules.APPROVALS]:
            related["unified_job_template"] = f"{ROOT}{rules.APPROVALS}/{found['unified_job_template']}/"
        answer = {**found, "type": KINDS[kind].type, "url": url, "related": related, "summary_fields": {}}
        if kind == "credentials":
            secret = rules.secrets(self.one("credential_types", found["credential_type"]))
            answer["inputs"] = {name: HIDDEN if name in secret else value for name, value in found["inputs"].items()}
        if kind == "projects":
            answer["scm_revision"] = ""
        return answer

    def listed(self, kind: str, query: Mapping[str, str]) -> Object:
        """The objects that fit a query; an unknown field in it is refused, as AWX does."""
        kinds = UNIFIED if kind == "unified_job_templates" else (kind,)
        everything = [self.shown(one, number) for one in kinds for number in self.objects[one]]
        found = [one for one in everything if all(_fits(one, name, value) for name, value in query.items())]
        return {"count": len(found), "next": None, "previous": None, "results": found}


def _asks(kind: str) -> bool:
    return kind in ("job_templates", "workflow_job_templates")


def _fits(found: Object, name: str, value: str) -> bool:
    if name.startswith("or__"):
        raise Refusal({"detail": f"{name} is nothing that configure.yml should ask for: names are no numbers."})
    if name not in found:
        # Of the kinds that launch, not each has each field.
        return False
    return str(found[name]) == value


class Handler(BaseHTTPRequestHandler):
    """One request; what is asked for stands in the path."""

    protocol_version = "HTTP/1.1"
    store: Store
    token: str
    lock = threading.Lock()

    def _answer(self) -> None:
        path, query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        try:
            self._admit(path)
            with self.lock:
                status, said = self._route(path.removeprefix(ROOT).strip("/").split("/"), query, body)
        except Refusal as refusal:
            status, said = refusal.status, refusal.errors
        text = b"" if said is None else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("X-API-Product-Name", "AWX")
        self.send_header("X-API-Product-Version", VERSION)
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815

    def _admit(self, path: str) -> None:
        if self.headers.get("Authorization") != f"Bearer {self.token}":
            raise Refusal({"detail": "Authentication credentials were not provided."}, HTTPStatus.UNAUTHORIZED)
        if not path.startswith(ROOT) or not path.endswith("/"):
            raise Refusal({"detail": "Not found."}, HTTPStatus.NOT_FOUND)

    def _route(self, parts: list[str], query: Mapping[str, str], body: bytes) -> tuple[int, Object | None]:
        kind, *rest = parts
        if kind not in KINDS and kind != "unified_job_templates":
            raise Refusal({"detail": "Not found."}, HTTPStatus.NOT_FOUND)
        if self.command == "GET" and not rest:
            return HTTPStatus.OK, self.store.listed(kind, query)
        if not rest:
            return self._create(kind, _data(body))
        number = int(rest[0])
        if len(rest) == 2:
            return self._below(kind, number, rest[1], body)
        if self.command == "GET":
            return HTTPStatus.OK, self.store.shown(kind, number)
        if self.command == "PATCH":
            return self._change(kind, number, _data(body))
        raise Refusal({"detail": f'Method "{self.command}" not allowed.'}, HTTPStatus.METHOD_NOT_ALLOWED)

    def _create(self, kind: str, given: Object) -> tuple[int, Object]:
        rules.check(self.store, kind, given, None)
        self.store.writes.append(f"POST {kind}")
        return HTTPStatus.CREATED, self.store.add(kind, given)

    def _change(self, kind: str, number: int, given: Object) -> tuple[int, Object]:
        kept = self.store.one(kind, number)
        rules.check(self.store, kind, {**kept, **given}, kept)
        if any(kept.get(name) != value for name, value in given.items()):
            self.store.writes.append(f"PATCH {kind}")
        kept.update(given)
        return HTTPStatus.OK, self.store.shown(kind, number)

    def _below(self, kind: str, number: int, name: str, body: bytes) -> tuple[int, Object | None]:
        """What stands below an object: its survey, its approval, or links to others."""
        store = self.store
        store.one(kind, number)
        if name == "survey_spec" and _asks(kind):
            if self.command == "GET":
                return HTTPStatus.OK, store.surveys.get((kind, number), {})
            rules.check_survey(spec := _data(body))
            store.writes.append(f"POST {kind}/survey_spec")
            store.surveys[kind, number] = spec
            return HTTPStatus.OK, {}
        if name == "create_approval_template" and kind == "workflow_job_template_nodes" and self.command == "POST":
            made = self._create(rules.APPROVALS, _data(body))
            store.one(kind, number)["unified_job_template"] = made[1]["id"]
            return made
        if name not in KINDS[kind].links:
            raise Refusal({"detail": "Not found."}, HTTPStatus.NOT_FOUND)
        linked, target = store.linked.setdefault((kind, number, name), []), KINDS[kind].links[name]
        if self.command == "GET":
            shown = [store.shown(target, other) for other in linked]
            return HTTPStatus.OK, {"count": len(shown), "next": None, "previous": None, "results": shown}
        other = _data(body)
        store.one(target, other["id"])
        rules.check_link(store, kind, number, name, other["id"])
        store.writes.append(f"POST {kind}/{name}")
        if other.get("disassociate"):
            linked.remove(other["id"])
        else:
            linked.append(other["id"])
        return HTTPStatus.NO_CONTENT, None

    def log_message(self, *arguments: Any) -> None:
        """Nothing: the store knows the writes."""


def _data(body: bytes) -> Object:
    try:
        given = json.loads(body)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise Refusal({"detail": "JSON parse error - not a JSON object"})
    return given


@contextmanager
def standing_in(playbooks: Path, token: str) -> Iterator[tuple[str, Store]]:
    """The URL of a stand-in whose projects hold these playbooks, and what it keeps."""
    store = Store(playbooks)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"store": store, "token": token}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
