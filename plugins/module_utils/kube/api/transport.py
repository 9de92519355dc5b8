# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to one API server: sent once more while that makes sense, and their failures as one sentence."""

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
"""Seconds that an address which refuses connections is tried for before its first answer: it is likely a wrong one.

A server that is only silent is waited for as long as any other request: it may be scaled, or failing over.
"""

CONNECTING = 5.0
"""Seconds for one attempt to open a connection, TLS included."""

PATIENCE = 30.0
"""Seconds that requests are retried for where no time limit is set, and the longest that one request may hang."""

BRIEFLY = 5.0
"""Seconds that a dry run is retried for where a webhook does not answer: it changes nothing that would mend one."""

_ENDING = "being terminated"
"""What the API server says of a namespace in which nothing can be created any more."""

HANGING_CALLS = 2
"""Calls of a webhook that may hang without an end of the retries: traffic still goes to a pod that has just gone."""

_RETRIED = frozenset({429, 500, 502, 503, 504})
_UNANSWERED = frozenset({500, 502, 503, 504})
"""Answers of a server, or of a proxy before it, that do not tell whether the request was carried out."""

_NOWHERE = frozenset({errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN})

Fence = Callable[[], None]
"""Called before each attempt to write; raises where there must be none any more."""


class Transport:
    """Sends requests with a connection's credentials. Safe for use by threads at once.

    `deadline` (of `time.monotonic`) bounds the retries of every request; without one, `patience` (seconds) those of
    each. `fence` is called before each attempt to write, retries included. `warnings` are those of answers to writes and dry runs.
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
        """The server's clock, as precise as a second; None before its first answer, or where it does not tell."""
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
        """One request, retried while it makes sense, or only `briefly`.

        Returns the answer's JSON object; where `accept` asks for something else, the answer's text.
        """
        from urllib3.exceptions import HTTPError

        started, attempt, hung = time.monotonic(), 0, 0
        uncertain = renewed = False
        # The fence of the moment it begins: what is still retried when its lock is gone must meet that lock's.
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
                if method != "GET":  # a search looks at kinds that nobody has named, deprecated ones among them
                    self.warnings.add(response.headers.getlist("Warning"))
                if "Date" in response.headers:
                    self._heard = (response.headers["Date"], time.monotonic())
                if response.status < 300:
                    return self._understood(method, path, response, accept)
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
        """The JSON lines of an answer without end, for at most `timeout` seconds, then silently none."""
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
            return  # the time is up, or the connection has dropped: the caller goes on from the last version seen
        finally:
            response.close()

    def _headers(self, accept: str) -> tuple[Any, tuple[str, str]]:
        """The headers of a request, and the credentials among them."""
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
        # As YAML would have it too: that is what a server-side apply is read as.
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
        # A read that hangs is cut while there is time to ask again.
        return Timeout(total=remaining, connect=connect, read=min(PATIENCE, remaining))

    def _limit(self, started: float, failure: ApiError | None = None, *, dry_run: bool = False) -> float:
        """When (by `time.monotonic`) a request that began at `started` is no longer tried again."""
        if failure is not None and "failed calling webhook" in failure.message:
            # It may just be starting, but one that is dead for good should not cost the whole time limit.
            return min(self._end(started), started + (BRIEFLY if dry_run else PATIENCE))
        if dry_run and failure is not None and _ENDING in failure.message:
            return min(self._end(started), started + BRIEFLY)  # nothing is waited for in check mode
        return self._end(started)

    def _first_contact(self, error: BaseException, started: float) -> float:
        """When a server that has never answered is given up, by what is wrong with it."""
        from urllib3.exceptions import ConnectTimeoutError

        if self._answered:
            return self._end(started)
        cause = _cause(error)
        if isinstance(cause, HTTPException) and not isinstance(cause, ConnectionError):
            return started + FIRST_CONTACT  # what answers there does not speak HTTP
        if isinstance(cause, TimeoutError) or not isinstance(cause, OSError):
            # Where not even a connection comes about, an address that swallows everything should not cost all the time.
            silent = any(isinstance(one, ConnectTimeoutError) for one in _causes(error))
            return started + PATIENCE if silent else self._end(started)
        wrong = isinstance(cause, (ssl.SSLError, socket.gaierror)) or cause.errno in _NOWHERE
        return started + FIRST_CONTACT if wrong else self._end(started)

    def _pause(self, attempt: int, limit: float, retry_after: str | None = None) -> float | None:
        """Seconds until the next attempt, or None where there is to be none."""
        pause = min(5.0, 0.1 * 2**attempt)
        if retry_after and retry_after.isdecimal():
            pause = max(0.1, float(retry_after))
        return pause if time.monotonic() + pause < limit else None

    def _understood(self, method: str, path: str, response: Any, accept: str) -> Any:
        if not accept.startswith("application/json"):
            return response.data.decode(errors="replace")
        answer = decoded(response.data)
        if not isinstance(answer, dict):
            raise self._stranger(method, path, "something that is no JSON object")
        return answer

    def _failure(self, method: str, path: str, response: Any) -> ApiError | Unauthorized | Unreachable:
        if response.status < 400:
            return self._stranger(method, path, f"a redirection to {response.headers.get('Location', 'nowhere')}")
        if response.status == 401:
            who = f" of context '{self.context}'" if self.context else ""
            return Unauthorized(
                f"The cluster at {self.server} does not accept the credentials{who}: they are wrong or have expired.",
                server=self.server,
            )
        return api_error(method, path, response.status, response.data)

    def _stranger(self, method: str, path: str, answer: str) -> Unreachable:
        return Unreachable(
            f"The server at {self.server} is no Kubernetes API server: it answers {method} {path} with {answer}; "
            "check the address.",
            server=self.server,
        )

    def _unreachable(self, error: BaseException) -> Unreachable:
        cause = _cause(error)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unreachable(
                f"The certificate of the cluster at {self.server} is not trusted: {cause.verify_message.rstrip('.')}; "
                "give the certificate of its authority as 'ca_cert', or check the address.",
                server=self.server,
            )
        verb = "no longer answers" if self._answered else "does not answer"
        through = " through the proxy" if getattr(self._connection.pool, "proxy", None) else ""
        text = " ".join(str(getattr(cause, "strerror", None) or cause).split()).rstrip(".")
        return Unreachable(
            f"The cluster at {self.server} {verb}{through}: {text}; see that it is up, and that this machine reaches it.",
            server=self.server,
        )


