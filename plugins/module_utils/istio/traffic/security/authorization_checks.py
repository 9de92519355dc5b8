# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check access control against the cluster: warn of pods without a proxy."""

from __future__ import annotations

from collections.abc import Iterator

from ....kube.api.cluster import Cluster
from ....kube.objects.objects import Kind
from ....kube.plan.plan import Plan
from ..shared.fields import SECURITY, Options
from ..shared.problems import Problem
from ..shared.workloads import unprotected

AUTHORIZATION_POLICY = Kind(SECURITY, "AuthorizationPolicy")
REQUEST_AUTHENTICATION = Kind(SECURITY, "RequestAuthentication")


def problems(options: Options, cluster: Cluster, plan: Plan) -> Iterator[Problem]:
    """Yield a warning about pods on which the policy has no effect."""
    everywhere = options["namespace"] == options["root_namespace"] and not options.get("selector")
    if plan.objects and not everywhere:
        yield from unprotected(cluster, options["namespace"], options.get("selector") or {}, "Access control")
