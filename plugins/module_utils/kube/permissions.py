# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the user may do what a plan says: asked before the first write, so that nothing ends half done."""

from __future__ import annotations

from collections import Counter

from .cluster import Access, Cluster
from .errors import Refused
from .lock import NAMESPACE as LOCK_NAMESPACE
from .plan import Plan

MANY = 3
"""From as many namespaces on, it is asked first whether a thing may be done in all of them."""

_VERBS = {"create": ("create", "patch"), "update": ("patch",), "delete": ("delete",)}


def refuse_forbidden(cluster: Cluster, plan: Plan, *, waits: bool, locks: bool) -> None:
    """Raise Refused with everything that is missing; `waits` and `locks` tell what the run does beside its changes."""
    denied = _denied(cluster, required(cluster, plan, waits=waits, locks=locks))
    if denied:
        missing = ", ".join(str(access) for access in denied)
        raise Refused(
            f"The user of {cluster.context or cluster.server} may not {missing}: grant these permissions, "
            "or run with an account that has them.",
            code="forbidden",
            missing=[str(access) for access in denied],
        )


def required(cluster: Cluster, plan: Plan, *, waits: bool, locks: bool) -> list[Access]:
    """What carrying out the plan asks of the user, each thing once."""
    found: dict[Access, None] = {}
    for change in plan.changes:
        # A kind whose CRD is created by this very plan is not known to the server's own access rules any less.
        verbs = _VERBS[change.action] + (("list", "watch") if waits else ())
        for verb in verbs:
            found[Access(verb, change.key.of.group, cluster.plural(change.key.of), change.key.namespace)] = None
    if plan.changes and locks:
        for verb in ("get", "create", "patch", "delete"):
            found[Access(verb, "coordination.k8s.io", "leases", LOCK_NAMESPACE)] = None
    return list(found)


def _denied(cluster: Cluster, checks: list[Access]) -> list[Access]:
    """What of `checks` the user may not do; who may do a thing everywhere is not asked for each of many namespaces."""
    places = Counter(_everywhere(check) for check in checks)
    wide = [check for check, number in places.items() if number >= MANY]
    granted = set(wide).difference(cluster.allowed(wide))
    return cluster.allowed([check for check in checks if _everywhere(check) not in granted])


def _everywhere(check: Access) -> Access:
    return check._replace(namespace="")
