# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API of one cluster: requests with retries, and the verbs get, list, watch, apply, create, patch and delete."""

from __future__ import annotations

import contextlib
import copy
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

# Within the class, `list` is a method.
Objects = list[Object]
Results = list


class Access(NamedTuple):
    """A permission; an empty namespace means all namespaces, or a cluster-scoped resource."""

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
    """The API of one cluster. Thread-safe.

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
        """The URL of the API server."""
        return self._transport.server

    @property
    def certificate_authority(self) -> str:
        """The SHA-256 of the CA certificates that verify the server; empty for the system's, or without verification."""
        return self._connection.certificate_authority

    @property
    def deadline(self) -> float | None:
        """The time (of `time.monotonic`) after which requests are no longer retried."""
        return self._transport.deadline

    @deadline.setter
    def deadline(self, value: float | None) -> None:
        self._transport.deadline = value

    @property
    def patience(self) -> float:
        """How many seconds a request is retried without a deadline."""
        return self._transport.patience

    @patience.setter
    def patience(self, value: float) -> None:
        self._transport.patience = value

    @property
    def now(self) -> datetime | None:
        """The server's clock, in whole seconds; None before its first answer, or if unknown."""
        return self._transport.now

    @property
    def meter(self) -> Meter:
        """The requests to the cluster, by phases of a run."""
        return self._transport.meter

    @property
    def warnings(self) -> Results[str]:
        """The warnings of the API server so far, without duplicates."""
        return self._transport.warnings.texts()

    @property
    def fence(self) -> Fence | None:
        """Called before each attempt to write; raises if writing is no longer allowed (see lock.py)."""
        return self._transport.fence

    @fence.setter
    def fence(self, value: Fence | None) -> None:
        self._transport.fence = value

    def without_limits(self) -> Cluster:
        """Return the same cluster without the deadline and the fence of the run."""
        other = copy.copy(self)
        other._transport = copy.copy(self._transport)
        other.deadline = other.fence = None
        return other

    @contextlib.contextmanager
    def time_limit(self, seconds: float) -> Iterator[float]:
        """Retry requests for at most `seconds` from now, within the context; yield the deadline."""
        self.deadline = deadline = time.monotonic() + seconds
        try:
            yield deadline
        finally:
            self.deadline = None

    @classmethod
    def connect(cls, options: Mapping[str, Any], *, user_agent: str) -> Cluster:
        """Return a cluster for connection options (see `open_connection`). Makes no request."""
        return cls(open_connection(options), user_agent)

    @property
    def impersonated(self) -> tuple[str, Sequence[str]]:
        """The impersonated user, empty if none, and groups."""
        return self._connection.impersonate_user or "", self._connection.impersonate_groups

    def temporary_kubeconfig(self) -> AbstractContextManager[str]:
        """Yield the path of a kubeconfig for other programs, removed at exit."""
        return self._connection.temporary_kubeconfig()

    def relay(self, *, hide: str) -> AbstractContextManager[Relay]:
        """Serve this cluster's API to another program: read-only, without Secrets that have the label `hide`."""
        return relay(self._connection, self._user_agent, hide=hide)

    def socket_to(self, namespace: str, pod: str, port: int) -> Any:
        """Return a socket to a port of a pod. Raises Unreachable if the API server does not open it."""
        return pod_socket.socket_to(self._connection, namespace, pod, port)

    # --- verbs -------------------------------------------------------------------------------------------------

    def version(self) -> Version:
        """Return the server's version, requested once."""
        if self._version is None:
            self._version = Version.of(self.raw("GET", "/version"))
        return self._version

    def get(self, kind: Kind, name: str, namespace: str = "") -> dict[str, Any] | None:
        """Return the object; None if it, its namespace or its kind is not found."""
        found = read_back.found(lambda: self.raw("GET", self._path(kind, namespace, name)))
        return None if found is None else readable(found, self.server, self._space(kind, namespace))

    def list(self, kind: Kind, namespace: str = "", *, label_selector: str = "", field_selector: str = "") -> Objects:
        """List the objects of a kind (in all namespaces if empty); empty if the kind is not found."""
        return self.list_with_version(kind, namespace, label_selector=label_selector, field_selector=field_selector)[0]

    def list_with_version(
        self, kind: Kind, namespace: str = "", *, label_selector: str = "", field_selector: str = ""
    ) -> tuple[Objects, str]:
        """List the objects of a kind; return them and the resourceVersion to watch from."""
        query = {"labelSelector": label_selector, "fieldSelector": field_selector}
        found = read_back.found(lambda: read_pages(self, self._path(kind, namespace), query))
        if found is None:
            return [], ""
        # Items of a list have no apiVersion and kind.
        itself = {"apiVersion": kind.api_version, "kind": kind.kind}
        items = [{**itself, **item} if isinstance(item, dict) else item for item in found[0]]
        space = self._space(kind, namespace)
        return [readable(item, self.server, space) for item in items], found[1]

    def list_many(self, requests: Iterable[tuple[Kind, str, str]]) -> Results[Objects]:
        """List in parallel; a request is (kind, namespace, label selector)."""
        return self.parallel(lambda one: self.list(one[0], one[1], label_selector=one[2]), list(requests))

    def apply(
        self, obj: Mapping[str, Any], *, manager: str, dry_run: bool = False, force: bool = True
    ) -> dict[str, Any]:
        """Apply an object (server-side apply); return the resulting object.

        force: overwrite fields of other managers, which is an ApiError (409, conflict) otherwise.
        """
        query = {"fieldManager": manager, "force": "true" if force else "false"}
        return self._write("PATCH", self._path_of(obj), obj, query, dry_run, APPLY)

    def create(self, obj: Mapping[str, Any], *, manager: str, dry_run: bool = False) -> dict[str, Any]:
        """Create an object. Raises ApiError with reason AlreadyExists if another client has created it.

        If the answer was lost, the object is read: it counts as created if `manager` has created it since.
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
        """Apply a JSON merge patch; a resourceVersion in its metadata is a precondition."""
        path = self._path(kind, namespace, name)
        try:
            return self._write("PATCH", path, body, {"fieldManager": manager}, dry_run, MERGE_PATCH)
        except (ApiError, Unreachable) as error:
            live = read_back.after(self, error, Key(*kind, namespace, name))
            if live is None or not merge_patch.holds(live, body):
                raise
            return live

    def set_managed_fields(
        self, key: Key, resource_version: str, entries: Sequence[Mapping[str, Any]], *, manager: str
    ) -> dict[str, Any]:
        """Set an object's managedFields if it is still at `resource_version` (else 409 or 422)."""
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
        """Delete an object; return False if it was not found.

        `uid` and `resource_version` are preconditions: do not delete a recreated or changed object (409).
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
        """Watch changes since `resource_version` as (type, object), for at most `timeout` seconds.

        Raises ApiError with status 410 if that version has expired: list again.
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
            bookmark = happened == "BOOKMARK"  # has a resourceVersion, but no name
            yield happened, obj if bookmark else readable(obj, self.server, self._space(kind, namespace))

    def serves(self, kind: Kind) -> bool:
        """Return whether the API server serves the kind at this version. Raises ApiError if its group is unavailable."""
        return self._discovery.find(kind) is not None

    def at_served_version(self, kind: Kind) -> Kind | None:
        """Return the kind at a version that the API server serves, preferably its own; None if it serves none."""
        return self._discovery.served_version(kind)

    def deletable(self) -> Results[Kind]:
        """Return the kinds that can be listed and deleted, each at the preferred version."""
        return self._discovery.deletable()

    def namespaced(self, kind: Kind) -> bool:
        """Return whether the kind is namespaced. Raises UnknownKind for an unknown kind."""
        return self._known(kind).namespaced

    def plural(self, kind: Kind) -> str:
        """Return the name of the kind's resource, as in paths and RBAC rules."""
        return self._known(kind).plural

    def kind_named(self, plural: str, group: str) -> Kind | None:
        """Return the kind of a resource of an API group, at any version; None if not found."""
        known = {**self._discovery.served(), **self._resources}
        return next((kind for kind in known if kind.group == group and known[kind].plural == plural), None)

    def learn(self, definitions: Iterable[Mapping[str, Any]]) -> None:
        """Add the kinds of these CustomResourceDefinitions, which may not be installed yet."""
        self._resources.update(builtin_kinds.of_definitions(definitions))

    @property
    def discovery(self) -> Discovery:
        """The kinds that the API server serves."""
        return self._discovery

    def denied(self, checks: Sequence[Access]) -> Results[Access]:
        """Return those of `checks` that are denied; one SelfSubjectAccessReview each, in parallel."""
        answers = self.parallel(self._is_denied, checks)
        return [check for check, denied in zip(checks, answers, strict=True) if denied]

    def _is_denied(self, check: Access) -> bool:
        spec = {"resourceAttributes": {key: value for key, value in check._asdict().items() if value}}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
        answer = self.raw("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)
        return not map_of(answer.get("status")).get("allowed")

    def parallel(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Results[Result]:
        """Call `function` for all `items` in parallel; return the results in order, raise the first failure."""
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
        """Return the default namespace of an answer's objects; None for a cluster-scoped kind."""
        return namespace if self._known(kind).namespaced else None

    def _known(self, kind: Kind) -> builtin_kinds.Resource:
        # Kinds of the plan's CRDs are known before the server serves them.
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
        """Send a request with retries; return the answer's JSON, or its text if `accept` requests it."""
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
