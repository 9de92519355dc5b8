# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What speaks against a traffic policy, seen from the cluster; and which pods its rate limit is for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ....kube.api.cluster import Cluster
from ....kube.errors import InvalidInput, Refused
from ....kube.plan.plan import Plan
from ..shared.fields import Object, Options
from ..shared.hosts import Host
from ..shared.problems import Problem
from ..shared.registry import Registry, after, lost_subsets
from ..shared.workloads import unprotected


def limited_workload(options: Options, cluster: Cluster) -> dict[str, Any]:
    """The labels of the pods whose proxies limit the rate: as given, or else those that the host's Service selects.

    Raises InvalidInput or Refused where they cannot be told.
    """
    limit, namespace = options.get("rate_limit") or {}, options["namespace"]
    if not limit:
        return {}
    if limit.get("selector"):
        return dict(limit["selector"])
    if not options.get("destination"):
        raise InvalidInput(
            "rate_limit needs the labels of its workload, as selector, or a destination.", option="rate_limit"
        )
    host = Host.of(options["destination"], namespace)
    service = Registry(cluster, namespace).service(host)
    if service is None or not service["spec"].get("selector"):
        raise Refused(
            f"There is no Service {host} with a selector, so rate_limit needs the labels of its workload, as selector.",
            code="host_missing",
            host=str(host),
        )
    if host.namespace != namespace:
        raise InvalidInput(
            f"A rate limit is set where the pods are: use namespace {host.namespace}.", option="namespace"
        )
    return dict(service["spec"]["selector"])


def problems(options: Options, cluster: Cluster, plan: Plan) -> Iterator[Problem]:
    """A host that does not exist, a second policy for it, subsets still in use, and what has no effect."""
    registry = Registry(cluster, options["namespace"])
    for obj in plan.objects:
        if obj["kind"] == "EnvoyFilter":
            labels = obj["spec"]["workloadSelector"]["labels"]
            yield from unprotected(cluster, options["namespace"], labels, "The rate limit")
        else:
            yield from _host(registry, obj)
            yield from _rivals(registry, plan, obj)
    yield from lost_subsets(registry, plan)


def _host(registry: Registry, rule: Object) -> Iterator[Problem]:
    host = registry.host(rule["spec"]["host"])
    if "*" not in host.full and registry.find(host) is None:
        yield Problem(
            f"No Service or ServiceEntry is called {host.full}: create it first, or correct destination.",
            "host_missing",
            details={"host": host.full},
        )


def _rivals(registry: Registry, plan: Plan, rule: Object) -> Iterator[Problem]:
    """Of several policies for one host Istio takes one; only subsets are put together."""
    host, own = registry.host(rule["spec"]["host"]), rule["metadata"]
    for other in after(plan, registry.rules, "DestinationRule"):
        theirs = other["metadata"]
        if theirs["name"] == own["name"] or theirs["namespace"] != own["namespace"] or not _clash(rule, other):
            continue
        if Host.of(other["spec"].get("host", ""), theirs["namespace"]) == host:
            yield Problem(
                f"DestinationRule {theirs['namespace']}/{theirs['name']} sets a policy or the same subset for {host} "
                "already, and Istio takes only one: put them together.",
                "policy_taken",
                details={"destination_rule": f"{theirs['namespace']}/{theirs['name']}", "host": str(host)},
            )


def _clash(rule: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    mine, theirs = (one["spec"] for one in (rule, other))
    both = bool(mine.get("trafficPolicy")) and bool(theirs.get("trafficPolicy"))
    names = [{subset["name"] for subset in one.get("subsets") or ()} for one in (mine, theirs)]
    return both or bool(names[0] & names[1])
