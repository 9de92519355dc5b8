# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task makes of its options before it plans: a unit, and how to reconcile it.

It can be planned first and applied later, without being made again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .kube.errors import MeshError

if TYPE_CHECKING:
    from .kube.apply.lock import Lock
    from .kube.apply.settings import Condition
    from .kube.plan.plan import Plan
    from .kube.plan.unit import Unit


@dataclass(frozen=True)
class Reconciliation:
    """A unit to reconcile.

    lock: the lock for writing, used from `lock_from` changes.
    timeout: seconds in all; default: the option wait_timeout.
    checks: raises where a plan must not be carried out.
    before: called with the plan that is carried out, right before its first write.
    conditions: awaited when the unit is ready.
    finish: called with the plan when it is carried out, or in check mode when it is made; returns more of the result.
    explain: returns the error with which the task fails, given that of the run.
    """

    unit: Unit
    lock: Lock
    lock_from: int = 1
    timeout: float | None = None
    checks: Callable[[Plan], None] | None = None
    before: Callable[[Plan], None] | None = None
    conditions: Sequence[Condition] = ()
    finish: Callable[[Plan], dict[str, Any]] = lambda _plan: {}
    explain: Callable[[MeshError], MeshError] = lambda error: error
