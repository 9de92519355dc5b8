# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gates of a canary: a Prometheus query, or the share of successful requests."""

from __future__ import annotations

import json
import math
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ....kube.api.cluster import Access, Cluster
from ....kube.errors import InvalidInput, MeshError
from ....kube.objects.shapes import MAP, TEXT, Map, fitting, list_of, maps_of

Options = Mapping[str, Any]

_ANSWER = Map({"status": TEXT, "data": MAP})
_TIMEOUT = 10.0
"""Timeout of one request in seconds."""


@dataclass(frozen=True)
class Finding:
    """The result of a gate: `ok`, a sentence, and the measured value, None without data."""

    ok: bool
    sentence: str
    value: float | None = None


def ask(cluster: Cluster, prometheus: Options | None, answers: Options | None) -> Finding:
    """Run the gates; return the first failure, else the last success."""
    found = [_metric(cluster, prometheus)] if prometheus else []
    if answers and all(one.ok for one in found):
        found.append(_answers(answers))
    return found[-1]


def check(prometheus: Options | None, answers: Options | None) -> None:
    """Raise InvalidInput for missing or incomplete gates."""
    if not prometheus and not answers:
        raise InvalidInput("The canary is invalid: it has no gate. Set prometheus or answers.")
    if prometheus:
        if (prometheus.get("url") is None) == (prometheus.get("service") is None):
            raise InvalidInput(
                "prometheus is invalid: it needs exactly one of url and service. Set one of them.", option="prometheus"
            )
        if prometheus.get("min") is None and prometheus.get("max") is None:
            raise InvalidInput("prometheus is invalid: it has no threshold. Set min, max or both.")
        if prometheus.get("service"):
            _proxy(prometheus["service"])
    for name, options in (("prometheus", prometheus), ("answers", answers)):
        url = (options or {}).get("url")
        if url and not url.startswith(("http://", "https://")):
            raise InvalidInput(f"{name}.url '{url}' is invalid: it must start with http:// or https://.", option=name)
    if answers and answers["count"] < 1:
        raise InvalidInput("answers.count is invalid: it must be 1 or more.", option="answers.count")


def _metric(cluster: Cluster, options: Options) -> Finding:
    try:
        data = _queried(cluster, options)
    except (MeshError, OSError, ValueError) as error:
        return Finding(False, f"Prometheus cannot be queried: {getattr(error, 'message', error)}")
    data = fitting(data, _ANSWER) or {}
    if data.get("status") != "success":
        return Finding(False, "Prometheus rejected the query, so that there is no data")
    value = _value(data.get("data") or {})
    if value is None:
        return Finding(False, "Prometheus returned no data for the query, or more than one series")
    low, high = options.get("min"), options.get("max")
    good = (low is None or value >= low) and (high is None or value <= high)
    limits = [f"{word} {limit:g}" for word, limit in (("at least", low), ("at most", high)) if limit is not None]
    return Finding(good, f"the query's value is {value:g}, and must be {' and '.join(limits)}", value)


def asking(prometheus: Options | None) -> Iterator[Access]:
    """Yield the permissions that the gate needs."""
    service = (prometheus or {}).get("service")
    if service:
        yield Access("get", "", "services", service.partition("/")[0], subresource="proxy")


def _queried(cluster: Cluster, options: Options) -> Any:
    query = {"query": options["query"]}
    if options.get("service"):
        return cluster.raw("GET", f"{_proxy(options['service'])}/api/v1/query", query=query)
    return json.loads(_get(f"{options['url'].rstrip('/')}/api/v1/query?{urllib.parse.urlencode(query)}", {})[1])


def _proxy(service: str) -> str:
    """Return the path to a Service through the API server, from `namespace/name:port`."""
    namespace, slash, rest = service.partition("/")
    name, colon, port = rest.partition(":")
    if not (namespace and slash and name and colon and port):
        raise InvalidInput(
            f"prometheus.service '{service}' is invalid: it must have the form namespace/name:port. Use, for example,"
            " istio-system/prometheus:9090."
        )
    return f"/api/v1/namespaces/{namespace}/services/{name}:{port}/proxy"


def _value(data: Mapping[str, Any]) -> float | None:
    """Return the value of a query; None for no value, several values, or NaN."""
    result = data.get("result")
    if data.get("resultType") == "vector":
        result = [one.get("value") for one in maps_of(result)]
        result = result[0] if len(result) == 1 else None
    try:
        value = float(list_of(result)[1])
    except (TypeError, ValueError, IndexError):
        return None
    return None if math.isnan(value) else value


def _answers(options: Options) -> Finding:
    """Send requests, and measure how many are answered with a status below 500."""
    count = options["count"]
    good = sum(_answered(options) for _number in range(count))
    share = 100 * good / count
    enough = share >= options["min_success"]
    return Finding(
        enough, f"{good} of {count} requests succeeded, and {options['min_success']:g} % of them must succeed", share
    )


def _answered(options: Options) -> bool:
    try:
        status, _body = _get(options["url"], {"Host": options["host"]} if options.get("host") else {})
    except (OSError, ValueError):
        return False
    return status < 500


def _get(url: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310 - check lets only HTTP through
    try:
        with urllib.request.build_opener().open(request, timeout=_TIMEOUT) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
