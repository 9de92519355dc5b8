# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the credentials for a URL, in it or in the user's netrc, and remove them from it."""

from __future__ import annotations

import base64
import netrc
import os
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from ..kube.errors import InvalidInput


class Credentials(NamedTuple):
    """User and password for HTTP basic authentication; for a token, the password is empty."""

    user: str
    password: str

    @property
    def header(self) -> str:
        """Return the value of the header Authorization."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")


def split_credentials(url: str) -> tuple[str, Credentials | None]:
    """Split a URL into one without user, password and fragment, and its credentials. Raises InvalidInput."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        seen = url.rpartition("@")[2].partition("?")[0]
        raise InvalidInput(f"The URL {seen} is invalid: {error}. Correct it.") from error
    userinfo, at, place = parts.netloc.rpartition("@")
    address = parts._replace(netloc=place, fragment="").geturl()
    if not at:
        return address, None
    user, _colon, password = userinfo.partition(":")
    return address, Credentials(unquote(user), unquote(password))


def of_netrc(url: str) -> Credentials | None:
    """Return the credentials for the URL's host in the user's netrc ($NETRC, else ~/.netrc), if it can be read."""
    try:
        found = netrc.netrc(os.environ.get("NETRC") or None).authenticators(urlsplit(url).hostname or "")
    except (OSError, ValueError, netrc.NetrcParseError):
        return None
    return Credentials(found[0] or "", found[2] or "") if found and any(found) else None


def shown(url: str) -> str:
    """Return a URL for messages: without credentials, and without the query, which may contain a signature."""
    try:
        parts = urlsplit(split_credentials(url)[0])
    except InvalidInput:
        return "the URL"
    return parts._replace(query="<hidden>" if parts.query else "").geturl()


def same_origin(one: str, other: str) -> bool:
    """Return whether credentials for one URL may be sent to another: same host and port, or https after http."""
    first, second = urlsplit(one), urlsplit(other)
    upgraded = (first.scheme, second.scheme) == ("http", "https") and _port(first) == 80 and _port(second) == 443
    return first.hostname == second.hostname and (
        upgraded or (first.scheme == second.scheme and _port(first) == _port(second))
    )


def _port(parts: SplitResult) -> int:
    return parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
