# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build an EnvoyFilter for local rate limiting in each proxy of a workload, for which Istio has no API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....kube.errors import InvalidInput
from ....kube.objects.objects import Object
from ..shared.fields import ENVOY_FILTERS, Options, given, make, seconds, texts

FILTER = "envoy.filters.http.local_ratelimit"
SHORTEST = 0.05
"""Envoy's shortest interval in seconds."""

_TYPE = "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"


def build(options: Options, workload_labels: Mapping[str, Any]) -> list[Object]:
    """Build the EnvoyFilter from `rate_limit` for the proxies of pods with `workload_labels`; none if it is not set."""
    limit = options.get("rate_limit")
    if not limit:
        return []
    context = "GATEWAY" if limit.get("gateway") else "SIDECAR_INBOUND"
    listener = given(
        portNumber=limit.get("port"),
        filterChain={
            "filter": {
                "name": "envoy.filters.network.http_connection_manager",
                "subFilter": {"name": "envoy.filters.http.router"},
            }
        },
    )
    patch = {
        "applyTo": "HTTP_FILTER",
        "match": {"context": context, "listener": listener},
        "patch": {"operation": "INSERT_BEFORE", "value": {"name": FILTER, "typed_config": _configuration(limit)}},
    }
    # A priority after Istio's own filters (0), so that the router exists; without one, `istioctl analyze` warns.
    spec = {"workloadSelector": {"labels": texts(workload_labels)}, "priority": 10, "configPatches": [patch]}
    return [make(ENVOY_FILTERS, "EnvoyFilter", options["namespace"], f"{options['name']}-rate-limit", spec)]


def _configuration(limit: Options) -> dict[str, Any]:
    requests = limit["requests"]
    if requests < 1:
        raise InvalidInput(f"rate_limit.requests {requests} is invalid: it must be 1 or more.", option="rate_limit")
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    return {
        "@type": _TYPE,
        "stat_prefix": "http_local_rate_limiter",
        "token_bucket": {
            "max_tokens": max(requests, limit.get("burst") or 0),
            "tokens_per_fill": requests,
            "fill_interval": _interval(limit),
        },
        "filter_enabled": {"runtime_key": "local_rate_limit_enabled", **always},
        "filter_enforced": {"runtime_key": "local_rate_limit_enforced", **always},
        "response_headers_to_add": [
            {"append_action": "OVERWRITE_IF_EXISTS_OR_ADD", "header": {"key": "x-local-rate-limit", "value": "true"}}
        ],
    }


def _interval(limit: Options) -> str:
    """Return the interval in seconds, Envoy's only unit."""
    interval = seconds(limit.get("interval") or "1s", "rate_limit.interval")
    if interval < SHORTEST:
        raise InvalidInput(
            f"rate_limit.interval {interval:g} s is invalid: it must be {SHORTEST} s or more.", option="rate_limit"
        )
    return f"{interval:g}s"
