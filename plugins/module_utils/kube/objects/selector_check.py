# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Workloads whose selector cannot work: told here, because a server that is yet to make their namespace cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidInput
from .objects import Kind, key_of, kind_of

_SELECTING = frozenset(Kind("apps/v1", kind) for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"))


def refuse_unselected(obj: Mapping[str, Any]) -> None:
    """Raise InvalidInput for a workload that names none of its pods as its own, or other labels than they have."""
    if kind_of(obj) not in _SELECTING:
        return
    spec = obj.get("spec") or {}
    template, selector = spec.get("template") or {}, spec.get("selector") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    if not template:
        return  # which the server says
    own = ", ".join(f"{name}: {value}" for name, value in labels.items())
    if not selector:
        raise InvalidInput(
            f"{key_of(obj)} has no spec.selector, which {obj['apiVersion']} needs: give it matchLabels"
            f" {{{own or 'app: its name'}}}{'' if own else ', and its pod template the same labels'}.",
            object=key_of(obj)._asdict(),
        )
    for name, value in (selector.get("matchLabels") or {}).items():
        if labels.get(name) != value:
            raise InvalidInput(
                f"{key_of(obj)} selects pods with {name}: {value}, but its pod template has"
                f" {f'the labels {own}' if own else 'no labels'}: make them the same.",
                object=key_of(obj)._asdict(),
            )
