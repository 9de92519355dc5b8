# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When volumes and the claims on them are ready."""

from __future__ import annotations

from ...objects.objects import Object
from .states import CURRENT, FAILED, IN_PROGRESS, Rule, Status, field


def claim(obj: Object) -> Status:
    """Judge a PersistentVolumeClaim as kstatus does; one that has lost its volume never gets it back."""
    phase = field(obj, "status.phase") or "unknown"
    if phase == "Lost":
        return Status(FAILED, f"its volume {field(obj, 'spec.volumeName') or ''} does not exist any more", final=True)
    return Status(CURRENT, "bound") if phase == "Bound" else Status(IN_PROGRESS, f"not bound, its phase is {phase}")


RULES: dict[tuple[str, str], Rule] = {("", "PersistentVolumeClaim"): claim}
