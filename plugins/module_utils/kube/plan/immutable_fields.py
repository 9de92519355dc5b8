# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Explain the API server's refusal of changes to immutable fields, without values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import ApiError, Refused
from ..objects.objects import Key, Object

CODE = "immutable"
"""The code of a refusal due to immutable fields."""

NEVER_RECREATED = frozenset({"CustomResourceDefinition", "Namespace", "PersistentVolume", "PersistentVolumeClaim"})
"""Kinds that are never recreated, because that would delete users' data."""

_IMMUTABLE = re.compile(
    r"immutable|cannot change|can ?not be changed|may not (be )?change|updates to .* (are )?forbidden"
    r"|(can ?not|may not) be (less|decreased)|only dynamically provisioned pvc can be resized",
    re.IGNORECASE | re.DOTALL,
)
_RECREATE = "Keep the current values, or set recreate to true: "
_RESIZE = re.compile(r"only dynamically provisioned pvc can be resized|must support resize")
_STORAGE = "spec.resources.requests.storage"
_MUTABLE = re.compile(r"'([A-Za-z]+)'")
_ITEM = re.compile(r"\[(\d+)\]$")


class ImmutableFields(Refused):
    """An object differs in immutable fields; `fields` are their paths."""

    code = CODE

    def __init__(self, key: Key, fields: Sequence[str], remedy: str) -> None:
        super().__init__(
            f"Cannot update {key}: {' and '.join(fields)} {'is' if len(fields) == 1 else 'are'} immutable. {remedy}",
            object=key._asdict(),
            fields=list(fields),
        )
        self.key, self.fields, self.remedy = key, list(fields), remedy


def immutable_fields(
    key: Key, error: ApiError, desired: Object, live: Object, *, recreate: bool | None
) -> ImmutableFields | None:
    """Return the error for the API server's refusal of an update, if immutable fields are its only reason.

    recreate: whether the unit recreates such objects; None if it has no such option.
    """
    fields = list(dict.fromkeys(_fields(key, error, desired, live)))
    return ImmutableFields(key, fields, _remedy(key, desired, live, recreate)) if fields else None


def combined(refusals: Sequence[ImmutableFields]) -> Refused:
    """Combine several refusals into one."""
    if len(refusals) == 1:
        return refusals[0]
    named = ", ".join(f"{one.key} ({' and '.join(one.fields)})" for one in refusals)
    remedies = dict.fromkeys(one.remedy for one in refusals)
    recreated = [one.removeprefix(_RECREATE).rstrip(".") for one in remedies if one.startswith(_RECREATE)]
    texts = [one for one in remedies if not one.startswith(_RECREATE)]
    texts += [f"{_RECREATE}{'; '.join(recreated)}."] if recreated else []
    return Refused(
        f"Cannot update objects with changed immutable fields: {named}. {' '.join(texts)}",
        code=CODE,
        objects=[one.details["object"] for one in refusals],
    )


def _fields(key: Key, error: ApiError, desired: Object, live: Object) -> Iterator[str]:
    message = str(error.body.get("message") or error.message)
    if error.status == 403 and key.kind == "PersistentVolumeClaim" and _RESIZE.search(message):
        yield _STORAGE
    if error.status != 422:
        return
    causes = (error.body.get("details") or {}).get("causes") or ()
    if not causes or not all(_IMMUTABLE.search(str(cause.get("message"))) for cause in causes):
        return
    for cause in causes:
        field, reason = str(cause.get("field") or "metadata"), str(cause.get("message"))
        if field == "spec" and isinstance(desired.get("spec"), Mapping):
            # For a whole spec the message has the mutable fields, but not the changed ones.
            mutable = set(_MUTABLE.findall(reason)) if "other than" in reason else set()
            yield from list(_differing(desired["spec"], live.get("spec"), "spec", mutable)) or [field]
        else:
            yield _ITEM.sub("", field).replace("spec.clusterIPs", "spec.clusterIP")


def _differing(desired: Any, live: Any, path: str, without: frozenset[str] | set[str] = frozenset()) -> Iterator[str]:
    """Yield the paths at which `live` differs from desired; list items by name."""
    if isinstance(desired, Mapping) and isinstance(live, Mapping):
        for name, value in desired.items():
            if name not in without:
                yield from _differing(value, live.get(name), f"{path}.{name}")
    elif _named(desired) and _named(live) and [_name(one) for one in desired] == [_name(one) for one in live]:
        for one, other in zip(desired, live, strict=True):
            yield from _differing(one, other, f"{path}[{_name(one)}]")
    elif desired != live and str(desired) != str(live):
        yield path


def _named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) and _name(one) for one in value)


def _name(item: Mapping[str, Any]) -> str:
    return str(item.get("name") or (item.get("metadata") or {}).get("name") or "")


def _remedy(key: Key, desired: Object, live: Object, recreate: bool | None) -> str:
    if key.kind == "PersistentVolumeClaim":
        return (
            "Keep the claim unchanged, or move its data to a new one: it can be expanded only if its StorageClass has"
            " allowVolumeExpansion, never shrunk, and is never recreated."
        )
    if key.kind in NEVER_RECREATED:
        return "Keep it unchanged, or delete it yourself: it is never recreated, because that would delete data."
    if key.kind == "StatefulSet" and loses_claims(desired, live):
        return (
            "Set spec.persistentVolumeClaimRetentionPolicy.whenDeleted to Retain first: another selector replaces its pods,"
            " which would delete its claims."
        )
    if recreate is None:
        orphan = " with `kubectl delete --cascade=orphan`, which keeps its pods" if key.kind == "StatefulSet" else ""
        return f"Keep the current values, or delete the {key.kind}{orphan}, and run this again."
    return f"{_RECREATE}the {key.kind} is deleted and created again{_cost(key.kind)}."


def _cost(kind: str) -> str:
    return {
        "DaemonSet": ", with its pods",
        "Deployment": ", with its pods",
        "Job": ", and runs again",
        "Service": ", and may get other addresses",
        "StatefulSet": ", and its claims are kept",
    }.get(kind, "")


def adopts(desired: Object, live: Object) -> bool:
    """Return whether a recreated StatefulSet selects the pods of the live one."""
    labels = ((live["spec"].get("template") or {}).get("metadata") or {}).get("labels") or {}
    selector = (desired.get("spec") or {}).get("selector") or {}
    wanted = selector.get("matchLabels") or {}
    return not selector.get("matchExpressions") and wanted.items() <= labels.items()


def loses_claims(desired: Object, live: Object) -> bool:
    """Return whether a StatefulSet's claims would be deleted with it."""
    policy = live["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    return policy.get("whenDeleted") == "Delete" and not adopts(desired, live)
