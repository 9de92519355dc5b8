# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options and the run of the modules of traffic and security."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from .arguments import PLAN, WAIT, ArgumentSpec
from .istio.traffic.shared.problems import refuse_fatal
from .istio.traffic.shared.stages import stages
from .istio.traffic.shared.unit import Builder
from .kube.plan.plan import Plan, Stage
from .kube.plan.resources import resources
from .module import MeshModule, Result
from .reconciliation import Reconciliation

COMMON: ArgumentSpec = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "default": "default"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **PLAN,
    **WAIT,
}


def manage(module: MeshModule, builder: Builder, *, pause: float = 0.0) -> Result:
    """Reconcile what the builder makes of the options, after its checks.

    pause: seconds between the stages in which subsets and the routes to them change; 0 for a single stage.
    """
    unit = builder.unit(module.params, module.cluster)
    if pause:
        unit = replace(unit, stages=lambda plan: _stages(module, plan, pause))
    return module.reconcile(
        Reconciliation(
            unit,
            builder.lock(module.params),
            checks=lambda plan: _check(module, builder, plan),
            finish=lambda plan: _finish(module, plan),
        )
    )


def _stages(module: MeshModule, plan: Plan, pause: float) -> Iterator[Stage]:
    """Divide a plan; what `pause` is for ends when the proxies have received the stage, which may take longer."""
    for stage in stages(plan, pause):
        part = replace(plan, changes=list(stage.changes))
        yield replace(stage, gate=partial(_wait_for_proxies, module, part)) if stage.pause else stage


def _finish(module: MeshModule, plan: Plan) -> Result:
    """Wait until the proxies have received what was written or deleted; return the objects."""
    _wait_for_proxies(module, plan)
    return {"resources": resources(plan)}


def _wait_for_proxies(module: MeshModule, plan: Plan) -> None:
    if plan.changes and module.params["wait"] and not module.check_mode:
        # A run without changes does not pay for the import.
        from .istio.inspection.distribution import wait_for_proxies

        limit = module.time_limit
        if warning := wait_for_proxies(module.cluster, plan, timeout=limit, progress=module.progress):
            module.warn(warning)


def _check(module: MeshModule, builder: Builder, plan: Plan) -> None:
    if plan.changes:
        problems = builder.check(module.params, module.cluster, plan)
        for warning in refuse_fatal(problems, force=module.params["force"]):
            module.warn(warning)
