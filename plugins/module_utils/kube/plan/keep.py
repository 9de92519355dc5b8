# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects that are never pruned: those with an annotation, and PersistentVolumeClaims."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from ..objects.objects import Key

KEEP = "meshops.istio/prune"
"""Annotation with the value `disabled` for objects that are not pruned."""

_HELM_POLICY = "helm.sh/resource-policy"
_CLAIM = "PersistentVolumeClaim"


class Kept(NamedTuple):
    """An object that is no longer desired and not pruned, and why."""

    key: Key
    reason: str

    @property
    def summary(self) -> dict[str, str]:
        """The object as data: api_version, kind, namespace, name, reason."""
        return {**self.key._asdict(), "reason": self.reason}

    def __str__(self) -> str:
        return f"{self.key} is not pruned: {self.reason}."


def reason_of_mark(obj: Mapping[str, Any]) -> str:
    """Return why an object is never pruned, if its annotation disables that; else an empty string."""
    marked = (obj["metadata"].get("annotations") or {}).get(KEEP) == "disabled"
    return f"its annotation {KEEP} is disabled" if marked else ""


def reason_to_keep(obj: Mapping[str, Any], claims: Iterable[str] = ()) -> str:
    """Return why an object is not pruned; empty if it is.

    `claims`: names or patterns of PersistentVolumeClaims that may be pruned.
    """
    notes = obj["metadata"].get("annotations") or {}
    if mark := reason_of_mark(obj):
        return mark
    if notes.get(_HELM_POLICY) == "keep":
        return f"its annotation {_HELM_POLICY} is keep"
    if obj["kind"] == _CLAIM and not any(fnmatchcase(obj["metadata"]["name"], claim) for claim in claims):
        return "a PersistentVolumeClaim is pruned only if prune_claims names it"
    return ""
