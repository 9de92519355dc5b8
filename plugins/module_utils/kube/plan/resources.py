# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Return the objects of a plan as the cluster has them, from what the run has read and written anyway."""

from __future__ import annotations

from collections.abc import Iterable

from ..objects.objects import Object, key_of
from ..objects.redaction import redacted
from .change import clean
from .plan import Identity, Plan


def resources(plan: Plan, unchanged: Iterable[Object] = ()) -> list[Object]:
    """Return the objects as they were written, or else as planned, or else as read; without secrets and managedFields.

    unchanged: objects that the changes of the unit were planned from.
    """
    wanted = [key_of(obj).identity for obj in plan.objects]
    found: dict[Identity, Object | None] = {identity: plan.live.get(identity) for identity in wanted}
    found |= {key_of(obj).identity: obj for obj in unchanged}
    for change in plan.changes:
        written = plan.written.get(change.key.identity)
        found[change.key.identity] = clean(change.after) if written is None else written
    return [redacted(_without_managers(obj)) for obj in found.values() if obj is not None]


def _without_managers(obj: Object) -> Object:
    metadata = {name: value for name, value in obj["metadata"].items() if name != "managedFields"}
    return {**obj, "metadata": metadata}
