# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One cluster's API: requests with retries, and the verbs that everything else is made of."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

from . import resources
from .connection import POOL_SIZE, Connection, open_connection
from .errors import ApiError, InvalidInput, Unauthorized, Unreachable
from .objects import Key, Kind, key_of

FIRST_CONTACT = 3.0
"""Seconds that a server which has never answered is tried for: a wrong address should not cost the whole time limit."""

PATIENCE = 30.0
"""Seconds that requests are retried for where no time limit is set, and the longest that one request may hang."""

_RETRIED = frozenset({429, 500, 502, 503, 504})

Item = TypeVar("Item")
Result = TypeVar("Result")


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
        self.server: str = connection.configuration.host
        self.context = connection.context
        self.deadline: float | None = None
        self._connection = connection
        self._user_agent = user_agent
        self._answered = False
        self._version: Version | None = None
        self._resources = dict(resources.BUILT_IN)
        self._discovered: dict[Kind, resources.Resource] | None = None
        self._discovering = threading.Lock()

    @classmethod
    def connect(cls, options: Mapping[str, Any], *, user_agent: str) -> Cluster:
        """A cluster by connection options (see `open_connection`). Makes no request."""
        return cls(open_connection(options), user_agent)

    def temporary_kubeconfig(self) -> AbstractContextManager[str]:
        """The path of a kubeconfig for other programs, removed at the context's exit."""
        return self._connection.temporary_kubeconfig()

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
        return _found(lambda: self.raw("GET", self._path(kind, namespace, name)))

    def list(
        self, kind: Kind, namespace: str = "", *, label_selector: str = "", field_selector: str = ""
    ) -> list[dict[str, Any]]:
        """The objects of a kind (in all namespaces if none is named); none where the kind does not exist."""
        return self.list_with_version(kind, namespace, label_selector=label_selector, field_selector=field_selector)[0]

    def list_with_version(
        self, kind: Kind, namespace: str = "", *, label_selector: str = "", field_selector: str = ""
    ) -> tuple[list[dict[str, Any]], str]:
        """The objects of a kind, and the resourceVersion from which a watch goes on."""
        query = {"labelSelector": label_selector, "fieldSelector": field_selector}
        answer = _found(lambda: self.raw("GET", self._path(kind, namespace), query=query))
        if answer is None:
            return [], ""
        # A list leaves out what its own kind says already.
        items = [{"apiVersion": kind.api_version, "kind": kind.kind, **item} for item in answer.get("items") or ()]
        return items, (answer.get("metadata") or {}).get("resourceVersion", "")

    def list_many(self, requests: Iterable[tuple[Kind, str, str]]) -> list[list[dict[str, Any]]]:
        """Lists in parallel; a request is (kind, namespace, label selector)."""
        return self.parallel(lambda one: self.list(one[0], one[1], label_selector=one[2]), list(requests))

    def apply(self, obj: Mapping[str, Any], *, manager: str, dry_run: bool = False) -> dict[str, Any]:
        """Server-side apply, taking fields over from other managers; returns the object as it is then."""
        query = {"fieldManager": manager, "force": "true"}
        return self._write("PATCH", self._path_of(obj), obj, query, dry_run, "application/apply-patch+yaml")

    def create(self, obj: Mapping[str, Any], *, manager: str, dry_run: bool = False) -> dict[str, Any]:
        """Create an object; ApiError with reason AlreadyExists where there is one."""
        key = key_of(obj)
        return self._write("POST", self._path(key.of, key.namespace), obj, {"fieldManager": manager}, dry_run)

    def replace(self, obj: Mapping[str, Any], *, manager: str, dry_run: bool = False) -> dict[str, Any]:
        """Replace an object; its metadata.resourceVersion guards against concurrent changes (409)."""
        return self._write("PUT", self._path_of(obj), obj, {"fieldManager": manager}, dry_run)

    def merge_patch(
        self, kind: Kind, name: str, namespace: str, body: Mapping[str, Any], *, manager: str, dry_run: bool = False
    ) -> dict[str, Any]:
        """A JSON merge patch; a resourceVersion in its metadata guards it."""
        path = self._path(kind, namespace, name)
        return self._write("PATCH", path, body, {"fieldManager": manager}, dry_run, "application/merge-patch+json")

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
        propagation: str = "Background",
        dry_run: bool = False,
    ) -> bool:
        """Delete an object; False where there was none. `uid` guards against deleting a successor."""
        options: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        if uid:
            options["preconditions"] = {"uid": uid}
        path = self._path(kind, namespace, name)
        return _found(lambda: self._write("DELETE", path, options, {}, dry_run)) is not None

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
        from urllib3.exceptions import HTTPError
        from urllib3.util import Timeout

        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(max(1, int(timeout + 0.999))),
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
        }
        ends = time.monotonic() + timeout
        path = self._path(kind, namespace)
        response = self._send("GET", path, None, query, None, Timeout(connect=5, read=max(0.1, timeout)), stream=True)
        try:
            if response.status >= 400:
                raise _api_error("GET", path, response.status, response.read())
            for line in _lines(response):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    status = event.get("object") or {}
                    raise _api_error("GET", path, int(status.get("code") or 500), json.dumps(status).encode())
                yield event["type"], event["object"]
                if time.monotonic() > ends:
                    return
        except (HTTPError, OSError):
            return  # the time is up, or the connection has dropped: the caller goes on from the last version seen
        finally:
            response.close()

    def serves(self, kind: Kind) -> bool:
        """Whether the API server knows the kind at this version."""
        return kind in self._served()

    def namespaced(self, kind: Kind) -> bool:
        """Whether objects of the kind live in namespaces; raises InvalidInput for a kind that nobody knows."""
        return self._known(kind).namespaced

    def plural(self, kind: Kind) -> str:
        """The name of the kind's resource, as in paths and access rules."""
        return self._known(kind).plural

    def learn(self, definitions: Iterable[Mapping[str, Any]]) -> None:
        """Know the kinds of these CustomResourceDefinitions, which may not be installed yet."""
        self._resources.update(resources.of_definitions(definitions))

    def allowed(self, checks: Sequence[Access]) -> list[Access]:
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
        return not answer.get("status", {}).get("allowed")

    def parallel(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """`function` over `items` with many requests in flight; results in order, the first failure raised."""
        if len(items) < 2:
            return [function(item) for item in items]
        with ThreadPoolExecutor(max_workers=min(POOL_SIZE, len(items))) as pool:
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

    def _known(self, kind: Kind) -> resources.Resource:
        # A kind of the plan's own CRDs is known although the server may not serve it yet.
        resource = self._resources.get(kind) or self._served().get(kind)
        if resource is None:
            versions = sorted(known.api_version for known in self._served() if known.kind == kind.kind)
            hint = f"; it serves that kind as {', '.join(versions)}" if versions else ""
            raise UnknownKind(
                f"The cluster does not know {kind.kind} of {kind.api_version}{hint}.", kind=kind._asdict()
            )
        return resource

    def _served(self) -> dict[Kind, resources.Resource]:
        """Every kind that the server serves, by aggregated discovery; asked for once."""
        with self._discovering:
            if self._discovered is None:
                accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
                self._discovered = {}
                for path in ("/api", "/apis"):
                    self._discovered.update(resources.of_discovery(self.raw("GET", path, accept=accept)))
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
        """One request, retried while it makes sense; the answer's JSON, or its text where it is not JSON."""
        from urllib3.exceptions import HTTPError
        from urllib3.util import Timeout

        started, attempt = time.monotonic(), 0
        while True:
            remaining = self._remaining(started)
            try:
                # A read that hangs is cut while there is time to ask again.
                timeout = Timeout(connect=min(5.0, max(0.5, remaining)), read=min(PATIENCE, max(0.5, remaining)))
                response = self._send(method, path, body, query, content_type, timeout, accept=accept)
                status, data, headers = response.status, response.data, response.headers
            except (HTTPError, OSError) as error:
                pause = self._pause(attempt, None, started)
                if pause is None or _never_heals(error):
                    raise self._unreachable(error) from error
            else:
                self._answered = True
                if status < 400:
                    return _decoded(data)
                if status == 401:
                    who = f" of context '{self.context}'" if self.context else ""
                    raise Unauthorized(
                        f"The cluster at {self.server} does not accept the credentials{who}: "
                        "they are wrong or have expired.",
                        server=self.server,
                    )
                error_of_api = _api_error(method, path, status, data)
                pause = (
                    self._pause(attempt, headers.get("Retry-After"), started)
                    if _worth_retrying(method, error_of_api)
                    else None
                )
                if pause is None:
                    raise error_of_api
            attempt += 1
            time.sleep(pause)

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
        return answer

    def _send(
        self,
        method: str,
        path: str,
        body: Any,
        query: Mapping[str, str] | None,
        content_type: str | None,
        timeout: Any,
        *,
        accept: str = "application/json",
        stream: bool = False,
    ) -> Any:
        from urllib3 import HTTPHeaderDict

        headers = HTTPHeaderDict({"User-Agent": self._user_agent, "Accept": accept})
        if body is not None:
            headers["Content-Type"] = content_type or "application/json"
        self._connection.authorise(headers)
        given = {name: value for name, value in (query or {}).items() if value}
        url = self.server + path + (f"?{urlencode(given)}" if given else "")
        return self._connection.pool.request(
            method,
            url,
            body=None if body is None else json.dumps(body, separators=(",", ":")).encode(),
            headers=headers,
            timeout=timeout,
            retries=False,
            redirect=False,
            preload_content=not stream,
        )

    def _remaining(self, started: float) -> float:
        end = self.deadline if self.deadline is not None else started + PATIENCE
        return end - time.monotonic()

    def _pause(self, attempt: int, retry_after: str | None, started: float) -> float | None:
        """Seconds until the next attempt, or None where there is to be none."""
        pause = float(retry_after) if retry_after and retry_after.isdigit() else min(5.0, 0.1 * 2**attempt)
        remaining = self._remaining(started)
        if not self._answered:
            remaining = min(remaining, started + FIRST_CONTACT - time.monotonic())
        return pause if pause < remaining else None

    def _unreachable(self, error: BaseException) -> Unreachable:
        cause = getattr(error, "reason", None) or error
        text = re.sub(r"^<?[\w.]+\(?.*?\)?>?: ", "", str(cause)) if str(cause).startswith("<") else str(cause)
        text = " ".join(text.split()).rstrip(".")
        if "CERTIFICATE_VERIFY_FAILED" in text or "certificate verify failed" in text:
            return Unreachable(
                f"The certificate of the cluster at {self.server} is not trusted: {text}.", server=self.server
            )
        verb = "no longer answers" if self._answered else "does not answer"
        return Unreachable(f"The cluster at {self.server} {verb}: {text}.", server=self.server)


class UnknownKind(InvalidInput):
    """The API server does not serve this kind at this version."""

    code = "unknown_kind"


def _found(request: Callable[[], Any]) -> Any:
    try:
        return request()
    except UnknownKind:
        return None
    except ApiError as error:
        if error.status == 404:
            return None
        raise


def _worth_retrying(method: str, error: ApiError) -> bool:
    if error.status in _RETRIED:
        return True
    if error.status == 403:
        # Not a question of rights: the namespace is going, or so new that it lacks its default account.
        return "being terminated" in error.message or "error looking up service account" in error.message
    # An apply states the whole wish, so that losing a race with another writer means to say it again.
    return error.status == 409 and method == "PATCH" and "resourceVersion" not in error.message


def _never_heals(error: BaseException) -> bool:
    text = str(error)
    return "CERTIFICATE" in text or "certificate" in text or "Name or service not known" in text


def _decoded(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data.decode(errors="replace")


def _api_error(method: str, path: str, status: int, data: bytes) -> ApiError:
    body = _decoded(data)
    body = body if isinstance(body, dict) else {"message": str(body).strip()[:500]}
    message = " ".join(str(body.get("message") or f"HTTP status {status}").split()).rstrip(".")
    return ApiError(
        f"The API server answered {status} to {method} {path}: {message}.",
        status=status,
        reason=str(body.get("reason") or ""),
        body=body,
    )


def _lines(response: Any) -> Iterator[bytes]:
    rest = b""
    for chunk in response.stream(amt=None, decode_content=True):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line for line in lines if line.strip())
