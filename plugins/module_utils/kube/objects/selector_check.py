# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the selectors of workloads, which a dry run cannot do in a namespace that does not exist yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidInput
from .objects import Kind, key_of, kind_of

_SELECTING = frozenset(Kind("apps/v1", kind) for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"))


def refuse_unselected(obj: Mapping[str, Any]) -> None:
    """Raise InvalidInput for a workload without a selector, or whose selector does not match its pod template."""
    if kind_of(obj) not in _SELECTING:
        return
    spec = obj.get("spec") or {}
    template, selector = spec.get("template") or {}, spec.get("selector") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    if not template:
        return  # rejected by the API server
    own = ", ".join(f"{name}: {value}" for name, value in labels.items())
    if not selector:
        raise InvalidInput(
            f"{key_of(obj)} is invalid: spec.selector not found, which {obj['apiVersion']} requires. Set its matchLabels to"
            f" {{{own or 'app: its name'}}}{'' if own else ', and the same labels in its pod template'}.",
            object=key_of(obj)._asdict(),
        )
    for name, value in (selector.get("matchLabels") or {}).items():
        if labels.get(name) != value:
            raise InvalidInput(
                f"{key_of(obj)} is invalid: its selector has {name}: {value}, but its pod template has"
                f" {f'the labels {own}' if own else 'no labels'}. Change them to match.",
                object=key_of(obj)._asdict(),
            )
