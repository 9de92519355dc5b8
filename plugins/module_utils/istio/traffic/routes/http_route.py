# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Translate a VirtualService into an HTTPRoute of the Kubernetes Gateway API, as far as it is supported there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ....kube.errors import InvalidInput
from ....kube.objects.objects import Object
from ..shared.destinations import targets
from ..shared.fields import GATEWAY_API, each, given, make, seconds
from ..shared.hosts import Host

Ports = Callable[[Host], Sequence[int]]

_MESH = "mesh"
_ROUTE = {
    "name",
    "match",
    "route",
    "redirect",
    "rewrite",
    "mirror",
    "mirrorPercentage",
    "timeout",
    "headers",
}
_PATHS = {"exact": "Exact", "prefix": "PathPrefix", "regex": "RegularExpression"}
_MATCH = {"uri", "headers", "queryParams", "method"}
_WORDS = {
    "fault": "fault",
    "retries": "retries",
    "directResponse": "respond",
    "corsPolicy": "cors",
    "withoutHeaders": "without_headers",
    "sourceLabels": "source_labels",
    "sourceNamespace": "source_namespace",
    "ignoreUriCase": "ignore_case",
    "exportTo": "export_to",
}


def translate(route: Object, ports: Ports) -> Object:
    """Return the HTTPRoute for a VirtualService; `ports` returns the ports of a Service.

    Raises InvalidInput for what an HTTPRoute does not support.
    """
    spec, metadata = route["spec"], route["metadata"]
    for name in ("tls", "tcp", "exportTo"):
        if spec.get(name):
            raise _unsupported(_WORDS.get(name, name))
    parents, hostnames = _parents(route)
    rules = [_rule(rule, where, metadata["namespace"], ports) for where, rule in each(spec, "http")]
    wanted = given(parentRefs=parents, hostnames=hostnames, rules=rules)
    return make(GATEWAY_API, "HTTPRoute", metadata["namespace"], metadata["name"], wanted)


def _parents(route: Object) -> tuple[list[dict[str, Any]], list[str]]:
    """Return parentRefs and hostnames: Gateways by name, or within the mesh the Services themselves."""
    namespace, spec = route["metadata"]["namespace"], route["spec"]
    named = spec.get("gateways") or [_MESH]
    if _MESH in named and len(named) > 1:
        raise InvalidInput(
            "gateways is invalid: with api kubernetes a route is either for gateways or for the mesh. Create two routes."
        )
    if named != [_MESH]:
        parents = []
        for gateway in named:
            space, _slash, name = gateway.rpartition("/")
            parents.append(given(name=name, namespace=space if space != namespace else None))
        return parents, [host for host in spec["hosts"] if host != "*"]
    services = [Host.of(text, namespace) for text in spec["hosts"]]
    for service in services:
        if not service.name:
            raise InvalidInput(
                f"hosts is invalid: with api kubernetes a host within the mesh must be a Service, not '{service}'. Use the"
                " name of a Service, or set api to istio."
            )
    return [{"group": "", "kind": "Service", **_reference(service, namespace)} for service in services], []


def _reference(host: Host, namespace: str) -> dict[str, Any]:
    return given(name=host.name, namespace=host.namespace if host.namespace != namespace else None)


def _rule(rule: Mapping[str, Any], where: str, namespace: str, ports: Ports) -> dict[str, Any]:
    _refuse_others(rule, _ROUTE, where)
    matches = [_match(match, place) for place, match in each(rule, "match", where)]
    backends = [
        given(
            **_backend(target["destination"], place, namespace, ports),
            weight=target.get("weight"),
            filters=list(_header_filters(target.get("headers") or {})),
        )
        for place, target in targets(rule, where)
    ]
    return given(
        name=rule.get("name"),
        matches=matches,
        filters=list(_filters(rule, where, namespace, ports)),
        backendRefs=backends,
        timeouts=given(request=_milliseconds(rule.get("timeout"), where)),
    )


