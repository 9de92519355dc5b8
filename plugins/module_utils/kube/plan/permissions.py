# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the user's permissions for a plan before the first write, so that no run stops half way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..api.cluster import Access, Cluster
from ..errors import Refused
from ..objects.objects import Kind, key_of, kind_of
from ..wait.status import has_status
from .change import Change
from .plan import Plan

MANY = 3
"""From this number of namespaces, first check the permission for all namespaces."""

EVERYTHING = Access("*", "*", "*")
"""The permission of administrators, checked first with one request."""

_VERBS = {"create": ("create", "patch"), "update": ("get", "patch"), "delete": ("get", "delete")}
_WATCHING = ("list", "watch")
_RBAC = "rbac.authorization.k8s.io"
_ROLES = {"Role": "roles", "ClusterRole": "clusterroles"}
_BINDINGS = frozenset({"RoleBinding", "ClusterRoleBinding"})


def refuse_forbidden(cluster: Cluster, plan: Plan, *, waits: bool, locking: Iterable[Access] = ()) -> None:
    """Raise Refused with all missing permissions; `waits` and `locking`: what the run does besides its changes."""
    grants = dict(_grants(plan))
    denied = _denied(cluster, [*required(cluster, plan, waits=waits, locking=locking), *grants])
    # A user who has all permissions of a role may grant it without escalate or bind.
    held = [grant for grant in denied if grant in grants and _holds(cluster, grants[grant], grant.namespace)]
    _refuse(cluster, [access for access in denied if access not in held])


def refuse_denied(cluster: Cluster, checks: Iterable[Access]) -> None:
    """Raise Refused with those of `checks` that are denied."""
    _refuse(cluster, _denied(cluster, list(dict.fromkeys(checks))))


def watching(cluster: Cluster, kind: Kind, namespace: str = "") -> Iterator[Access]:
    """Return the permissions to wait for objects of a kind."""
    return (Access(verb, kind.group, cluster.plural(kind), namespace) for verb in _WATCHING)


def required(cluster: Cluster, plan: Plan, *, waits: bool, locking: Iterable[Access] = ()) -> list[Access]:
    """Return the permissions that a plan needs, except those to grant roles, without duplicates."""
    found: dict[Access, None] = {}

    def add(kind: Kind, namespace: str, verbs: Iterable[str]) -> None:
        # Access reviews also work for kinds whose CRD does not exist yet.
        found.update((Access(verb, kind.group, cluster.plural(kind), namespace), None) for verb in verbs)

    for change in plan.bookkeeping:
        add(change.key.of, change.key.namespace, _VERBS[change.action])
    for change in plan.changes:
        # CRDs are always awaited before their custom resources.
        deleted = change.action == "delete" and (waits or change.recreated)
        watched = change.key.kind == "CustomResourceDefinition" or deleted
        add(change.key.of, change.key.namespace, (*_verbs(change), *(_WATCHING if watched else ())))
    for key in [*plan.leaving, *(plan.ending if waits else ())]:
        add(key.of, key.namespace, _WATCHING)
    if plan.changes and waits:
        for key in (*plan.unit.awaits(), *(change.key for change in plan.changes if change.awaited)):
            add(key.of, key.namespace, _WATCHING)
        for obj in plan.objects:
            awaited = plan.unit.awaited is None or plan.unit.awaited(obj)
            if awaited and has_status(kind_of(obj)):
                add(kind_of(obj), key_of(obj).namespace, _WATCHING)
            service = plan.unit.gate(obj) if plan.unit.gate else None
            if service is not None:
                add(Kind("discovery.k8s.io/v1", "EndpointSlice"), service.namespace, _WATCHING)
    if plan.changes:
        found.update(dict.fromkeys(locking))
    return list(found)


def _verbs(change: Change) -> tuple[str, ...]:
    """Return what writing a change asks of the user; a patch is neither applied nor, without a version, read again."""
    if not change.patch or change.action == "delete":
        return _VERBS[change.action]
    if change.action == "create":
        return ("create", "patch") if change.owners else ("create",)
    return ("get", "patch") if change.before and "resourceVersion" in change.before["metadata"] else ("patch",)


def _refuse(cluster: Cluster, denied: Sequence[Access]) -> None:
    if denied:
        missing = list(dict.fromkeys(str(access) for access in denied))
        raise Refused(
            f"Forbidden: the user of {cluster.context or cluster.server} has no permission to {', '.join(missing)}. Grant"
            " it, or use an account that has it.",
            code="forbidden",
            missing=missing,
        )


def _denied(cluster: Cluster, checks: list[Access]) -> list[Access]:
    """Return the denied ones of `checks`; check the permission for all namespaces first if there are many."""
    if len(checks) >= MANY and not cluster.denied([EVERYTHING]):
        return []
    places = Counter(_everywhere(check) for check in checks)
    wide = [check for check, number in places.items() if number >= MANY]
    granted = set(wide).difference(cluster.denied(wide))
    return cluster.denied([check for check in checks if _everywhere(check) not in granted])


def _everywhere(check: Access) -> Access:
    return check._replace(namespace="")


# --- granting rights to others -------------------------------------------------------------------------------------


def _grants(plan: Plan) -> Iterator[tuple[Access, Sequence[Mapping[str, Any]]]]:
    """Yield the permission (escalate or bind) for each role and binding of the plan, and the rules that it grants.

    Bindings to other roles are checked by a dry run, see dry_run.py.
    """
    rules = {key_of(obj): obj.get("rules") or () for obj in plan.objects if obj["kind"] in _ROLES}
    for change in plan.changes:
        if change.desired is None:
            continue
        key = change.key
        if key in rules and _differs(change, "rules"):
            yield Access("escalate", _RBAC, _ROLES[key.kind], key.namespace, key.name), rules[key]
        elif key.kind in _BINDINGS and _differs(change, "roleRef", "subjects"):
            # The API server rejects one without a role.
            role = change.desired.get("roleRef") or {}
            kind, name = role.get("kind", ""), role.get("name", "")
            named = key._replace(kind=kind, namespace=key.namespace if kind == "Role" else "", name=name)
            if named in rules:
                yield Access("bind", _RBAC, _ROLES[kind], key.namespace, name), rules[named]


def _differs(change: Change, *names: str) -> bool:
    before, desired = change.before or {}, change.desired or {}
    return any(before.get(name) != desired.get(name) for name in names) or change.before is None


def _holds(cluster: Cluster, rules: Sequence[Mapping[str, Any]], namespace: str) -> bool:
    """Return whether the user has all permissions of some rules; false for rules with nonResourceURLs."""
    if any(rule.get("nonResourceURLs") for rule in rules):
        return False
    return not cluster.denied(list(dict.fromkeys(access for rule in rules for access in _of_rule(rule, namespace))))


def _of_rule(rule: Mapping[str, Any], namespace: str) -> Iterator[Access]:
    for verb in rule.get("verbs") or ():
        for group in rule.get("apiGroups") or ():
            for resource in rule.get("resources") or ():
                plural, _slash, subresource = resource.partition("/")
                for name in rule.get("resourceNames") or ("",):
                    yield Access(verb, group, plural, namespace, name, subresource)
