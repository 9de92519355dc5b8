# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build a VirtualService, and the DestinationRules of its subsets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ....kube.errors import InvalidInput
from ....kube.objects.objects import Object
from ..shared.destinations import destinations
from ..shared.fields import (
    NETWORKING,
    Options,
    duration,
    each,
    given,
    make,
    percentage,
    refuse_repeated,
    string_match,
    texts,
)
from ..shared.hosts import Host
from .matching import http_match, tcp_match, tls_match


def build(options: Options) -> list[Object]:
    """Build the objects from the options of `traffic_route`. Raises InvalidInput."""
    name, namespace = options["name"], options["namespace"]
    if not any(options.get(protocol) for protocol in ("http", "tls", "tcp")):
        raise InvalidInput("The route is empty: it needs at least one of http, tls and tcp. Set one of them.")
    fallback = _only_host(options)
    spec = given(
        hosts=options.get("hosts"),
        gateways=options.get("gateways"),
        exportTo=options.get("export_to"),
        http=[_http(route, where, fallback) for where, route in each(options, "http")],
        tls=[_connections(route, where, fallback, tls_match) for where, route in each(options, "tls")],
        tcp=[_connections(route, where, fallback, tcp_match) for where, route in each(options, "tcp")],
    )
    for protocol in ("http", "tcp"):
        _refuse_unreachable(spec.get(protocol) or (), protocol)
    route = make(NETWORKING, "VirtualService", namespace, name, spec)
    return [route, *_subset_rules(options, spec)]


def _only_host(options: Options) -> str | None:
    """Return the default host of destinations: the route's own, if it has exactly one without a wildcard."""
    hosts = options.get("hosts") or []
    return hosts[0] if len(hosts) == 1 and "*" not in hosts[0] else None


def _http(route: Options, where: str, fallback: str | None) -> dict[str, Any]:
    actions = [name for name in ("to", "redirect", "respond") if route.get(name)]
    if len(actions) != 1:
        raise InvalidInput(
            f"{where} is invalid: it needs exactly one of to, redirect and respond. Set one of them.", option=where
        )
    rewrite = route.get("rewrite") or {}
    mirror = route.get("mirror")
    return given(
        name=route.get("name"),
        match=[http_match(match, place) for place, match in each(route, "match", where)],
        route=_weighted(route, where, fallback),
        redirect=_redirect(route.get("redirect") or {}),
        directResponse=_response(route.get("respond") or {}),
        rewrite=given(uri=rewrite.get("path"), authority=rewrite.get("host")),
        mirror=_destination(mirror, f"{where}.mirror", fallback) if mirror else None,
        mirrorPercentage=percentage(mirror.get("percent"), f"{where}.mirror.percent") if mirror else None,
        fault=_fault(route.get("fault") or {}, f"{where}.fault"),
        retries=_retries(route.get("retries") or {}, f"{where}.retries"),
        timeout=duration(route.get("timeout"), f"{where}.timeout"),
        headers=_header_changes(route.get("headers") or {}),
        corsPolicy=_cors(route.get("cors") or {}, f"{where}.cors"),
    )


def _connections(
    route: Options, where: str, fallback: str | None, match: Callable[[Options], dict[str, Any]]
) -> dict[str, Any]:
    if not route.get("to"):
        raise InvalidInput(f"{where} is invalid: it has no destinations. Set to.", option=where)
    return given(match=[match(item) for item in route.get("match") or ()], route=_weighted(route, where, fallback))


def _weighted(route: Options, where: str, fallback: str | None) -> list[dict[str, Any]]:
    goals = list(each(route, "to", where))
    weights = [target.get("weight") for _place, target in goals]
    if len(goals) > 1 and None in weights:
        raise InvalidInput(
            f"{where} is invalid: a weight is missing. Set a weight for each of its destinations.", option=where
        )
    if goals and (len(goals) > 1 or weights != [None]) and (total := sum(weight or 0 for weight in weights)) != 100:
        raise InvalidInput(
            f"{where} is invalid: the weights {' + '.join(map(str, weights))} add up to {total}. Change them to add up to"
            " 100.",
            code="weights",
            option=where,
            weights=weights,
        )
    if any(weight is not None and weight < 0 for weight in weights):
        raise InvalidInput(f"{where} is invalid: a weight must be from 0 to 100.", code="weights", option=where)
    return [
        given(
            destination=_destination(target, place, fallback),
            weight=target.get("weight"),
            headers=_header_changes(target.get("headers") or {}),
        )
        for place, target in goals
    ]


