# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check a traffic policy against the cluster, and find the pods of its rate limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ....kube.api.cluster import Cluster
from ....kube.errors import InvalidInput, Refused
from ....kube.objects.objects import Object
from ....kube.plan.plan import Plan
from ..shared.fields import Options
from ..shared.hosts import Host
from ..shared.problems import Problem
from ..shared.registry import Registry, after, lost_subsets
from ..shared.workloads import unprotected


def limited_workload(options: Options, cluster: Cluster) -> dict[str, Any]:
    """Return the labels of the pods for the rate limit: those given, else the selector of the host's Service.

    Raises InvalidInput or Refused if neither is known.
    """
    limit, namespace = options.get("rate_limit") or {}, options["namespace"]
    if not limit:
        return {}
    if limit.get("selector"):
        return dict(limit["selector"])
    if not options.get("destination"):
        raise InvalidInput(
            "rate_limit needs a workload: neither selector nor destination is set. Set rate_limit.selector to the labels of"
            " its pods, or set destination.",
            option="rate_limit",
        )
    host = Host.of(options["destination"], namespace)
    service = Registry(cluster, namespace).service(host)
    if service is None or not service["spec"].get("selector"):
        raise Refused(
            f"Cannot find the pods of rate_limit: Service {host} with a selector not found. Set rate_limit.selector to"
            " their labels.",
            code="host_missing",
            host=str(host),
        )
    if host.namespace != namespace:
        raise InvalidInput(
            f"rate_limit cannot be set in namespace {namespace}: it must be in the namespace of its pods. Set namespace to"
            f" {host.namespace}.",
            option="namespace",
        )
    return dict(service["spec"]["selector"])


def problems(options: Options, cluster: Cluster, plan: Plan) -> Iterator[Problem]:
    """Yield a problem for a host that is not found, a second policy for it, subsets in use, and rules without effect."""
    registry = Registry(cluster, options["namespace"])
    for obj in plan.objects:
        if obj["kind"] == "EnvoyFilter":
            labels = obj["spec"]["workloadSelector"]["labels"]
            yield from unprotected(cluster, options["namespace"], labels, "The rate limit")
        else:
            yield from _host(registry, obj)
            yield from _conflicts(registry, plan, obj)
    yield from lost_subsets(registry, plan)


def _host(registry: Registry, rule: Object) -> Iterator[Problem]:
    host = registry.host(rule["spec"]["host"])
    if "*" not in host.full and registry.find(host) is None:
        yield Problem(
            f"Host {host.full} of destination not found: no Service or ServiceEntry has this name. Create it first, or"
            " correct destination.",
            "host_missing",
            details={"host": host.full},
        )


def _conflicts(registry: Registry, plan: Plan, rule: Object) -> Iterator[Problem]:
    """Yield a problem for a second policy of a host: Istio merges subsets, but uses only one policy."""
    host, own = registry.host(rule["spec"]["host"]), rule["metadata"]
    for other in after(plan, registry.rules, "DestinationRule"):
        theirs = other["metadata"]
        if theirs["name"] == own["name"] or theirs["namespace"] != own["namespace"] or not _clash(rule, other):
            continue
        if Host.of(other["spec"].get("host", ""), theirs["namespace"]) == host:
            yield Problem(
                f"A policy or subset for {host} already exists in DestinationRule"
                f" {theirs['namespace']}/{theirs['name']}, and Istio uses only one. Merge them.",
                "policy_taken",
                details={"destination_rule": f"{theirs['namespace']}/{theirs['name']}", "host": str(host)},
            )


def _clash(rule: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    mine, theirs = (one["spec"] for one in (rule, other))
    both = bool(mine.get("trafficPolicy")) and bool(theirs.get("trafficPolicy"))
    names = [{subset["name"] for subset in one.get("subsets") or ()} for one in (mine, theirs)]
    return both or bool(names[0] & names[1])
