# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send requests to one API server with retries, and turn failures into messages."""

from __future__ import annotations

import errno
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any, TypeVar
from urllib.parse import urlencode

from ..errors import ApiError, Unauthorized, Unreachable
from ..yaml.reader import to_json
from .connection import Connection
from .metrics import Meter
from .responses import api_error, decoded
from .warnings import ApiWarnings

APPLY = "application/apply-patch+yaml"
MERGE_PATCH = "application/merge-patch+json"

FIRST_CONTACT = 3.0
"""Seconds of retries for an address that refuses connections and has never answered: it is likely wrong.

A server that does not answer in time is retried like any other: it may be scaling or failing over.
"""

CONNECTING = 5.0
"""Timeout in seconds for opening a connection, including TLS."""

PATIENCE = 30.0
"""Seconds of retries without a deadline, and the timeout of one request."""

BRIEFLY = 5.0
"""Seconds of retries of a dry run whose webhook does not answer."""

_ENDING = "being terminated"
"""Part of the API server's message about a namespace that is being deleted."""

HANGING_CALLS = 2
"""Timeouts of a webhook that do not end the retries: requests may still go to a pod that was just deleted."""

_RETRIED = frozenset({429, 500, 502, 503, 504})
_UNANSWERED = frozenset({500, 502, 503, 504})
"""Answers of a server or proxy after which the result of a request is unknown."""

_NOWHERE = frozenset({errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN})

Fence = Callable[[], None]
"""Called before each attempt to write; raises if writing is no longer allowed."""


