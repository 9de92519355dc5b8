# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects that stay when they are no longer wanted: those with an annotation that says so, and claims."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from ..objects.objects import Key

KEEP = "meshops.istio/prune"
"""Annotation that keeps an object where its value is `disabled`."""

_HELM_POLICY = "helm.sh/resource-policy"
_CLAIM = "PersistentVolumeClaim"


class Kept(NamedTuple):
    """An object that is no longer wanted and yet not deleted, and why."""

    key: Key
    reason: str

    @property
    def summary(self) -> dict[str, str]:
        """It as data: api_version, kind, namespace, name, reason."""
        return {**self.key._asdict(), "reason": self.reason}

    def __str__(self) -> str:
        return f"{self.key} is kept: {self.reason}."


def is_marked_as_kept(obj: Mapping[str, Any]) -> bool:
    """Whether an object's annotation says that it is never deleted."""
    return (obj["metadata"].get("annotations") or {}).get(KEEP) == "disabled"


def reason_to_keep(obj: Mapping[str, Any], claims: Iterable[str] = ()) -> str:
    """Why an object that is no longer wanted is kept; empty where it is deleted.

    `claims` are the names of PersistentVolumeClaims that are deleted, which may be patterns.
    """
    notes = obj["metadata"].get("annotations") or {}
    if is_marked_as_kept(obj):
        return f"its annotation {KEEP} is disabled"
    if notes.get(_HELM_POLICY) == "keep":
        return f"its annotation {_HELM_POLICY} is keep"
    if obj["kind"] == _CLAIM and not any(fnmatchcase(obj["metadata"]["name"], claim) for claim in claims):
        return "a claim is deleted only if it is asked for by name"
    return ""