def _match(match: Mapping[str, Any], where: str) -> dict[str, Any]:
    _refuse_others(match, _MATCH, where)
    uri, method = match.get("uri") or {}, match.get("method") or {}
    if method and "exact" not in method:
        raise InvalidInput(
            f"{where}.method is invalid: with api kubernetes it must be an exact method. Use, for example, GET.",
            option=where,
        )
    way, text = next(iter(uri.items()), ("", ""))
    return given(
        path={"type": _PATHS[way], "value": text} if way else None,
        headers=_conditions(match.get("headers") or {}),
        queryParams=_conditions(match.get("queryParams") or {}),
        method=method.get("exact"),
    )


def _conditions(conditions: Mapping[str, Mapping[str, str]]) -> list[dict[str, str]]:
    found = []
    for name, condition in conditions.items():
        way, text = next(iter(condition.items()), ("regex", ".*"))
        if way == "exact":
            found.append({"type": "Exact", "name": name, "value": text})
        else:
            pattern = f"{re.escape(text)}.*" if way == "prefix" else text
            found.append({"type": "RegularExpression", "name": name, "value": pattern})
    return found


def _backend(destination: Mapping[str, Any], where: str, namespace: str, ports: Ports) -> dict[str, Any]:
    host = Host.of(destination["host"], namespace)
    if destination.get("subset"):
        raise InvalidInput(
            f"{where}.subset is not supported by the Kubernetes Gateway API. Create a Service for the subset and use it as"
            " host, or set api to istio.",
            option=where,
        )
    if not host.name:
        raise InvalidInput(
            f"{where} is invalid: with api kubernetes the host must be a Service, not '{host}'. Use the name of a Service,"
            " or set api to istio.",
            option=where,
        )
    known = ports(host)
    port = (destination.get("port") or {}).get("number") or (known[0] if len(known) == 1 else None)
    return given(**_reference(host, namespace), port=port)


def _filters(rule: Mapping[str, Any], where: str, namespace: str, ports: Ports) -> Iterator[dict[str, Any]]:
    yield from _header_filters(rule.get("headers") or {})
    if redirect := rule.get("redirect"):
        wanted = given(
            scheme=redirect.get("scheme"),
            hostname=redirect.get("authority"),
            port=redirect.get("port"),
            statusCode=redirect.get("redirectCode"),
            path=_full_path(redirect.get("uri")),
        )
        yield {"type": "RequestRedirect", "requestRedirect": wanted}
    if rewrite := rule.get("rewrite"):
        by_prefix = any("prefix" in (match.get("uri") or {}) for match in rule.get("match") or ())
        path = rewrite.get("uri")
        changed = {"type": "ReplacePrefixMatch", "replacePrefixMatch": path} if by_prefix and path else _full_path(path)
        yield {"type": "URLRewrite", "urlRewrite": given(hostname=rewrite.get("authority"), path=changed)}
    if mirror := rule.get("mirror"):
        copy = {"backendRef": _backend(mirror, f"{where}.mirror", namespace, ports)}
        share = (rule.get("mirrorPercentage") or {}).get("value")
        fraction = {} if share is None else {"fraction": {"numerator": round(share * 1000), "denominator": 100_000}}
        yield {"type": "RequestMirror", "requestMirror": {**copy, **fraction}}


def _header_filters(headers: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for side, kind in (("request", "RequestHeaderModifier"), ("response", "ResponseHeaderModifier")):
        changes = headers.get(side)
        if changes:
            wanted = given(
                set=_values(changes.get("set") or {}),
                add=_values(changes.get("add") or {}),
                remove=changes.get("remove"),
            )
            yield {"type": kind, f"{side}HeaderModifier": wanted}


def _values(headers: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers.items()]


def _full_path(path: str | None) -> dict[str, str] | None:
    return {"type": "ReplaceFullPath", "replaceFullPath": path} if path else None


def _milliseconds(timeout: str | None, where: str) -> str | None:
    """Return a timeout in milliseconds, because the Gateway API's durations have no fractions."""
    return None if timeout is None else f"{round(seconds(timeout, where) * 1000)}ms"


def _refuse_others(given_: Mapping[str, Any], known: set[str], where: str) -> None:
    for name in given_:
        if name not in known:
            raise _unsupported(f"{where}.{_WORDS.get(name, name)}")


def _unsupported(option: str) -> InvalidInput:
    return InvalidInput(
        f"{option} is not supported by the Kubernetes Gateway API. Set api to istio, or remove it.", option=option
    )
