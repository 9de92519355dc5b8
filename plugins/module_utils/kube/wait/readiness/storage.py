# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readiness of PersistentVolumeClaims."""

from __future__ import annotations

from ...objects.objects import Object
from .states import CURRENT, FAILED, IN_PROGRESS, Rule, Status, field


def claim(obj: Object) -> Status:
    """Return the status of a PersistentVolumeClaim, as kstatus does; the loss of its volume is final."""
    phase = field(obj, "status.phase") or "unknown"
    if phase == "Lost":
        return Status(FAILED, f"its volume {field(obj, 'spec.volumeName') or ''} was not found", final=True)
    return Status(CURRENT, "bound") if phase == "Bound" else Status(IN_PROGRESS, f"not bound, its phase is {phase}")


RULES: dict[tuple[str, str], Rule] = {("", "PersistentVolumeClaim"): claim}