def _destination(target: Options, where: str, fallback: str | None) -> dict[str, Any]:
    host = target.get("host") or fallback
    if not host:
        raise InvalidInput(f"{where} is invalid: the host of the destination is missing. Set host.", option=where)
    return given(host=host, subset=target.get("subset"), port=given(number=target.get("port")))


def _redirect(redirect: Options) -> dict[str, Any]:
    return given(
        uri=redirect.get("path"),
        authority=redirect.get("host"),
        scheme=redirect.get("scheme"),
        port=redirect.get("port"),
        redirectCode=redirect.get("code"),
    )


def _response(respond: Options) -> dict[str, Any]:
    return given(status=respond.get("status"), body=given(string=respond.get("body")))


def _fault(fault: Options, where: str) -> dict[str, Any]:
    delay, abort = fault.get("delay") or {}, fault.get("abort") or {}
    if abort and (abort.get("status") is None) == (abort.get("grpc_status") is None):
        raise InvalidInput(
            f"{where}.abort is invalid: it needs exactly one of status and grpc_status. Set one of them.", option=where
        )
    return given(
        delay=given(
            fixedDelay=duration(delay.get("duration"), f"{where}.delay.duration"),
            percentage=percentage(delay.get("percent"), f"{where}.delay.percent"),
        ),
        abort=given(
            httpStatus=abort.get("status"),
            grpcStatus=abort.get("grpc_status"),
            percentage=percentage(abort.get("percent"), f"{where}.abort.percent"),
        ),
    )


def _retries(retries: Options, where: str) -> dict[str, Any]:
    return given(
        attempts=retries.get("attempts"),
        perTryTimeout=duration(retries.get("per_try_timeout"), f"{where}.per_try_timeout"),
        retryOn=",".join(retries.get("conditions") or ()),
    )


def _header_changes(headers: Options) -> dict[str, Any]:
    def changes(side: Options) -> dict[str, Any]:
        return given(set=texts(side.get("set")), add=texts(side.get("add")), remove=side.get("remove"))

    return given(request=changes(headers.get("request") or {}), response=changes(headers.get("response") or {}))


def _cors(cors: Options, where: str) -> dict[str, Any]:
    return given(
        allowOrigins=[string_match(origin, f"{where}.origins") for origin in cors.get("origins") or ()],
        allowMethods=cors.get("methods"),
        allowHeaders=cors.get("headers"),
        exposeHeaders=cors.get("expose_headers"),
        allowCredentials=cors.get("credentials"),
        maxAge=duration(cors.get("max_age"), f"{where}.max_age"),
    )


def _refuse_unreachable(routes: Iterable[Options], protocol: str) -> None:
    for number, route in enumerate(routes := list(routes)):
        everything = not route.get("match") or any(not match for match in route["match"])
        if everything and number + 1 < len(routes):
            raise InvalidInput(
                f"{protocol}[{number + 1}] is never used: {protocol}[{number}] matches everything. Move"
                f" {protocol}[{number}] to the end.",
                option=f"{protocol}[{number}]",
            )


def _subset_rules(options: Options, spec: Options) -> list[Object]:
    """Build a DestinationRule for each host with subsets."""
    name, namespace = options["name"], options["namespace"]
    goals = [target for _place, target in destinations({"spec": spec})]
    rules: dict[Host, list[dict[str, Any]]] = {}
    texts_of: dict[Host, str] = {}
    for where, subset in each(options, "subsets"):
        users = [target for target in goals if target.get("subset") == subset["name"]]
        hosts = {target["host"] for target in users or goals}
        text = subset.get("host") or (hosts.pop() if len(hosts) == 1 else None)
        if not text:
            raise InvalidInput(
                f"{where} is ambiguous: the routes have several destination hosts. Set the host of the subset.",
                option=where,
            )
        host = Host.of(text, namespace)
        texts_of.setdefault(host, text)
        rules.setdefault(host, []).append({"name": subset["name"], "labels": texts(subset.get("labels"))})
    for subsets in rules.values():
        refuse_repeated((subset["name"] for subset in subsets), "subset")
    return [
        make(
            NETWORKING,
            "DestinationRule",
            namespace,
            f"{name}-subsets" if len(rules) == 1 else f"{name}-subsets-{host.label}",
            {"host": texts_of[host], "subsets": subsets},
        )
        for host, subsets in rules.items()
    ]
