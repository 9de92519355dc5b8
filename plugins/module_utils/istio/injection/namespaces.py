# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labels by which namespaces are in or out of the mesh, and how they are set."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...kube.api.cluster import Access
from ...kube.apply.lock import Lock, locked
from ...kube.apply.reconcile import Outcome
from ...kube.errors import InvalidInput, Refused
from ...kube.objects.managed_fields import fields_of
from ...kube.objects.objects import Key, key_of
from ...kube.plan.diff import diffs
from ...kube.plan.permissions import refuse_denied
from ...kube.plan.plan import Change
from ...kube.progress import silent
from ..model import labels
from ..model.labels import labels_of
from .sidecars import NAMESPACES

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster
    from ...kube.progress import Progress

MANAGER = "meshops.istio/injection"
LOCK = Lock.of("injection")
MODES = ("enabled", "disabled", "revision", "ambient")

_INJECTION = "istio-injection"
_AMBIENT = "istio.io/dataplane-mode"
_OURS = (_INJECTION, labels.REVISION, _AMBIENT)
_MEANINGS = {(_INJECTION, "enabled"): "default", (_INJECTION, "disabled"): "", (_AMBIENT, "none"): None}
"""What labels ask for, where it is not their own value: a revision's name, "" for no sidecar, None for nothing."""
_VERBS = {"create": "create", "update": "patch"}


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


def label_namespaces(
    cluster: Cluster,
    names: Sequence[str],
    wanted: Mapping[str, str | None],
    *,
    create: bool,
    check: bool,
    diff: bool,
    force: bool = False,
    progress: Progress = silent,
) -> Outcome:
    """Give namespaces the wanted labels, in check mode only tell what that would change.

    Namespaces that do not exist are created if `create`; else Refused, before anything is written, as it is where the
    user may not do it, and where a label that somebody else has set contradicts the wanted ones, unless `force`. Other
    labels stay, and nothing is written where nothing differs. Several namespaces are written by one run at a time.
    """
    changes = _planned(cluster, names, wanted, create=create, force=force)
    several = len(changes) > 1
    accesses = [Access(_VERBS[change.action], "", "namespaces") for change in changes]
    refuse_denied(cluster, [*accesses, *(LOCK.access if several else ())])
    if changes and not check:
        deadline = time.monotonic() + cluster.patience
        held = locked(cluster, LOCK, manager=MANAGER, deadline=deadline, progress=progress)
        with held if several else contextlib.nullcontext():
            if several:
                changes = _planned(cluster, names, wanted, create=create, force=force)
            cluster.parallel(lambda change: _write(cluster, change, wanted), changes)
    summaries = [change.summary for change in changes]
    content = json.dumps([summaries, dict(wanted)], sort_keys=True)
    return Outcome(
        changed=bool(changes),
        changes=summaries,
        digest=hashlib.sha256(content.encode()).hexdigest(),
        diff=diffs(changes) if diff else [],
    )


def _planned(
    cluster: Cluster, names: Sequence[str], wanted: Mapping[str, str | None], *, create: bool, force: bool
) -> list[Change]:
    found = {one["metadata"]["name"]: one for one in _read(cluster, names)}
    missing = [name for name in dict.fromkeys(names) if name not in found]
    if missing and not create and any(wanted.values()):
        plural = len(missing) > 1
        raise Refused(
            f"The namespace{'s' if plural else ''} {', '.join(missing)} {'do' if plural else 'does'} not exist: create"
            f" {'them' if plural else 'it'}, or set create_namespaces.",
            code="namespace_missing",
            namespaces=missing,
        )
    if not force:
        _refuse_contradictions(found.values(), wanted)
    changes = [_creation(name, wanted) for name in missing] if create and any(wanted.values()) else []
    changes += [change for name in found if (change := _update(found[name], wanted)) is not None]
    return changes


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
        return [one for one in cluster.list(NAMESPACES) if one["metadata"]["name"] in chosen]
    answers = cluster.parallel(lambda name: cluster.get(NAMESPACES, name), list(dict.fromkeys(names)))
    return [one for one in answers if one is not None]


def _creation(name: str, wanted: Mapping[str, str | None]) -> Change:
    given = {key: value for key, value in wanted.items() if value is not None}
    after = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": given}}
    return Change("create", Key("v1", "Namespace", "", name), None, after, desired=after)


def _update(namespace: dict[str, Any], wanted: Mapping[str, str | None]) -> Change | None:
    own = labels_of(namespace)
    if all(own.get(key) == value for key, value in wanted.items()):
        return None
    merged = {**own, **wanted}
    metadata = {**namespace["metadata"], "labels": {key: value for key, value in merged.items() if value is not None}}
    return Change("update", key_of(namespace), namespace, {**namespace, "metadata": metadata})


def _write(cluster: Cluster, change: Change, wanted: Mapping[str, str | None]) -> None:
    if change.desired is not None:
        cluster.create(change.desired, manager=MANAGER)
    else:
        cluster.merge_patch(NAMESPACES, change.key.name, "", {"metadata": {"labels": dict(wanted)}}, manager=MANAGER)
