# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build a DestinationRule: load balancing, connection pool, outlier detection, TLS and subsets of a host."""

from __future__ import annotations

from typing import Any

from ....kube.errors import InvalidInput
from ....kube.objects.objects import Object
from ..shared.fields import NETWORKING, Options, duration, each, given, make, refuse_repeated, texts

_ONE_DAY = "86400s"


def build(options: Options) -> list[Object]:
    """Build the DestinationRule from the options of `traffic_policy`; none if only rate_limit is set.

    Raises InvalidInput.
    """
    subsets = [{"name": one["name"], "labels": texts(one.get("labels"))} for _where, one in each(options, "subsets")]
    refuse_repeated((subset["name"] for subset in subsets), "subset")
    policy = _policy(options)
    if not policy and not subsets:
        if not options.get("rate_limit"):
            raise InvalidInput("The policy is empty: no setting is given. Set subsets, rate_limit or another setting.")
        return []
    if not options.get("destination"):
        raise InvalidInput(
            "destination is missing: the policy needs the host that it is for. Set destination.", option="destination"
        )
    spec = given(host=options["destination"], exportTo=options.get("export_to"), trafficPolicy=policy, subsets=subsets)
    return [make(NETWORKING, "DestinationRule", options["namespace"], options["name"], spec)]


def _policy(options: Options) -> dict[str, Any]:
    outliers = options.get("outlier_detection") or {}
    balancing = _balancing(options)
    if "localityLbSetting" in balancing and not outliers:
        raise InvalidInput(
            "locality needs outlier_detection, by which Istio detects failed endpoints. Set outlier_detection.",
            option="locality",
        )
    return given(
        loadBalancer=balancing,
        connectionPool=_connection_pool(options.get("connection_pool") or {}, "connection_pool"),
        outlierDetection=_outliers(outliers, "outlier_detection"),
        tls=_tls(options.get("tls") or {}),
    )


def _balancing(options: Options) -> dict[str, Any]:
    algorithm, affinity = options.get("algorithm"), options.get("session_affinity") or {}
    if algorithm and affinity:
        raise InvalidInput("algorithm and session_affinity conflict. Remove one of them.", option="algorithm")
    return given(
        simple=algorithm.upper() if algorithm else None,
        consistentHash=_affinity(affinity, "session_affinity"),
        localityLbSetting=_locality(options.get("locality") or {}),
        warmup=given(duration=duration(options.get("warmup"), "warmup")),
    )


def _affinity(affinity: Options, where: str) -> dict[str, Any]:
    chosen = [name for name in ("cookie", "header", "query_parameter", "source_ip") if affinity.get(name)]
    if not chosen:
        return {}
    if len(chosen) > 1:
        raise InvalidInput(f"{where} is invalid: {' and '.join(chosen)} conflict. Keep one of them.", option=where)
    cookie = affinity.get("cookie") or {}
    return given(
        # Without a TTL Envoy never sets the cookie, so that new clients have no affinity.
        httpCookie=given(
            name=cookie.get("name"),
            path=cookie.get("path"),
            ttl=duration(cookie.get("ttl"), f"{where}.cookie.ttl") or _ONE_DAY,
        )
        if cookie
        else None,
        httpHeaderName=affinity.get("header"),
        httpQueryParameterName=affinity.get("query_parameter"),
        useSourceIp=affinity.get("source_ip") or None,
    )


def _locality(locality: Options) -> dict[str, Any]:
    ways = [name for name in ("failover", "failover_priority", "distribute") if locality.get(name)]
    if "distribute" in ways and len(ways) > 1:
        raise InvalidInput(
            "locality is invalid: distribute and failover conflict. Keep one of them.", option="locality"
        )
    if not ways:
        return {}
    for where, share in each(locality, "distribute", "locality"):
        if (total := sum(share["to"].values())) != 100:
            raise InvalidInput(
                f"{where} is invalid: the weights add up to {total}. Change them to add up to 100.",
                code="weights",
                option=where,
            )
    return given(
        enabled=True,
        failover=[{"from": one["from"], "to": one["to"]} for _where, one in each(locality, "failover")],
        failoverPriority=locality.get("failover_priority"),
        distribute=[{"from": one["from"], "to": dict(one["to"])} for _where, one in each(locality, "distribute")],
    )


def _connection_pool(pool: Options, where: str) -> dict[str, Any]:
    return given(
        tcp=given(
            maxConnections=pool.get("max_connections"),
            connectTimeout=duration(pool.get("connect_timeout"), f"{where}.connect_timeout"),
        ),
        http=given(
            http1MaxPendingRequests=pool.get("max_pending_requests"),
            http2MaxRequests=pool.get("max_requests"),
            maxRequestsPerConnection=pool.get("max_requests_per_connection"),
            maxRetries=pool.get("max_retries"),
            idleTimeout=duration(pool.get("idle_timeout"), f"{where}.idle_timeout"),
        ),
    )


def _outliers(outliers: Options, where: str) -> dict[str, Any]:
    return given(
        consecutive5xxErrors=outliers.get("consecutive_5xx_errors"),
        consecutiveGatewayErrors=outliers.get("consecutive_gateway_errors"),
        interval=duration(outliers.get("interval"), f"{where}.interval"),
        baseEjectionTime=duration(outliers.get("base_ejection_time"), f"{where}.base_ejection_time"),
        maxEjectionPercent=outliers.get("max_ejection_percent"),
        minHealthPercent=outliers.get("min_health_percent"),
    )


def _tls(tls: Options) -> dict[str, Any]:
    mode = tls.get("mode")
    return given(
        mode=mode.upper() if mode else None,
        sni=tls.get("sni"),
        credentialName=tls.get("secret"),
        subjectAltNames=tls.get("subject_alt_names"),
        insecureSkipVerify=tls.get("insecure_skip_verify"),
    )
