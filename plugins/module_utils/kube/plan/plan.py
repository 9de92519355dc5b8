# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan: the changes that a unit needs, and the stages in which they are written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..errors import Refused
from ..objects import managed_fields, merge_patch
from ..objects.objects import Key, Object
from .change import Change, clean
from .inventory import Recording
from .keep import Kept
from .unit import Unit

Identity = tuple[str, str, str, str]


@dataclass(frozen=True)
class Stage:
    """Changes of a plan that are written together, and what follows before the next stage.

    at_once: how many are in flight, each awaited before the next begins; 0 for all, awaited together.
    verb: what is done with each of them, in progress lines.
    pause: seconds until the gate is asked or the next stage begins; `reason` says what for, in progress lines.
    gate: raises MeshError where the run must not go on; `restore` is written then, and the error raised.
    """

    changes: Sequence[Change]
    at_once: int = 0
    verb: str = "changing"
    pause: float = 0.0
    reason: str = ""
    gate: Callable[[], None] | None = None
    restore: Sequence[Change] = ()


@dataclass
class Plan:
    """The changes that a unit needs, deletions last, with its objects as desired and as live.

    stages: how the changes are divided where they are not written at once; a stage may write its own version of one.
    leaving: objects that are being deleted, and must be gone before others, or they themselves, can be created.
    ending: objects that are not wanted, and whose deletion was asked for before and goes on.
    adjust: leaves to controllers what they have set in a live object, which is given second.
    warnings: what is not done as the unit wants it.
    kept: objects that are no longer wanted and yet not deleted.
    recording: what has to be written to the unit's inventory.
    written: objects as the API server returned them when they were written.
    """

    unit: Unit
    objects: list[Object]
    live: dict[Identity, Object]
    changes: list[Change] = field(default_factory=list)
    leaving: list[Key] = field(default_factory=list)
    ending: list[Key] = field(default_factory=list)
    adjust: Callable[[Object, Object | None], Object] | None = None
    warnings: list[str] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    recording: Recording | None = None
    stages: list[Stage] = field(default_factory=list)
    written: dict[Identity, Object] = field(default_factory=dict)

    @property
    def reported(self) -> list[Change]:
        """The changes; that of the inventory, which follows from the others, only where it is the only one."""
        return self.changes or self.bookkeeping

    @property
    def bookkeeping(self) -> list[Change]:
        """The change of the inventory, if there is one."""
        recording = self.recording
        if recording is None or not recording.action:
            return []
        wanted = recording.first or recording.last
        return [Change(recording.action, recording.inventory.key, recording.before, wanted, desired=wanted)]

    @cached_property
    def digest(self) -> str:
        """Names this plan: equal as long as the same objects would change in the same way.

        Only the fields count that the unit owns or takes over: controllers may write theirs meanwhile, and what a
        server would choose (a port, say) it chooses anew each time.
        """
        content = [self._digested(change) for change in sorted(self.reported, key=lambda one: (one.action, one.key))]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def touched(self, change: Change, live: Object | None) -> Any:
        """Return the part of an object that a change may write to: the fields that the unit owns, takes over or patches."""
        if live is None:
            return None
        if change.patch:
            return merge_patch.part(live, change.desired)
        ours = {self.unit.manager, *self.unit.previous_managers}
        touched = managed_fields.union(
            managed_fields.fields_of(obj, ours) for obj in (change.before, change.after) if obj is not None
        )
        return managed_fields.part(clean(live), touched)

    def _digested(self, change: Change) -> Any:
        identity = [change.action, *change.key, sorted(change.previous_managers)]
        if change.digest_as:
            return [*identity, change.digest_as]
        compared = change.before is not None and change.after is not None
        return [*identity, change.desired, self.touched(change, change.before) if compared else None]


def refuse_changed(plan: Plan, change: Change, planned: Object | None, live: Object | None) -> None:
    """Raise Refused where what a change writes to is no longer as it was when the plan was made."""
    same = (planned is None) == (live is None) and plan.touched(change, planned) == plan.touched(change, live)
    if same and planned is not None and live is not None:
        same = planned["metadata"].get("uid") == live["metadata"].get("uid")
    if not same:
        raise Refused(
            f"{change.key} has changed since the plan was approved: nothing more was written. Run again for a new plan.",
            code="plan_changed",
            object=change.key._asdict(),
        )
