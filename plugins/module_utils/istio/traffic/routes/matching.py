# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the match conditions of routes for requests and connections."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ....kube.errors import InvalidInput
from ..shared.fields import Options, given, string_match, string_matches, texts


def http_match(match: Options, where: str) -> dict[str, Any]:
    """Build an HTTPMatchRequest; all of its conditions must hold."""
    return given(
        uri=string_match(match.get("path"), f"{where}.path"),
        authority=string_match(match.get("authority"), f"{where}.authority"),
        method=string_match(match.get("method"), f"{where}.method"),
        scheme=string_match(match.get("scheme"), f"{where}.scheme"),
        headers=_headers(match, where),
        withoutHeaders=string_matches(match.get("without_headers"), f"{where}.without_headers"),
        queryParams=string_matches(match.get("query"), f"{where}.query"),
        ignoreUriCase=match.get("ignore_case") or None,
        **_connection(match),
    )


def tls_match(match: Options) -> dict[str, Any]:
    """Build a TLSMatchAttributes."""
    return given(sniHosts=match.get("sni_hosts"), **_connection(match))


def tcp_match(match: Options) -> dict[str, Any]:
    """Build an L4MatchAttributes."""
    return given(destinationSubnets=match.get("destination_subnets"), **_connection(match))


def _connection(match: Options) -> dict[str, Any]:
    return given(
        port=match.get("port"),
        sourceLabels=texts(match.get("source_labels")),
        sourceNamespace=match.get("source_namespace"),
        gateways=match.get("gateways"),
    )


def _headers(match: Options, where: str) -> dict[str, Any]:
    headers = string_matches(match.get("headers"), f"{where}.headers")
    headers = {name.lower(): condition for name, condition in headers.items()}
    if match.get("user_agent") is not None:
        _add(headers, "user-agent", string_match(match["user_agent"], f"{where}.user_agent"), where)
    cookies = match.get("cookies") or {}
    if len(cookies) > 1:
        raise InvalidInput(
            f"{where}.cookies is invalid: a match supports only one cookie. Use a header for the others.", option=where
        )
    for name, value in cookies.items():
        _add(headers, "cookie", {"regex": _cookie(name, value, f"{where}.cookies.{name}")}, where)
    return headers


def _add(headers: dict[str, Any], name: str, condition: Any, where: str) -> None:
    if name in headers:
        raise InvalidInput(
            f"{where} is invalid: the header {name} has more than one condition. Keep one of them.", option=where
        )
    headers[name] = condition


def _cookie(name: str, value: Any, where: str) -> str:
    """Return a pattern for the whole Cookie header, with other cookies before and after."""
    if isinstance(value, Mapping) and "contains" in value:
        pattern = f"[^;]*{re.escape(str(value['contains']))}[^;]*"
    else:
        condition = string_match(value, where) or {}
        exact, prefix = condition.get("exact"), condition.get("prefix")
        pattern = condition.get("regex", "[^;]*")
        pattern = re.escape(exact) if exact is not None else pattern
        pattern = f"{re.escape(prefix)}[^;]*" if prefix is not None else pattern
    return f"(.*;\\s*)?{re.escape(name)}=({pattern})(;.*)?"