def _fenced(data: bytes, fence: Fence) -> Iterator[bytes]:
    """The body of a request, which the fence is asked for once more: connecting may have taken its time."""
    fence()
    yield data


Failure = TypeVar("Failure", bound=Exception)


def _marked(failure: Failure, uncertain: bool) -> Failure:
    if isinstance(failure, (ApiError, Unreachable)):
        failure.uncertain = uncertain
    return failure


def _writes(method: str, path: str, query: Mapping[str, str] | None) -> bool:
    """Whether a request changes the cluster, which dry runs and questions about rights do not."""
    return method != "GET" and "dryRun" not in (query or {}) and not path.endswith("reviews")


def _unconditional(content_type: str | None, body: Any) -> bool:
    """Whether a write says what is wished and not of which version, so that it may be said again."""
    if content_type in (APPLY, MERGE_PATCH):
        return not {"resourceVersion", "uid"} & (body.get("metadata") or {}).keys()
    return False


def _worth_retrying(error: ApiError, unconditional: bool) -> bool:
    if error.status in _RETRIED:
        return True
    if error.status == 403:
        # Not a question of rights: the namespace is going, or so new that it lacks its default account.
        return _ENDING in error.message or "error looking up service account" in error.message
    return error.outdated and unconditional  # it lost a race with another writer


def _hung(failure: ApiError) -> bool:
    """Whether a webhook was called and has said nothing until its time was up."""
    return "failed calling webhook" in failure.message and "deadline exceeded" in failure.message


def _cause(error: BaseException) -> BaseException:
    """The innermost of the errors that libraries have wrapped in one another."""
    return list(_causes(error))[-1]


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The errors that libraries have wrapped in one another, from the outermost on."""
    while True:
        yield error
        nested = (error.__cause__, *error.args, error.__context__)
        inner = [one for one in nested if isinstance(one, BaseException)]
        if not inner:
            return
        error = inner[0]


def _never_sent(error: BaseException) -> bool:
    """Whether there was no connection yet that the request could have gone through."""
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
