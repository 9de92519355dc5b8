# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check a mutual TLS mode against the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from ....kube.api.cluster import Cluster
from ....kube.objects.objects import Kind
from ....kube.plan.plan import Plan
from ..shared.fields import SECURITY, Options
from ..shared.problems import Problem
from ..shared.unit import served_kind
from . import plaintext

PEER_AUTHENTICATION = Kind(SECURITY, "PeerAuthentication")


def problems(options: Options, cluster: Cluster, plan: Plan) -> Iterator[Problem]:
    """Yield a problem for a second PeerAuthentication of the same workloads, and for plain-text clients of STRICT."""
    for wanted in plan.objects:
        namespace, name = options["namespace"], options["name"]
        for other in cluster.list(served_kind(cluster, PEER_AUTHENTICATION), namespace):
            same = other["spec"].get("selector") == wanted["spec"].get("selector")
            if other["metadata"]["name"] != name and same:
                yield Problem(
                    f"PeerAuthentication {namespace}/{other['metadata']['name']} already exists for the same workloads, and"
                    " Istio uses the older one. Set name to that name, or delete it.",
                    "mode_taken",
                    details={"peer_authentication": other["metadata"]["name"]},
                )
    yield from plaintext.problems(options, cluster, plan)
