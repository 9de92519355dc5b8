# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check by dry runs whether the API server would accept a plan, before the first write.

Planning has already done a dry run of updates. There is no dry run of objects in a namespace that does not exist yet, of
kinds whose CRD does not exist yet, and of CRDs, which are large and slow.
"""

from __future__ import annotations

from typing import cast

from ..api.cluster import Cluster
from ..errors import ApiError, Refused
from ..objects.builtin_kinds import BUILT_IN, defined_by
from ..objects.objects import Object
from .change import Change
from .immutable_fields import ImmutableFields, combined
from .plan import Plan
from .recreate import on_trial
from .refusals import WEBHOOK, refusal

_GRANTS = frozenset({"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"})
_WEBHOOKS = frozenset({"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"})


def refuse_unacceptable(cluster: Cluster, plan: Plan) -> None:
    """Raise Refused for the first object that the API server rejects, or for all with changed immutable fields."""
    named = {change.key.identity for change in plan.changes}
    defined = {
        defined_by(change.desired)
        for change in plan.changes
        if change.desired and change.key.kind == "CustomResourceDefinition"
    }
    tried = [
        change
        for change in (*plan.changes, *plan.bookkeeping)
        if change.action == "create"
        and not (change.patch and change.recreated)  # tried under another name when it was planned
        and change.key.kind != "CustomResourceDefinition"
        and change.key not in plan.leaving
        and ("", "Namespace", "", change.key.namespace) not in named
        and (change.key.of.group, change.key.kind) not in defined
        and (change.key.of in BUILT_IN or cluster.serves(change.key.of))
    ]
    problems = [change.problem for change in plan.changes]
    problems += cluster.parallel(lambda change: _problem(cluster, plan, change), tried)
    immutable = [problem for problem in problems if isinstance(problem, ImmutableFields)]
    if immutable:
        raise combined(immutable)
    repairs_webhooks = any(change.key.kind in _WEBHOOKS for change in plan.changes)
    for problem in problems:
        if problem is not None and not (problem.code == WEBHOOK and repairs_webhooks):
            raise problem


def _problem(cluster: Cluster, plan: Plan, change: Change) -> Refused | None:
    try:
        desired = cast(Object, change.desired)
        if change.patch:
            cluster.create(desired, manager=plan.unit.manager, dry_run=True)
            return None
        cluster.apply(on_trial(desired) if change.recreated else desired, manager=plan.unit.manager, dry_run=True)
    except ApiError as error:
        grants = change.key.kind in _GRANTS
        message = str(error.body.get("message") or error.message)
        if grants and "not found" in message and "namespaces" not in message:
            return None  # a binding to a role of this plan
        if change.key.namespace in plan.unit.assumed and error.status == 404 and "namespaces" in message:
            return None
        if grants and error.status == 403:
            return Refused(
                f"Cannot create {change.key}: forbidden, because it grants more permissions than the user has:"
                f" {message[:400].rstrip('.')}. Grant the user 'escalate' and 'bind' on it, or these permissions.",
                code="forbidden",
            )
        problem = refusal(change.key, error)
        if not isinstance(problem, Refused):
            raise problem from error
        return problem
    return None