class Transport:
    """Sends requests with a connection's credentials. Thread-safe.

    `deadline` (of `time.monotonic`) limits the retries of all requests; without one, `patience` (seconds) those of each.
    `fence` is called before each attempt to write. `warnings`: those in answers to writes and dry runs.
    """

    def __init__(self, connection: Connection, user_agent: str) -> None:
        self.server: str = connection.configuration.host
        self.context = connection.context
        self.deadline: float | None = None
        self.patience = PATIENCE
        self.fence: Fence | None = None
        self.meter = Meter()
        self.warnings = ApiWarnings()
        self._connection = connection
        self._user_agent = user_agent
        self._answered = False
        self._heard: tuple[str, float] | None = None

    @property
    def now(self) -> datetime | None:
        """The server's clock, in whole seconds; None before its first answer, or if unknown."""
        if self._heard is None:
            return None
        date, heard = self._heard
        return parsedate_to_datetime(date) + timedelta(seconds=time.monotonic() - heard)

    def request(
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
        """Send a request with retries, or with few if `briefly`.

        Return the answer's JSON object, or its text if `accept` requests another type.
        """
        from urllib3.exceptions import HTTPError

        started, attempt, hung = time.monotonic(), 0, 0
        uncertain = renewed = False
        # The fence at the start: retries after the lock is released must meet the fence of that lock.
        fence = self.fence if _writes(method, path, query) else None
        while True:
            pause: float | None = None
            if fence is not None:
                fence()
            headers, used = self._headers(accept)
            try:
                response = self._send(method, path, body, query, content_type, self._timeout(started), headers, fence)
            except (HTTPError, OSError) as error:
                uncertain = uncertain or not _never_sent(error)
                if not _never_heals(error):
                    limit = min(self._limit(started), self._first_contact(error, started))
                    pause = self._pause(attempt, min(limit, started + BRIEFLY) if briefly else limit)
                if pause is None:
                    raise _marked(self._unreachable(error), uncertain) from error
            else:
                self._answered = True
                if method != "GET":  # lists for pruning include deprecated kinds that the user does not use
                    self.warnings.add(response.headers.getlist("Warning"))
                if "Date" in response.headers:
                    self._heard = (response.headers["Date"], time.monotonic())
                if response.status < 300:
                    return self._content(method, path, response, accept)
                if response.status == 401 and not renewed and self._connection.renew(used):
                    renewed = True
                    continue
                failure = self._failure(method, path, response)
                uncertain = uncertain or response.status in _UNANSWERED
                if isinstance(failure, ApiError) and _worth_retrying(failure, _unconditional(content_type, body)):
                    hung += _hung(failure)
                    excused = _hung(failure) and hung <= HANGING_CALLS
                    limit = self._limit(started, None if excused else failure, dry_run="dryRun" in (query or {}))
                    limit = min(limit, started + BRIEFLY) if briefly else limit
                    pause = self._pause(attempt, limit, response.headers.get("Retry-After"))
                if pause is None:
                    raise _marked(failure, uncertain)
            attempt += 1
            time.sleep(pause)

    def stream(self, path: str, query: Mapping[str, str], *, timeout: float) -> Iterator[dict[str, Any]]:
        """Yield the JSON lines of a stream, for at most `timeout` seconds."""
        from urllib3.exceptions import HTTPError
        from urllib3.util import Timeout

        ends = time.monotonic() + timeout
        try:
            timeouts = Timeout(connect=5, read=max(0.1, timeout))
            headers, _used = self._headers("application/json")
            response = self._send("GET", path, None, query, None, timeouts, headers, stream=True)
        except (HTTPError, OSError) as error:
            raise self._unreachable(error) from error
        try:
            if response.status >= 400:
                raise api_error("GET", path, response.status, response.read())
            for line in _lines(response):
                yield json.loads(line)
                if time.monotonic() > ends:
                    return
        except (HTTPError, OSError):
            return  # timeout or lost connection: the caller continues from the last resourceVersion
        finally:
            response.close()

    def _headers(self, accept: str) -> tuple[Any, tuple[str, str]]:
        """Return the headers of a request, and its credentials."""
        from urllib3 import HTTPHeaderDict

        headers = HTTPHeaderDict({"User-Agent": self._user_agent, "Accept": accept})
        return headers, self._connection.authorise(headers)

    def _send(
        self,
        method: str,
        path: str,
        body: Any,
        query: Mapping[str, str] | None,
        content_type: str | None,
        timeout: Any,
        headers: Any,
        fence: Fence | None = None,
        *,
        stream: bool = False,
    ) -> Any:
        if body is not None:
            headers["Content-Type"] = content_type or "application/json"
        given = {name: value for name, value in (query or {}).items() if value}
        url = self.server + path + (f"?{urlencode(given)}" if given else "")
        self.meter.count(method)
        # JSON that is also valid YAML, because server-side apply parses YAML.
        data: Any = None if body is None else to_json(body).encode()
        if data is not None and fence is not None:
            headers["Content-Length"] = str(len(data))
            data = _fenced(data, fence)
        return self._connection.pool.request(
            method,
            url,
            body=data,
            headers=headers,
            timeout=timeout,
            retries=False,
            redirect=False,
            preload_content=not stream,
        )

    def _end(self, started: float) -> float:
        return self.deadline if self.deadline is not None else started + self.patience

    def _timeout(self, started: float) -> Any:
        from urllib3.util import Timeout

        remaining = max(0.5, self._end(started) - time.monotonic())
        connect = min(CONNECTING, remaining)
        # A read times out while there is time for a retry.
        return Timeout(total=remaining, connect=connect, read=min(PATIENCE, remaining))

    def _limit(self, started: float, failure: ApiError | None = None, *, dry_run: bool = False) -> float:
        """Return the time (of `time.monotonic`) after which a request that started at `started` is not retried."""
        if failure is not None and "failed calling webhook" in failure.message:
            # The webhook may be starting, but a dead one must not use up the whole timeout.
            return min(self._end(started), started + (BRIEFLY if dry_run else PATIENCE))
        if dry_run and failure is not None and _ENDING in failure.message:
            return min(self._end(started), started + BRIEFLY)  # check mode does not wait
        return self._end(started)

    def _first_contact(self, error: BaseException, started: float) -> float:
        """Return the time after which a server that has never answered is not retried, by the kind of error."""
        from urllib3.exceptions import ConnectTimeoutError

        if self._answered:
            return self._end(started)
        cause = _cause(error)
        if isinstance(cause, HTTPException) and not isinstance(cause, ConnectionError):
            return started + FIRST_CONTACT  # the server does not speak HTTP
        if isinstance(cause, TimeoutError) or not isinstance(cause, OSError):
            # An address that drops all packets must not use up the whole timeout.
            dropped = any(isinstance(one, ConnectTimeoutError) for one in _causes(error))
            return started + PATIENCE if dropped else self._end(started)
        wrong = isinstance(cause, (ssl.SSLError, socket.gaierror)) or cause.errno in _NOWHERE
        return started + FIRST_CONTACT if wrong else self._end(started)

    def _pause(self, attempt: int, limit: float, retry_after: str | None = None) -> float | None:
        """Return the seconds until the next attempt, None for no retry."""
        pause = min(5.0, 0.1 * 2**attempt)
        if retry_after and retry_after.isdecimal():
            pause = max(0.1, float(retry_after))
        return pause if time.monotonic() + pause < limit else None

    def _content(self, method: str, path: str, response: Any, accept: str) -> Any:
        if not accept.startswith("application/json"):
            return response.data.decode(errors="replace")
        answer = decoded(response.data)
        if not isinstance(answer, dict):
            raise self._no_api_server(method, path, "a body that is not a JSON object")
        return answer

    def _failure(self, method: str, path: str, response: Any) -> ApiError | Unauthorized | Unreachable:
        if response.status < 400:
            return self._no_api_server(method, path, f"a redirection to {response.headers.get('Location', 'nowhere')}")
        if response.status == 401:
            who = f" of context '{self.context}'" if self.context else ""
            return Unauthorized(
                f"Unauthorized: the API server {self.server} rejected the credentials{who}: they are invalid or have"
                " expired. Log in again, or correct them.",
                server=self.server,
            )
        return api_error(method, path, response.status, response.data)

    def _no_api_server(self, method: str, path: str, answer: str) -> Unreachable:
        return Unreachable(
            f"{self.server} is not a Kubernetes API server: it answered {method} {path} with {answer}. Check the address.",
            server=self.server,
        )

    def _unreachable(self, error: BaseException) -> Unreachable:
        cause = _cause(error)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unreachable(
                f"The certificate of the API server {self.server} is not trusted: {cause.verify_message.rstrip('.')}. Set"
                " ca_cert to the certificate of its CA, or check the address.",
                server=self.server,
            )
        verb = "can no longer be reached" if self._answered else "cannot be reached"
        through = " through the proxy" if getattr(self._connection.pool, "proxy", None) else ""
        text = " ".join(str(getattr(cause, "strerror", None) or cause).split()).rstrip(".")
        return Unreachable(
            f"The API server {self.server} {verb}{through}: {text}. Check that it is running, and the network from this"
            " machine.",
            server=self.server,
        )


def _fenced(data: bytes, fence: Fence) -> Iterator[bytes]:
    """Check the fence once more before sending the body, because connecting may have taken long."""
    fence()
    yield data


Failure = TypeVar("Failure", bound=Exception)


def _marked(failure: Failure, uncertain: bool) -> Failure:
    if isinstance(failure, (ApiError, Unreachable)):
        failure.uncertain = uncertain
    return failure


def _writes(method: str, path: str, query: Mapping[str, str] | None) -> bool:
    """Return whether a request changes the cluster, unlike dry runs and access reviews."""
    return method != "GET" and "dryRun" not in (query or {}) and not path.endswith("reviews")


def _unconditional(content_type: str | None, body: Any) -> bool:
    """Return whether a write has no precondition, so that it may be repeated."""
    if content_type in (APPLY, MERGE_PATCH):
        return not {"resourceVersion", "uid"} & (body.get("metadata") or {}).keys()
    return False


def _worth_retrying(error: ApiError, unconditional: bool) -> bool:
    if error.status in _RETRIED:
        return True
    if error.status == 403:
        # Not a matter of permissions: the namespace is being deleted, or has no default ServiceAccount yet.
        return _ENDING in error.message or "error looking up service account" in error.message
    return error.outdated and unconditional  # a conflict with another writer


def _hung(failure: ApiError) -> bool:
    """Return whether a webhook timed out."""
    return "failed calling webhook" in failure.message and "deadline exceeded" in failure.message


def _cause(error: BaseException) -> BaseException:
    """Return the innermost of nested errors."""
    return list(_causes(error))[-1]


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield nested errors, the outermost first."""
    while True:
        yield error
        nested = (error.__cause__, *error.args, error.__context__)
        inner = [one for one in nested if isinstance(one, BaseException)]
        if not inner:
            return
        error = inner[0]


def _never_sent(error: BaseException) -> bool:
    """Return whether the error occurred before the request was sent."""
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    return any(isinstance(one, (ConnectTimeoutError, NewConnectionError)) for one in _causes(error))


def _never_heals(error: BaseException) -> bool:
    cause = _cause(error)
    if isinstance(cause, socket.gaierror):
        return cause.errno == socket.EAI_NONAME
    return isinstance(cause, ssl.SSLCertVerificationError)


def _lines(response: Any) -> Iterator[bytes]:
    rest = b""
    for chunk in response.stream(amt=None, decode_content=True):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line for line in lines if line.strip())
