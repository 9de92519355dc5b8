# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labels by which namespaces are in or out of the mesh, and how they are set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..kube.cluster import Access
from ..kube.difference import diffs
from ..kube.errors import InvalidInput, Refused
from ..kube.objects import Key, key_of
from ..kube.permissions import refuse_denied
from ..kube.plan import Change
from ..kube.reconcile import Outcome
from . import labels
from .labels import labels_of
from .sidecars import NAMESPACES

if TYPE_CHECKING:
    from ..kube.cluster import Cluster

MANAGER = "meshops.istio/injection"
MODES = ("enabled", "disabled", "revision", "ambient")

_INJECTION = "istio-injection"
_AMBIENT = "istio.io/dataplane-mode"
_OURS = (_INJECTION, labels.REVISION, _AMBIENT)
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
) -> Outcome:
    """Give namespaces the wanted labels, in check mode only tell what that would change.

    Namespaces that do not exist are created if `create`; else Refused, before anything is written, as it is where the
    user may not do it. Other labels stay, and nothing is written where nothing differs.
    """
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
    changes = [_creation(name, wanted) for name in missing] if create and any(wanted.values()) else []
    changes += [change for name in found if (change := _update(found[name], wanted)) is not None]
    refuse_denied(cluster, [Access(_VERBS[change.action], "", "namespaces") for change in changes])
    if not check:
        cluster.parallel(lambda change: _write(cluster, change, wanted), changes)
    summaries = [change.summary for change in changes]
    content = json.dumps([summaries, dict(wanted)], sort_keys=True)
    return Outcome(
        changed=bool(changes),
        changes=summaries,
        digest=hashlib.sha256(content.encode()).hexdigest(),
        diff=diffs(changes) if diff else [],
    )


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
