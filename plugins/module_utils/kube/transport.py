# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to one API server: sent once more while that makes sense, and their failures as one sentence."""

from __future__ import annotations

import json
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from .connection import Connection
from .errors import ApiError, Unauthorized, Unreachable
from .meter import Meter
from .schema_errors import schema_errors
from .yaml_reader import to_json

APPLY = "application/apply-patch+yaml"
MERGE_PATCH = "application/merge-patch+json"

FIRST_CONTACT = 3.0
"""Seconds that a server which has never answered is tried for: a wrong address should not cost the whole time limit."""

PATIENCE = 30.0
"""Seconds that requests are retried for where no time limit is set, and the longest that one request may hang."""

BRIEFLY = 5.0
"""Seconds that a dry run is retried for where a webhook does not answer: it changes nothing that would mend one."""

_ENDING = "being terminated"
"""What the API server says of a namespace in which nothing can be created any more."""

HANGING_CALLS = 2
"""Calls of a webhook that may hang without an end of the retries: traffic still goes to a pod that has just gone."""

_RETRIED = frozenset({429, 500, 502, 503, 504})


class Transport:
    """Sends requests with a connection's credentials. Safe for use by threads at once.

    `deadline` (of `time.monotonic`) bounds the retries of every request; without one, `patience` (seconds) those of
    each.
    """

    def __init__(self, connection: Connection, user_agent: str) -> None:
        self.server: str = connection.configuration.host
        self.context = connection.context
        self.deadline: float | None = None
        self.patience = PATIENCE
        self.meter = Meter()
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
    ) -> Any:
        """One request, retried while it makes sense.

        Returns the answer's JSON object; where `accept` asks for something else, the answer's text.
        """
        from urllib3.exceptions import HTTPError

        started, attempt, hung = time.monotonic(), 0, 0
        while True:
            pause: float | None = None
            try:
                response = self._send(method, path, body, query, content_type, self._timeout(started), accept=accept)
            except (HTTPError, OSError) as error:
                if not _never_heals(error):
                    pause = self._pause(attempt, self._limit(started))
                if pause is None:
                    raise self._unreachable(error) from error
            else:
                self._answered = True
                if "Date" in response.headers:
                    self._heard = (response.headers["Date"], time.monotonic())
                if response.status < 300:
                    return self._understood(method, path, response, accept)
                failure = self._failure(method, path, response)
                if isinstance(failure, ApiError) and _worth_retrying(failure, _unconditional(content_type, body)):
                    hung += _hung(failure)
                    excused = _hung(failure) and hung <= HANGING_CALLS
                    limit = self._limit(started, None if excused else failure, dry_run="dryRun" in (query or {}))
                    pause = self._pause(attempt, limit, response.headers.get("Retry-After"))
                if pause is None:
                    raise failure
            attempt += 1
            time.sleep(pause)

    def stream(self, path: str, query: Mapping[str, str], *, timeout: float) -> Iterator[dict[str, Any]]:
        """The JSON lines of an answer without end, for at most `timeout` seconds, then silently none."""
        from urllib3.exceptions import HTTPError
        from urllib3.util import Timeout

        ends = time.monotonic() + timeout
        try:
            timeouts = Timeout(connect=5, read=max(0.1, timeout))
            response = self._send("GET", path, None, query, None, timeouts, stream=True)
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
        self.meter.count(method)
        return self._connection.pool.request(
            method,
            url,
            # As YAML would have it too: that is what a server-side apply is read as.
            body=None if body is None else to_json(body).encode(),
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
        connect = min(5.0 if self._answered else FIRST_CONTACT, remaining)
        # A read that hangs is cut while there is time to ask again.
        return Timeout(total=remaining, connect=connect, read=min(PATIENCE, remaining))

    def _limit(self, started: float, failure: ApiError | None = None, *, dry_run: bool = False) -> float:
        """When (by `time.monotonic`) a request that began at `started` is no longer tried again."""
        if not self._answered:
            return min(self._end(started), started + FIRST_CONTACT)
        if failure is not None and "failed calling webhook" in failure.message:
            # It may just be starting, but one that is dead for good should not cost the whole time limit.
            return min(self._end(started), started + (BRIEFLY if dry_run else PATIENCE))
        if dry_run and failure is not None and _ENDING in failure.message:
            return min(self._end(started), started + BRIEFLY)  # nothing is waited for in check mode
        return self._end(started)

    def _pause(self, attempt: int, limit: float, retry_after: str | None = None) -> float | None:
        """Seconds until the next attempt, or None where there is to be none."""
        pause = min(5.0, 0.1 * 2**attempt)
        if retry_after and retry_after.isdigit():
            pause = max(0.1, float(retry_after))
        return pause if time.monotonic() + pause < limit else None

    def _understood(self, method: str, path: str, response: Any, accept: str) -> Any:
        if not accept.startswith("application/json"):
            return response.data.decode(errors="replace")
        answer = _decoded(response.data)
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


def _unconditional(content_type: str | None, body: Any) -> bool:
    """Whether a write says what is wished and not of which version, so that it may be said again."""
    if content_type == MERGE_PATCH:
        return not {"resourceVersion", "uid"} & (body.get("metadata") or {}).keys()
    return content_type == APPLY


def _worth_retrying(error: ApiError, unconditional: bool) -> bool:
    if error.status in _RETRIED:
        return True
    if error.status == 403:
        # Not a question of rights: the namespace is going, or so new that it lacks its default account.
        return _ENDING in error.message or "error looking up service account" in error.message
    # Else it lost a race with another writer.
    return error.status == 409 and unconditional and not error.field_conflicts


def _hung(failure: ApiError) -> bool:
    """Whether a webhook was called and has said nothing until its time was up."""
    return "failed calling webhook" in failure.message and "deadline exceeded" in failure.message


def _cause(error: BaseException) -> BaseException:
    """The innermost of the errors that libraries have wrapped in one another."""
    while True:
        nested = (error.__cause__, *error.args, error.__context__)
        inner = [one for one in nested if isinstance(one, BaseException)]
        if not inner:
            return error
        error = inner[0]


def _never_heals(error: BaseException) -> bool:
    cause = _cause(error)
    if isinstance(cause, socket.gaierror):
        return cause.errno == socket.EAI_NONAME
    return isinstance(cause, ssl.SSLCertVerificationError)


def _decoded(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data.decode(errors="replace")


_FORBIDDEN = re.compile(
    r'User "(.*?)" cannot (\w+) resource "([^"]+)"(?: in API group "([^"]*)")?(?: in the namespace "([^"]+)")?'
)


def api_error(method: str, path: str, status: int, data: bytes) -> ApiError:
    """The error that an answer states."""
    body = _decoded(data)
    body = body if isinstance(body, dict) else {"message": str(body).strip()[:500]}
    text = str(body.get("message") or f"HTTP status {status}")
    unfit = schema_errors(text) if status == 500 else ""
    if unfit:
        # An apply of what does not fit the schema: no failure of the server's.
        status, body = 422, {**body, "reason": "Invalid"}
    message = " ".join((unfit or text).split()).rstrip(".")
    body = {**body, "message": message}
    forbidden = _FORBIDDEN.search(message) if status == 403 else None
    if forbidden:
        user, verb, resource, group, namespace = forbidden.groups()
        plural, slash, subresource = resource.partition("/")
        access = f"{verb} {plural}{f'.{group}' if group else ''}{slash}{subresource}"
        access += f" in namespace {namespace}" if namespace else ""
        return ApiError(
            f"The user '{user}' may not {access}: grant this permission, or run with an account that has it.",
            status=status,
            reason="Forbidden",
            body=body,
            code="forbidden",
            missing=[access],
        )
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
