# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One cluster's API: requests with retries, and the verbs that everything else is made of."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from . import resources, threads, tunnel
from .connection import POOL_SIZE, Connection, open_connection
from .errors import ApiError, UnknownKind
from .meter import Meter
from .object_shapes import readable
from .objects import Key, Kind, key_of
from .relay import Relay, relay
from .shapes import list_of, map_of
from .transport import APPLY, MERGE_PATCH, Transport, api_error

Item = TypeVar("Item")
Result = TypeVar("Result")

# Inside the class the name 'list' is that of a verb.
Object = dict[str, Any]
Objects = list[Object]
Results = list


class Version(NamedTuple):
    """A Kubernetes version; `git` is the server's own full name for it, such as `v1.35.4`."""

    major: int
    minor: int
    git: str

    def __str__(self) -> str:
        return self.git.removeprefix("v")


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

    `deadline` (of `time.monotonic`) bounds the retries of every request. Failures are raised as Unreachable,
    Unauthorized or ApiError.
    """

    def __init__(self, connection: Connection, user_agent: str) -> None:
        self.context = connection.context
        self._connection = connection
        self._user_agent = user_agent
        self._transport = Transport(connection, user_agent)
        self._version: Version | None = None
        self._resources = dict(resources.BUILT_IN)
        self._discovered: dict[Kind, resources.Resource] | None = None
        self._discovering = threading.Lock()

    @property
    def server(self) -> str:
        """The API server's address, a URL."""
        return self._transport.server

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
        return tunnel.socket_to(self._connection, namespace, pod, port)

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
        found = _found(lambda: self.raw("GET", self._path(kind, namespace, name)))
        return None if found is None else readable(found, self.server, self._space(kind, namespace))

    def list(self, kind: Kind, namespace: str = "", *, label_selector: str = "", field_selector: str = "") -> Objects:
        """The objects of a kind (in all namespaces if none is named); none where the kind does not exist."""
        return self.list_with_version(kind, namespace, label_selector=label_selector, field_selector=field_selector)[0]

    def list_with_version(
        self, kind: Kind, namespace: str = "", *, label_selector: str = "", field_selector: str = ""
    ) -> tuple[Objects, str]:
        """The objects of a kind, and the resourceVersion from which a watch goes on."""
        query = {"labelSelector": label_selector, "fieldSelector": field_selector}
        answer = _found(lambda: self.raw("GET", self._path(kind, namespace), query=query))
        if answer is None:
            return [], ""
        # A list leaves out what its own kind says already.
        itself = {"apiVersion": kind.api_version, "kind": kind.kind}
        items = [{**itself, **item} if isinstance(item, dict) else item for item in list_of(answer.get("items"))]
        version = map_of(answer.get("metadata")).get("resourceVersion")
        space = self._space(kind, namespace)
        return [readable(item, self.server, space) for item in items], version if isinstance(version, str) else ""

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
        """Create an object; ApiError with reason AlreadyExists where there is one."""
        key = key_of(obj)
        return self._write("POST", self._path(key.of, key.namespace), obj, {"fieldManager": manager}, dry_run)

    def merge_patch(
        self, kind: Kind, name: str, namespace: str, body: Mapping[str, Any], *, manager: str, dry_run: bool = False
    ) -> dict[str, Any]:
        """A JSON merge patch; a resourceVersion in its metadata guards it."""
        path = self._path(kind, namespace, name)
        return self._write("PATCH", path, body, {"fieldManager": manager}, dry_run, MERGE_PATCH)

    def hand_over(self, key: Key, resource_version: str, entries: Sequence[Mapping[str, Any]], *, manager: str) -> None:
        """Set an object's managedFields, provided that it is still at `resource_version` (else 409 or 422)."""
        patch = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": resource_version},
            {"op": "replace", "path": "/metadata/managedFields", "value": list(entries)},
        ]
        path = self._path(key.of, key.namespace, key.name)
        self._write("PATCH", path, patch, {"fieldManager": manager}, False, "application/json-patch+json")

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
        return (
            _found(lambda: self._write("DELETE", self._path(kind, namespace, name), options, {}, dry_run)) is not None
        )

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
            happened, obj = str(event.get("type")), event.get("object")
            if happened == "ERROR":
                code = map_of(obj).get("code")
                status = code if isinstance(code, int) else 500
                raise api_error("GET", path, status, json.dumps(obj).encode())
            if happened == "BOOKMARK":
                yield happened, {"metadata": map_of(map_of(obj).get("metadata"))}
            else:
                yield happened, readable(obj, self.server, self._space(kind, namespace))

    def serves(self, kind: Kind) -> bool:
        """Whether the API server knows the kind at this version."""
        return kind in self._served()

    def at_served_version(self, kind: Kind) -> Kind | None:
        """The kind at a version that the API server serves, at its own if possible; None where it serves none."""
        versions = [one for one in self._served() if (one.group, one.kind) == (kind.group, kind.kind)]
        return kind if kind in versions else next(iter(versions), None)

    def deletable(self) -> Results[Kind]:
        """The kinds whose objects can be listed and deleted, each at the version that the API server prefers."""
        kinds = {(kind.group, kind.kind): kind for kind, one in reversed(self._served().items()) if one.deletable}
        return list(kinds.values())

    def namespaced(self, kind: Kind) -> bool:
        """Whether objects of the kind live in namespaces; raises InvalidInput for a kind that nobody knows."""
        return self._known(kind).namespaced

    def plural(self, kind: Kind) -> str:
        """The name of the kind's resource, as in paths and access rules."""
        return self._known(kind).plural

    def kind_named(self, plural: str, group: str) -> Kind | None:
        """The kind whose resource has this name in an API group, at any version; None where there is none."""
        known = {**self._served(), **self._resources}
        return next((kind for kind in known if kind.group == group and known[kind].plural == plural), None)

    def learn(self, definitions: Iterable[Mapping[str, Any]]) -> None:
        """Know the kinds of these CustomResourceDefinitions, which may not be installed yet."""
        self._resources.update(resources.of_definitions(definitions))

    def allowed(self, checks: Sequence[Access]) -> Results[Access]:
        """Those of `checks` that the user may not do; asked in parallel, one review each."""
        denied = self.parallel(self._denied, checks)
        return [check for check, no in zip(checks, denied, strict=True) if no]

    def _denied(self, check: Access) -> bool:
        attributes = {key: value for key, value in check._asdict().items() if value}
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        answer = self.raw("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)
        return not map_of(answer.get("status")).get("allowed")

    def parallel(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Results[Result]:
        """`function` over `items` with many requests in flight; results in order, the first failure raised."""
        if len(items) < 2:
            return [function(item) for item in items]
        with threads.pool(min(POOL_SIZE, len(items))) as pool:
            try:
                return list(pool.map(function, items))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    # --- paths -------------------------------------------------------------------------------------------------

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

    def _known(self, kind: Kind) -> resources.Resource:
        # A kind of the plan's own CRDs is known although the server may not serve it yet.
        resource = self._resources.get(kind) or self._served().get(kind)
        if resource is None:
            versions = sorted(known.api_version for known in self._served() if known.kind == kind.kind)
            hint = f"; it serves that kind as {', '.join(versions)}" if versions else ""
            raise UnknownKind(
                f"The cluster does not know {kind.kind} of {kind.api_version}{hint}.",
                kind=kind._asdict(),
                served=versions,
            )
        return resource

    def _served(self) -> dict[Kind, resources.Resource]:
        """Every kind that the server serves; asked for once."""
        with self._discovering:
            if self._discovered is None:
                self._discovered = {}
                for path in ("/api", "/apis"):
                    answer = self.raw("GET", path, accept=resources.DISCOVERY)
                    documents = [answer]
                    if answer.get("kind") != "APIGroupDiscoveryList":
                        # Kubernetes before 1.27 does not aggregate: a request for each version of each group.
                        paths = [f"{path}/{version}" for version in resources.versions_of(answer)]
                        documents = self.parallel(lambda one: self.raw("GET", one), paths)
                    for document in documents:
                        self._discovered.update(resources.of_discovery(document))
            return self._discovered

    # --- requests ----------------------------------------------------------------------------------------------

    def raw(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str | None = None,
        accept: str = "application/json",
    ) -> Any:
        """One request, retried while it makes sense; the answer's JSON, or its text where `accept` asks for that."""
        return self._transport.request(method, path, body, query=query, content_type=content_type, accept=accept)

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


def _found(request: Callable[[], Any]) -> Any:
    try:
        return request()
    except UnknownKind:
        return None
    except ApiError as error:
        if error.status == 404:
            return None
        raise
