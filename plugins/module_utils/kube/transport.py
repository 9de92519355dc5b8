# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to one API server: sent once more while that makes sense, and their failures as one sentence."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from .connection import Connection
from .errors import ApiError, Unauthorized, Unreachable

FIRST_CONTACT = 3.0
"""Seconds that a server which has never answered is tried for: a wrong address should not cost the whole time limit."""

PATIENCE = 30.0
"""Seconds that requests are retried for where no time limit is set, and the longest that one request may hang."""

_RETRIED = frozenset({429, 500, 502, 503, 504})


class Transport:
    """Sends requests with a connection's credentials. Safe for use by threads at once.

    `deadline` (of `time.monotonic`) bounds the retries of every request.
    """

    def __init__(self, connection: Connection, user_agent: str) -> None:
        self.server: str = connection.configuration.host
        self.context = connection.context
        self.deadline: float | None = None
        self._connection = connection
        self._user_agent = user_agent
        self._answered = False

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
                error_of_api = api_error(method, path, status, data)
                pause = (
                    self._pause(attempt, headers.get("Retry-After"), started)
                    if _worth_retrying(method, error_of_api)
                    else None
                )
                if pause is None:
                    raise error_of_api
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


def api_error(method: str, path: str, status: int, data: bytes) -> ApiError:
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
