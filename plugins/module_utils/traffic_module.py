# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules of traffic and security have in common: options, and one way through."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from .arguments import PLAN, WAIT, ArgumentSpec
from .istio.traffic.shared.problems import settle
from .istio.traffic.shared.stages import steps
from .istio.traffic.shared.unit import Builder
from .kube.apply.lock import Lock
from .kube.apply.reconcile import Outcome, reconcile
from .kube.plan.plan import Plan
from .kube.plan.unit import Unit
from .module import MeshModule, Result

COMMON: ArgumentSpec = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "default": "default"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **PLAN,
    **WAIT,
}


def manage(module: MeshModule, builder: Builder) -> Result:
    """Make the cluster hold what the builder makes of the options; look for what speaks against it first."""
    unit = builder.unit(module.params, module.cluster)
    return module.reconcile(unit, lock=builder.lock(module.params), checks=lambda plan: _check(module, builder, plan))


def manage_in_steps(module: MeshModule, builder: Builder, *, pause: float) -> Result:
    """As `manage`, with a pause (in seconds) between subsets and the routes to them."""
    plans: list[Plan] = []

    def checks(plan: Plan) -> None:
        _check(module, builder, plan)
        plans.append(plan)

    parameters = module.params
    unit = replace(
        builder.unit(parameters, module.cluster), ignore_fields=parameters["ignore_fields"], force=parameters["force"]
    )
    expected = module.params["plan_digest"]
    lock = builder.lock(module.params)
    outcome = _reconcile(module, unit, lock, check=True, checks=checks, expected_digest=expected)
    if not module.check_mode:
        for step in steps(plans[-1]) if pause else ():
            _reconcile(module, step, lock)
            module.progress(f"leaving Istio {pause:g} s to tell the proxies")
            time.sleep(pause)
        _reconcile(module, unit, lock)
    return module.result_of(outcome)


def _reconcile(module: MeshModule, unit: Unit, lock: Lock, *, check: bool = False, **more: Any) -> Outcome:
    return reconcile(
        module.cluster,
        unit,
        check=check,
        diff=module._diff,
        wait=module.params["wait"],
        timeout=module.time_limit,
        progress=module.progress,
        lock=lock,
        **more,
    )


def _check(module: MeshModule, builder: Builder, plan: Plan) -> None:
    if plan.changes:
        problems = builder.check(module.params, module.cluster, plan)
        for warning in settle(problems, force=module.params["force"]):
            module.warn(warning)
