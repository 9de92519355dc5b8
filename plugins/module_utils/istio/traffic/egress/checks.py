# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What speaks against egress rules, seen from the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from ....kube.api.cluster import Cluster
from ....kube.plan.plan import Plan
from ..shared.fields import Object, Options
from ..shared.problems import Problem
from ..shared.registry import SERVICE_ENTRY, SIDECAR, Registry, exported


def problems(options: Options, cluster: Cluster, plan: Plan) -> Iterator[Problem]:
    """A host that has an entry already, and a second Sidecar for a whole namespace."""
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
                f"ServiceEntry {theirs['namespace']}/{theirs['name']} has the host '{shared[0]}' already: "
                "change that one, or remove it.",
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
                f"Sidecar {theirs['namespace']}/{theirs['name']} holds for the whole namespace already: set its "
                "outboundTrafficPolicy, or remove it.",
                "sidecar_taken",
                details={"sidecar": f"{theirs['namespace']}/{theirs['name']}"},
            )
