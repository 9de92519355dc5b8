#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: canary
short_description: Shift VirtualService weights in steps, with automatic rollback (canary)
version_added: 0.1.0
description:
  - Increases the weight of one of the two destinations of a VirtualService step by step. After each step, a gate
    decides whether to continue. A gate is a Prometheus query, the success rate of test requests, or both.
  - If the gate fails or has no data, the module restores the route to its state before the first step, and fails.
  - The original route is saved in an annotation of the VirtualService until the last step is complete. A later run
    resumes an interrupted canary after checking the gate at the current weight.
  - The module never prompts for input. Its duration is the number of O(steps) times O(interval), plus the time for the
    gates.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.gate
  - meshops.istio.attributes
options:
  name:
    description:
      - Name of the VirtualService, for example of one that M(meshops.istio.traffic_route) created.
      - The weights change in all HTTP routes with the new version and one other destination.
    type: str
    required: true
  namespace:
    description:
      - Namespace of the VirtualService.
    type: str
    default: default
  state:
    description:
      - V(shifted) runs the remaining steps.
      - V(rolled_back) restores the original route of an unfinished canary.
    type: str
    choices: [shifted, rolled_back]
    default: shifted
  subset:
    description:
      - Subset of the new version.
    type: str
  destination:
    description:
      - Host of the new version, as written in the VirtualService, or the host of O(subset).
    type: str
  steps:
    description:
      - Weights of the new version in percent, in ascending order.
    type: list
    elements: int
    default: [10, 25, 50, 100]
  interval:
    description:
      - How long to wait after each step before the gate is checked, in seconds.
    type: float
    default: 60
  plan_digest:
    description:
      - The RV(plan_digest) of an earlier run in check mode. If the plan has changed since then, the module fails before
        the first write.
    type: str
  force:
    description:
      - Change a VirtualService that belongs to Helm, Argo CD, Flux or another tool. This tool may revert the change.
    type: bool
    default: false
seealso:
  - module: meshops.istio.traffic_route
notes:
  - M(meshops.istio.traffic_route) sets the weights in its own options. Update them when the canary has finished.
"""

EXAMPLES = r"""
- name: Shift to version 2 while at most 1 % of its responses are errors
  meshops.istio.canary:
    name: reviews
    namespace: shop
    subset: v2
    steps: [5, 25, 50, 100]
    interval: 120
    prometheus:
      service: istio-system/prometheus:9090
      query: >-
        sum(rate(istio_requests_total{destination_version="v2", response_code=~"5.."}[1m]))
        / sum(rate(istio_requests_total{destination_version="v2"}[1m]))
      max: 0.01

- name: Use test requests as the gate
  meshops.istio.canary:
    name: reviews
    namespace: shop
    subset: v2
    answers:
      url: http://shop.example.com/reviews
      count: 200

- name: Roll back an interrupted canary
  meshops.istio.canary:
    name: reviews
    namespace: shop
    subset: v2
    state: rolled_back
"""

RETURN = r"""
weight:
  description: Final weight of the new version, in percent.
  returned: success
  type: int
  sample: 100
steps:
  description: The steps of this run, with what the gate measured at each of them.
  returned: success
  type: list
  elements: dict
  sample: [{weight: 10, value: 0.002, finding: "the query's value is 0.002, and must be at most 0.01"}]
  contains:
    weight:
      description: Weight of the new version, in percent.
      returned: always
      type: int
      sample: 10
    value:
      description:
        - Value of the query, or percentage of successful requests, of the last gate. V(none) in check mode.
      returned: always
      type: float
      sample: 0.002
    finding:
      description: The measured value and its limits as a sentence. Empty in check mode.
      returned: always
      type: str
      sample: the query's value is 0.002, and must be at most 0.01
changes:
  description: Changes that were made, or would be made in check mode, one for each step.
  returned: success
  type: list
  elements: dict
  sample: [{action: update, api_version: networking.istio.io/v1, kind: VirtualService, namespace: shop, name: reviews}]
  contains:
    action:
      description: The action, V(update).
      returned: always
      type: str
      sample: update
    api_version:
      description: API version of the object.
      returned: always
      type: str
      sample: networking.istio.io/v1
    kind:
      description: Kind of the object.
      returned: always
      type: str
      sample: VirtualService
    namespace:
      description: Namespace of the object.
      returned: always
      type: str
      sample: shop
    name:
      description: Name of the object.
      returned: always
      type: str
      sample: reviews
plan_digest:
  description: Digest of the plan, for use as O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description: Stable error code, for example V(gate_failed), V(no_data), V(route_missing).
  returned: failure
  type: str
  sample: gate_failed
details:
  description: Details of the failure. For a failed gate, its C(weight) and C(value).
  returned: failure
  type: dict
  sample: {weight: 25, value: 0.2}
"""

from dataclasses import asdict

from ansible_collections.meshops.istio.plugins.module_utils.arguments import GATE
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.canary import gate
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.canary.steps import (
    Canary,
    Goal,
    check_steps,
)
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.lock import Lock
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.permissions import refuse_denied
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result
from ansible_collections.meshops.istio.plugins.module_utils.reconciliation import Reconciliation


def shift(module: MeshModule) -> Result:
    """Shift the traffic in steps, or roll back."""
    parameters, cluster = module.params, module.cluster
    gates = parameters["prometheus"], parameters["answers"]
    shifts = parameters["state"] == "shifted"
    if shifts:
        gate.check(*gates)
        check_steps(parameters["steps"], parameters["interval"])
    canary = Canary(
        parameters["name"],
        parameters["namespace"],
        Goal(parameters["subset"] or "", parameters["destination"] or ""),
        ask=lambda: gate.ask(cluster, *gates),
        progress=module.progress,
        steps=parameters["steps"] if shifts else None,
        interval=parameters["interval"],
        force=parameters["force"],
    )
    refuse_denied(cluster, gate.asking(parameters["prometheus"]))
    lock = Lock.of("canary", canary.name, namespace=canary.namespace)
    result = module.reconcile(Reconciliation(canary.unit(), lock, timeout=cluster.patience + canary.longest))
    return {**result, "weight": canary.weight, "steps": [asdict(step) for step in canary.taken]}


def main() -> None:
    """Run the module."""
    module = MeshModule(
        {
            "name": {"type": "str", "required": True},
            "namespace": {"type": "str", "default": "default"},
            "state": {"type": "str", "choices": ["shifted", "rolled_back"], "default": "shifted"},
            "subset": {"type": "str"},
            "destination": {"type": "str"},
            "steps": {"type": "list", "elements": "int", "default": [10, 25, 50, 100]},
            "interval": {"type": "float", "default": 60},
            **GATE,
            "force": {"type": "bool", "default": False},
            "plan_digest": {"type": "str"},
        },
        required_one_of=[("subset", "destination")],
    )
    module.run(shift)


if __name__ == "__main__":
    main()
