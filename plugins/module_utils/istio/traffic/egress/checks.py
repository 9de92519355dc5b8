# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check egress rules against the objects in the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from ....kube.api.cluster import Cluster
from ....kube.objects.objects import Object
from ....kube.plan.plan import Plan
from ..shared.fields import Options
from ..shared.problems import Problem
from ..shared.registry import SERVICE_ENTRY, SIDECAR, Registry, exported


def problems(options: Options, cluster: Cluster, plan: Plan) -> Iterator[Problem]:
    """Yield a problem for a host that another ServiceEntry has, and for a second Sidecar of a whole namespace."""
    registry = Registry(cluster, options["namespace"])
    for obj in plan.objects:
        rivals = _same_hosts if obj["kind"] == "ServiceEntry" else _same_scope
        yield from rivals(registry, obj)


def _same_hosts(registry: Registry, entry: Object) -> Iterator[Problem]:
    own = entry["metadata"]
    ports = {port["number"] for port in entry["spec"]["ports"]}
    for other in registry.listed(SERVICE_ENTRY):
        theirs, spec = other["metadata"], other["spec"]
        if (theirs["namespace"], theirs["name"]) == (own["namespace"], own["name"]):
            continue
        shared = sorted(set(entry["spec"]["hosts"]) & set(spec.get("hosts") or ()))
        same = ports & {port["number"] for port in spec.get("ports") or ()}
        if shared and same and exported(other, own["namespace"]):
            yield Problem(
                f"Host '{shared[0]}' already exists in ServiceEntry {theirs['namespace']}/{theirs['name']}. Change or"
                " delete that ServiceEntry.",
                "host_taken",
                details={"service_entry": f"{theirs['namespace']}/{theirs['name']}", "hosts": shared},
            )


def _same_scope(registry: Registry, sidecar: Object) -> Iterator[Problem]:
    own = sidecar["metadata"]
    for other in registry.listed(SIDECAR):
        theirs = other["metadata"]
        if (
            theirs["namespace"] == own["namespace"]
            and theirs["name"] != own["name"]
            and not other["spec"].get("workloadSelector")
        ):
            yield Problem(
                f"Cannot set outbound: Sidecar {theirs['namespace']}/{theirs['name']} already exists for the whole"
                " namespace. Set its outboundTrafficPolicy, or delete it.",
                "sidecar_taken",
                details={"sidecar": f"{theirs['namespace']}/{theirs['name']}"},
            )
