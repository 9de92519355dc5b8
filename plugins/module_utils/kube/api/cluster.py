# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One cluster's API: requests with retries, and the verbs that everything else is made of."""

from __future__ import annotations

import contextlib
import copy
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from .. import threads
from ..errors import ApiError, UnknownKind, Unreachable
from ..objects import builtin_kinds, merge_patch
from ..objects.object_shapes import readable
from ..objects.objects import Key, Kind, Object, key_of
from ..objects.shapes import map_of
from . import pod_socket, read_back
from .connection import POOL_SIZE, Connection, open_connection
from .discovery import Discovery
from .metrics import Meter
from .paging import read_pages
from .read_only_proxy import Relay, relay
from .responses import watched
from .transport import APPLY, MERGE_PATCH, Fence, Transport
from .version import Version

Item = TypeVar("Item")
Result = TypeVar("Result")

# Inside the class the name 'list' is that of a verb.
Objects = list[Object]
Results = list


class Access(NamedTuple):
    """One thing that the user may or may not do; an empty namespace means all of them, or none."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    def __str__(self) -> str:
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        resource = f"{resource}/{self.subresource}" if self.subresource else resource
        return f"{self.verb} {resource}" + (f" in namespace {self.namespace}" if self.namespace else "")


class Cluster:
    """The API of one cluster. Safe for use by threads at once.

    Failures are raised as Unreachable, Unauthorized or ApiError.
    """

    def __init__(self, connection: Connection, user_agent: str) -> None:
        self.context = connection.context
        self._connection = connection
        self._user_agent = user_agent
        self._transport = Transport(connection, user_agent)
        self._version: Version | None = None
        self._resources = dict(builtin_kinds.BUILT_IN)
        self._discovery = Discovery(partial(self.raw, "GET"), self.parallel)

    @property
    def server(self) -> str:
        """The API server's address, a URL."""
        return self._transport.server

    @property
    def certificate_authority(self) -> str:
        """The SHA-256 of the certificates that the server's is checked with; empty for those of the system, or none."""
        return self._connection.certificate_authority

    @property
    def deadline(self) -> float | None:
        """When (by `time.monotonic`) requests are no longer retried."""
        return self._transport.deadline

    @deadline.setter
    def deadline(self, value: float | None) -> None:
        self._transport.deadline = value

    @property
    def patience(self) -> float:
        """For how many seconds a request is retried where there is no deadline."""
        return self._transport.patience

    @patience.setter
    def patience(self, value: float) -> None:
        self._transport.patience = value

    @property
    def now(self) -> datetime | None:
        """The server's clock, as precise as a second; None before its first answer, or where it does not tell."""
        return self._transport.now

    @property
    def meter(self) -> Meter:
        """What is asked of the cluster, by the phases of a run."""
        return self._transport.meter

    @property
    def warnings(self) -> Results[str]:
        """What the API server has warned of so far, each once."""
        return self._transport.warnings.texts()

    @property
    def fence(self) -> Fence | None:
        """Called before each attempt to write, and raises where there must be none any more (see lock.py)."""
        return self._transport.fence

    @fence.setter
    def fence(self, value: Fence | None) -> None:
        self._transport.fence = value

    def aside(self) -> Cluster:
        """The same cluster for requests beside a run: with neither its time limit nor its fence."""
        other = copy.copy(self)
        other._transport = copy.copy(self._transport)
        other.deadline = other.fence = None
        return other

    @contextlib.contextmanager
    def time_limit(self, seconds: float) -> Iterator[float]:
        """Retry requests no longer than `seconds` from now, for the length of the context; yields when that is."""
        self.deadline = deadline = time.monotonic() + seconds
        try:
            yield deadline
        finally:
            self.deadline = None

    @classmethod
    def connect(cls, options: Mapping[str, Any], *, user_agent: str) -> Cluster:
        """A cluster by connection options (see `open_connection`). Makes no request."""
        return cls(open_connection(options), user_agent)

    @property
    def impersonated(self) -> tuple[str, Sequence[str]]:
        """The user, empty if there is none, and the groups that requests are made as."""
        return self._connection.impersonate_user or "", self._connection.impersonate_groups

    def temporary_kubeconfig(self) -> AbstractContextManager[str]:
        """The path of a kubeconfig for other programs, removed at the context's exit."""
        return self._connection.temporary_kubeconfig()

    def relay(self, *, hide: str) -> AbstractContextManager[Relay]:
        """Serve this cluster's API to another program: read-only, and without Secrets that have the label `hide`."""
        return relay(self._connection, self._user_agent, hide=hide)

    def socket_to(self, namespace: str, pod: str, port: int) -> Any:
        """A socket whose other end is a port of a pod. Unreachable where the API server does not open it."""
        return pod_socket.socket_to(self._connection, namespace, pod, port)

    # --- verbs -------------------------------------------------------------------------------------------------

    def version(self) -> Version:
        """The server's version; asked for once."""
        if self._version is None:
            answer = self.raw("GET", "/version")
            major, minor = (re.match(r"\d*", str(answer.get(part, ""))) for part in ("major", "minor"))
            self._version = Version(
                int(major.group() or 0) if major else 0,
                int(minor.group() or 0) if minor else 0,
                str(answer.get("gitVersion", "")),
            )
        return self._version

    def get(self, kind: Kind, name: str, namespace: str = "") -> dict[str, Any] | None:
        """The object, or None where it, its namespace or its kind does not exist."""
        found = read_back.found(lambda: self.raw("GET", self._path(kind, namespace, name)))
        return None if found is None else readable(found, self.server, self._space(kind, namespace))

    def list(self, kind: Kind, namespace: str = "", *, label_selector: str = "", field_selector: str = "") -> Objects:
        """The objects of a kind (in all namespaces if none is named); none where the kind does not exist."""
        return self.list_with_version(kind, namespace, label_selector=label_selector, field_selector=field_selector)[0]

    def list_with_version(
        self, kind: Kind, namespace: str = "", *, label_selector: str = "", field_selector: str = ""
    ) -> tuple[Objects, str]:
        """The objects of a kind, and the resourceVersion from which a watch goes on."""
        query = {"labelSelector": label_selector, "fieldSelector": field_selector}
        found = read_back.found(lambda: read_pages(self, self._path(kind, namespace), query))
        if found is None:
            return [], ""
        # A list leaves out what its own kind says already.
        itself = {"apiVersion": kind.api_version, "kind": kind.kind}
        items = [{**itself, **item} if isinstance(item, dict) else item for item in found[0]]
        space = self._space(kind, namespace)
        return [readable(item, self.server, space) for item in items], found[1]

    def list_many(self, requests: Iterable[tuple[Kind, str, str]]) -> Results[Objects]:
        """Lists in parallel; a request is (kind, namespace, label selector)."""
        return self.parallel(lambda one: self.list(one[0], one[1], label_selector=one[2]), list(requests))

    def apply(
        self, obj: Mapping[str, Any], *, manager: str, dry_run: bool = False, force: bool = True
    ) -> dict[str, Any]:
        """Server-side apply; returns the object as it is then.

        force: overwrite what other managers have set, which is an ApiError (409) otherwise.
        """
        query = {"fieldManager": manager, "force": "true" if force else "false"}
        return self._write("PATCH", self._path_of(obj), obj, query, dry_run, APPLY)

    def create(self, obj: Mapping[str, Any], *, manager: str, dry_run: bool = False) -> dict[str, Any]:
        """Create an object; ApiError with reason AlreadyExists where somebody else has made one.

        One whose answer was lost is read back: it counts as created if `manager` has made it since.
        """
        key, begun = key_of(obj), self.now
        try:
            return self._write("POST", self._path(key.of, key.namespace), obj, {"fieldManager": manager}, dry_run)
        except (ApiError, Unreachable) as error:
            live = read_back.after(self, error, key)
            if live is None or not read_back.created_by(live, manager, begun):
                raise
            return live

    def merge_patch(
        self, kind: Kind, name: str, namespace: str, body: Mapping[str, Any], *, manager: str, dry_run: bool = False
    ) -> dict[str, Any]:
        """A JSON merge patch; a resourceVersion in its metadata guards it, unless it is in the object already."""
        path = self._path(kind, namespace, name)
        try:
            return self._write("PATCH", path, body, {"fieldManager": manager}, dry_run, MERGE_PATCH)
        except (ApiError, Unreachable) as error:
            live = read_back.after(self, error, Key(*kind, namespace, name))
            if live is None or not merge_patch.holds(live, body):
                raise
            return live

    def hand_over(
        self, key: Key, resource_version: str, entries: Sequence[Mapping[str, Any]], *, manager: str
    ) -> dict[str, Any]:
        """Set an object's managedFields, provided that it is still at `resource_version` (else 409 or 422)."""
        patch = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": resource_version},
            {"op": "replace", "path": "/metadata/managedFields", "value": list(entries)},
        ]
        path = self._path(key.of, key.namespace, key.name)
        return self._write("PATCH", path, patch, {"fieldManager": manager}, False, "application/json-patch+json")

    def delete(
        self,
        kind: Kind,
        name: str,
        namespace: str = "",
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation: str = "Background",
        dry_run: bool = False,
    ) -> bool:
        """Delete an object; False where there was none.

        `uid` guards against deleting a successor, `resource_version` against deleting a changed one (409).
        """
        options: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        options["preconditions"] = {name: value for name, value in preconditions.items() if value}
        try:
            path = self._path(kind, namespace, name)
            return read_back.found(lambda: self._write("DELETE", path, options, {}, dry_run)) is not None
        except UnknownKind:
            return False
        except (ApiError, Unreachable) as error:
            live = read_back.after(self, error, Key(*kind, namespace, name))
            if dry_run or (live is not None and not read_back.deleted(live, uid)):
                raise
            return True

    def watch(
        self,
        kind: Kind,
        namespace: str = "",
        *,
        resource_version: str,
        timeout: float,
        label_selector: str = "",
        field_selector: str = "",
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Changes since `resource_version` as (type, object), for at most `timeout` seconds, then silently none.

        Raises ApiError with status 410 where that version is too old: list again.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(max(1, int(timeout + 0.999))),
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
        }
        path = self._path(kind, namespace)
        for event in self._transport.stream(path, query, timeout=timeout):
            happened, obj = watched(path, event)
            bookmark = happened == "BOOKMARK"  # which has a version, and no name
            yield happened, obj if bookmark else readable(obj, self.server, self._space(kind, namespace))

    def serves(self, kind: Kind) -> bool:
        """Whether the API server knows the kind at this version; ApiError where its API group does not answer."""
        return self._discovery.find(kind) is not None

    def at_served_version(self, kind: Kind) -> Kind | None:
        """The kind at a version that the API server serves, at its own if possible; None where it serves none."""
        return self._discovery.served_version(kind)

    def deletable(self) -> Results[Kind]:
        """The kinds whose objects can be listed and deleted, each at the version that the API server prefers."""
        return self._discovery.deletable()

    def namespaced(self, kind: Kind) -> bool:
        """Whether objects of the kind live in namespaces; raises InvalidInput for a kind that nobody knows."""
        return self._known(kind).namespaced

    def plural(self, kind: Kind) -> str:
        """The name of the kind's resource, as in paths and access rules."""
        return self._known(kind).plural

    def kind_named(self, plural: str, group: str) -> Kind | None:
        """The kind whose resource has this name in an API group, at any version; None where there is none."""
        known = {**self._discovery.served(), **self._resources}
        return next((kind for kind in known if kind.group == group and known[kind].plural == plural), None)

    def learn(self, definitions: Iterable[Mapping[str, Any]]) -> None:
        """Know the kinds of these CustomResourceDefinitions, which may not be installed yet."""
        self._resources.update(builtin_kinds.of_definitions(definitions))

    def allowed(self, checks: Sequence[Access]) -> Results[Access]:
        """Those of `checks` that the user may not do; asked in parallel, one review each."""
        denied = self.parallel(self._denied, checks)
        return [check for check, no in zip(checks, denied, strict=True) if no]

    def _denied(self, check: Access) -> bool:
        spec = {"resourceAttributes": {key: value for key, value in check._asdict().items() if value}}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
        answer = self.raw("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)
        return not map_of(answer.get("status")).get("allowed")

    def parallel(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Results[Result]:
        """`function` over `items` with many requests in flight; results in order, the first failure raised."""
        if len(items) < 2:
            return [function(item) for item in items]
        return threads.each(function, items, size=POOL_SIZE)

    def _path_of(self, obj: Mapping[str, Any]) -> str:
        key = key_of(obj)
        return self._path(key.of, key.namespace, key.name)

    def _path(self, kind: Kind, namespace: str = "", name: str = "") -> str:
        resource = self._known(kind)
        root = "/apis/" if "/" in kind.api_version else "/api/"
        scope = f"/namespaces/{quote(namespace, safe='')}" if namespace and resource.namespaced else ""
        return f"{root}{kind.api_version}{scope}/{resource.plural}" + (f"/{quote(name, safe='')}" if name else "")

    def _space(self, kind: Kind, namespace: str) -> str | None:
        """The namespace of an object that does not tell its own; None for a kind without namespaces."""
        return namespace if self._known(kind).namespaced else None

    def _known(self, kind: Kind) -> builtin_kinds.Resource:
        # A kind of the plan's own CRDs is known although the server may not serve it yet.
        return self._resources.get(kind) or self._discovery.known(kind)

    def raw(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str | None = None,
        accept: str = "application/json",
        briefly: bool = False,
    ) -> Any:
        """One request, retried while it makes sense; the answer's JSON, or its text where `accept` asks for that."""
        return self._transport.request(
            method, path, body, query=query, content_type=content_type, accept=accept, briefly=briefly
        )

    def _write(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | Sequence[Any],
        query: Mapping[str, str],
        dry_run: bool,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        query = {**query, "dryRun": "All"} if dry_run else query
        answer: dict[str, Any] = self.raw(method, path, body, query=query, content_type=content_type)
        return answer if method == "DELETE" else readable(answer, self.server)
