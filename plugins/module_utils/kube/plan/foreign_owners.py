# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse to change objects that another tool or controller manages, unless forced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import Refused
from ..objects import managed_fields
from ..objects.objects import Key, key_of

if TYPE_CHECKING:
    from .plan import Plan
    from .unit import Unit

HELM = "Helm"

_ARGO_CD, _FLUX, _FLEET = "Argo CD", "Flux", "Rancher Fleet"
_MARKS = {
    "argocd.argoproj.io/instance": _ARGO_CD,
    "argocd.argoproj.io/tracking-id": _ARGO_CD,
    "kustomize.toolkit.fluxcd.io/name": _FLUX,
    "helm.toolkit.fluxcd.io/name": _FLUX,
    "kapp.k14s.io/app": "kapp",
    "olm.owner": "the Operator Lifecycle Manager",
    "objectset.rio.cattle.io/id": _FLEET,
    "configmanagement.gke.io/managed": "Config Sync",
    "addonmanager.kubernetes.io/mode": "the cluster's addon manager",
    # Last, because Flux and others use Helm.
    "meta.helm.sh/release-name": HELM,
}
"""Labels and annotations of tools."""

# The label of Argo CD in some configurations; charts set it too.
_INSTANCE, _ARGO_CD_MANAGERS = (
    "app.kubernetes.io/instance",
    frozenset({"argocd-controller", "argocd-application-controller"}),
)
_OPERATORS = {"sailoperator.io": "the Sail operator"}


class Owner(NamedTuple):
    """The owner of an object: a tool, and its name for it, such as the name of a release."""

    tool: str
    name: str

    def __str__(self) -> str:
        return f"{self.tool} ({self.name})"


def owner_of(obj: Mapping[str, Any], manager: str = "") -> Owner | None:
    """Return the tool or controller that manages an object, None if there is none.

    Labels and annotations that only the field manager `manager` has set do not count.
    """
    metadata = obj["metadata"]
    marks = {**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})}
    for mark, tool in _MARKS.items():
        # The addon manager does not change objects with EnsureExists.
        if marks.get(mark) not in (None, "EnsureExists") and not _is_set_by(
            obj, manager, ("f:labels", f"f:{mark}"), ("f:annotations", f"f:{mark}")
        ):
            return Owner(tool, str(marks[mark]))
    if _INSTANCE in marks and managed_fields.held_by(obj, _ARGO_CD_MANAGERS):
        return Owner(_ARGO_CD, str(marks[_INSTANCE]))
    for reference in metadata.get("ownerReferences") or ():
        operator = _OPERATORS.get(str(reference.get("apiVersion", "")).partition("/")[0])
        item = f'k:{{"uid":"{reference.get("uid")}"}}'
        if (operator or reference.get("controller")) and not _is_set_by(obj, manager, ("f:ownerReferences", item)):
            return Owner(operator or "its controller", f"{reference.get('kind')} {reference.get('name')}")
    return None


def refuse_foreign(plan: Plan) -> None:
    """Raise Refused for a plan that would change or delete objects of another owner, unless forced."""
    if plan.unit.force:
        return
    for key, owner, _action in _taken(plan):
        refuse(key, owner)


def refuse_object(obj: Mapping[str, Any], unit: Unit) -> None:
    """Raise Refused for a live object of another owner, unless the unit may take it over."""
    owner = _owner_for(obj, unit)
    if owner is not None and not unit.force:
        refuse(key_of(obj), owner)


def refuse(key: Key, owner: Owner) -> None:
    """Raise Refused for an object of another owner."""
    raise Refused(
        f"Cannot change {key}: it is managed by {owner}, which reverts other changes. Change it there, remove it from"
        f" {owner.tool}, or set force to true.",
        code="foreign_owner",
        object=key._asdict(),
        owner=str(owner),
    )


def taken(plan: Plan) -> Iterator[str]:
    """Yield a warning for each object of another owner that the plan changes."""
    for key, owner, action in _taken(plan):
        yield f"{key}, which is managed by {owner}, is {'deleted' if action == 'delete' else 'changed'} by force."


def _taken(plan: Plan) -> Iterator[tuple[Key, Owner, str]]:
    for change in plan.changes:
        # A patch, such as a label, does not make the object the unit's.
        owner = _owner_for(change.before, plan.unit) if change.before and not change.patch else None
        if owner is not None:
            yield change.key, owner, change.action


def _owner_for(obj: Mapping[str, Any], unit: Unit) -> Owner | None:
    owner = owner_of(obj, unit.manager)
    return None if owner is not None and owner.tool in unit.previous_owners else owner


def _is_set_by(obj: Mapping[str, Any], manager: str, *paths: tuple[str, str]) -> bool:
    """Return whether only `manager` owns one of these fields of the metadata."""
    ours = managed_fields.owned_by(obj, manager) if manager else None
    if not ours:
        return False
    mine, theirs = (owned.get("f:metadata") or {} for owned in (ours, managed_fields.others(obj, {manager})))
    return any(item in (mine.get(name) or {}) and item not in (theirs.get(name) or {}) for name, item in paths)
