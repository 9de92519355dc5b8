# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules of traffic and security have in common: options, and one way through."""

from __future__ import annotations

from .arguments import PLAN, WAIT, ArgumentSpec
from .istio.traffic.problems import settle
from .istio.traffic.unit import Builder
from .kube.plan import Plan
from .module import MeshModule, Result

COMMON: ArgumentSpec = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "default": "default"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "force": {"type": "bool", "default": False},
    **PLAN,
    **WAIT,
}


def manage(module: MeshModule, builder: Builder) -> Result:
    """Make the cluster hold what the builder makes of the options; look for what speaks against it first."""
    options, cluster = module.params, module.cluster

    def checks(plan: Plan) -> None:
        if plan.changes:
            for warning in settle(builder.check(options, cluster, plan), force=options["force"]):
                module.warn(warning)

    return module.reconcile(builder.unit(options, cluster), checks=checks)
