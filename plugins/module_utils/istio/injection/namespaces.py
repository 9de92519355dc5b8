# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labels by which namespaces are in or out of the mesh, and how they are set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...kube.apply.lock import Lock
from ...kube.errors import InvalidInput, Refused
from ...kube.objects.kinds import NAMESPACE
from ...kube.objects.managed_fields import fields_of
from ...kube.objects.objects import Object
from ...kube.plan.change import Change, created, patched
from ...kube.plan.unit import Unit
from ..model import labels
from ..model.labels import labels_of

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

MANAGER = "meshops.istio/injection"
LOCK = Lock.of("injection")
MODES = ("enabled", "disabled", "revision", "ambient")

_INJECTION = "istio-injection"
_AMBIENT = "istio.io/dataplane-mode"
_OURS = (_INJECTION, labels.REVISION, _AMBIENT)
_MEANINGS = {(_INJECTION, "enabled"): "default", (_INJECTION, "disabled"): "", (_AMBIENT, "none"): None}
"""The meaning of a label where it is not its value: a revision's name, "" for no sidecar, None for no request."""


def wanted_labels(mode: str, revision: str = "", *, present: bool = True) -> dict[str, str | None]:
    """The labels of a namespace in this mode; None for those that must not be there.

    `enabled` and `disabled` are for the default revision, `revision` for a revision or tag of that name. Sidecars
    and ambient exclude each other, and so do the two ways of naming a revision. With `present` false: none at all.
    """
    none: dict[str, str | None] = dict.fromkeys(_OURS)
    if not present:
        return none
    if mode not in MODES:
        raise InvalidInput(f"The injection mode '{mode}' is none of {', '.join(MODES)}.", mode=mode)
    if mode == "revision" and not revision:
        raise InvalidInput("The injection mode 'revision' needs the name of a revision or tag.", mode=mode)
    if mode != "revision" and revision:
        raise InvalidInput(f"A revision goes with the injection mode 'revision', not with '{mode}'.", mode=mode)
    if mode == "revision":
        return {**none, labels.REVISION: revision}
    return {**none, _AMBIENT: "ambient"} if mode == "ambient" else {**none, _INJECTION: mode}


def unit(
    names: Sequence[str],
    wanted: Mapping[str, str | None],
    *,
    create: bool,
    force: bool = False,
    read: dict[str, Object] | None = None,
) -> Unit:
    """Return the unit that gives namespaces the wanted labels; other labels stay.

    Its plan raises Refused for namespaces that do not exist, unless `create`, and for labels of others that contradict
    the wanted ones, unless `force`.

    read: gets the namespaces by name, as the plan has read them.
    """
    distinct = list(dict.fromkeys(names))

    def changes(cluster: Cluster) -> list[Change]:
        found = {one["metadata"]["name"]: one for one in _read(cluster, distinct)}
        if read is not None:
            read.update(found)
        return _changes(found, distinct, wanted, create, force)

    return Unit(MANAGER, [], changes=changes)


def _changes(
    found: Mapping[str, Object], names: Sequence[str], wanted: Mapping[str, str | None], create: bool, force: bool
) -> list[Change]:
    missing = [name for name in names if name not in found]
    if missing and any(wanted.values()) and not create:
        plural = len(missing) > 1
        raise Refused(
            f"Namespace{'s' if plural else ''} {', '.join(missing)} not found. Create {'them' if plural else 'it'},"
            " or set create_namespaces to true.",
            code="namespace_missing",
            namespaces=missing,
        )
    if not force:
        _refuse_contradictions(found.values(), wanted)
    given = {key: value for key, value in wanted.items() if value is not None}
    changes = [created(_namespace(name, given)) for name in missing] if given else []
    patches = (patched(namespace, {"metadata": {"labels": dict(wanted)}}) for namespace in found.values())
    return [*changes, *(change for change in patches if change is not None)]


def _namespace(name: str, given: Mapping[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(given)}}


def _refuse_contradictions(namespaces: Iterable[dict[str, Any]], wanted: Mapping[str, str | None]) -> None:
    """Raise Refused where labels of others mean something else: who set them would find the namespace moved."""
    given = [f"{key}={value}" for key, value in wanted.items() if value is not None]
    contrary = {one["metadata"]["name"]: found for one in namespaces if (found := _contradictions(one, wanted))}
    if given and contrary:
        name, found = next(iter(contrary.items()))
        more = f" (and {len(contrary) - 1} more namespaces)" if len(contrary) > 1 else ""
        raise Refused(
            f"The namespace {name} has the label {' and '.join(found)}{more}, which somebody else has set and which"
            f" contradicts {' and '.join(given)}: remove it, or set force to have it replaced.",
            code="contradicting_labels",
            namespaces=contrary,
        )


def _contradictions(namespace: dict[str, Any], wanted: Mapping[str, str | None]) -> list[str]:
    """The labels (`key=value`) that would have to go, ask for something else, and are not ours."""
    own = labels_of(namespace)
    ours = fields_of(namespace, {MANAGER}).get("f:metadata", {}).get("f:labels", {})
    meant = {None, *(_meaning(key, value) for key, value in wanted.items() if value is not None)}
    return [
        f"{key}={own[key]}"
        for key in _OURS
        if key in own and wanted[key] is None and f"f:{key}" not in ours and _meaning(key, own[key]) not in meant
    ]


def _meaning(key: str, value: str) -> str | None:
    return _MEANINGS.get((key, value), value)


def _read(cluster: Cluster, names: Sequence[str]) -> list[dict[str, Any]]:
    if len(set(names)) > 3:
        chosen = set(names)
        return [one for one in cluster.list(NAMESPACE) if one["metadata"]["name"] in chosen]
    answers = cluster.parallel(lambda name: cluster.get(NAMESPACE, name), list(dict.fromkeys(names)))
    return [one for one in answers if one is not None]
