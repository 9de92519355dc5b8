# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the objects of a plan that a run has to wait for."""

from __future__ import annotations

from ..api.cluster import Cluster
from ..objects.objects import Key, key_of
from ..wait.status import CURRENT, has_status
from ..wait.status_in_cluster import Judge
from .plan import Plan


def unready(cluster: Cluster, plan: Plan) -> list[Key]:
    """Return the objects that are not known to be ready; where nothing changes, the plan has already read them."""
    changed = {change.key.identity for change in plan.changes}
    judge = Judge(cluster)
    awaited: list[Key] = []
    for obj in plan.objects:
        key = key_of(obj)
        if not has_status(key.of) or (plan.unit.awaited is not None and not plan.unit.awaited(obj)):
            continue
        live = plan.live.get(key.identity)
        if key.identity in changed or live is None or judge.present(live).state != CURRENT:
            awaited.append(key)
    return [*awaited, *plan.unit.awaits()]
