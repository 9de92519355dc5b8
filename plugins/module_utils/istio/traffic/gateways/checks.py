# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check a Gateway against the cluster: its workload, the ports of its Service, and the Secrets of its certificates."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ....kube.api.cluster import Cluster
from ....kube.objects.kinds import POD, SERVICE
from ....kube.objects.objects import Object
from ....kube.plan.plan import Plan
from ...model.labels import labels_of
from ...model.proxies import has_ended
from ..shared.certificates import secret_problems
from ..shared.fields import Options
from ..shared.problems import Problem


def problems(_options: Options, cluster: Cluster, plan: Plan, *, assumed: Sequence[str] = ()) -> Iterator[Problem]:
    """Yield a problem for a workload or port that is not found, and for Secrets that cannot be used.

    `assumed`: the namespaces of gateways that do not exist yet, whose labels and ports are unknown.
    """
    for gateway in plan.objects:
        selector = gateway["spec"]["selector"]
        text = ",".join(f"{name}={value}" for name, value in sorted(selector.items()))
        pods = [pod for pod in cluster.list(POD, label_selector=text) if not has_ended(pod)]
        if not pods and not assumed:
            yield Problem(
                f"Gateway workload not found: no running Pod has the labels {text} of selector. Install a gateway, or"
                " correct selector.",
                "workload_missing",
                details={"selector": selector},
            )
            continue
        if not assumed:
            yield from _ports(cluster, gateway, pods)
        namespaces = sorted({pod["metadata"]["namespace"] for pod in pods})
        for server in gateway["spec"]["servers"]:
            tls = server.get("tls") or {}
            if tls.get("credentialName") and "://" not in tls["credentialName"]:
                found = [
                    list(secret_problems(cluster, namespace, tls["credentialName"], tls["mode"]))
                    for namespace in namespaces or assumed
                ]
                if namespaces:
                    yield from itertools.chain.from_iterable(found)
                elif all(found):  # the Secret may be in any of the namespaces
                    yield from found[0]


def _ports(cluster: Cluster, gateway: Object, pods: Iterable[Object]) -> Iterator[Problem]:
    """Yield a problem for each server whose port is neither a port nor a targetPort of the workload's Service."""
    labels = {(pod["metadata"]["namespace"], *sorted(labels_of(pod).items())) for pod in pods}
    namespaces = {namespace for namespace, *_labels in labels}
    services = [
        service
        for found in cluster.list_many([(SERVICE, namespace, "") for namespace in sorted(namespaces)])
        for service in found
        if any(_selects(service, namespace, dict(own)) for namespace, *own in labels)
    ]
    ports = [port for service in services for port in service["spec"].get("ports") or ()]
    known = {port["port"] for port in ports} | {port.get("targetPort") for port in ports}
    for server in gateway["spec"]["servers"]:
        number = server["port"]["number"]
        if services and number not in known:
            names = ", ".join(f"{one['metadata']['namespace']}/{one['metadata']['name']}" for one in services)
            has = ", ".join(str(number) for number in sorted({port["port"] for port in ports}))
            yield Problem(
                f"Port {number} not found in the gateway's Service {names}, which has {has}. Use one of these, or add the"
                " port to the Service.",
                "port_missing",
                details={"port": number, "ports": sorted({port["port"] for port in ports})},
            )


def _selects(service: Mapping[str, Any], namespace: str, labels: Mapping[str, str]) -> bool:
    selector = service["spec"].get("selector") or {}
    return service["metadata"]["namespace"] == namespace and bool(selector) and selector.items() <= labels.items()
