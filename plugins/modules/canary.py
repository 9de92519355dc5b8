#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: canary
short_description: Move a route's weight to a new version in steps, and back where a gate says no
version_added: 0.1.0
description:
  - Gives one of the two destinations of a VirtualService more weight, step by step. After each step a gate is asked,
    which is a query of Prometheus, the answers to requests, or both.
  - Where the gate says no, or has no data, the route becomes what it was before the first step, and the module fails.
  - The route as it was is kept in an annotation of the VirtualService until the last step is done. A run that finds it
    there goes on where an earlier run was broken off, after asking the gate about the weight that it finds.
  - Asks nobody anything. It ends after the number of O(steps) times O(interval), and the gate's time.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.attributes
options:
  name:
    description:
      - The VirtualService, for example one that M(meshops.istio.traffic_route) made.
      - In each of its rules for HTTP that has the new version beside another destination the weights are moved.
    type: str
    required: true
  namespace:
    description:
      - The namespace of the VirtualService.
    type: str
    default: default
  state:
    description:
      - V(shifted) goes through the steps that are left.
      - V(rolled_back) restores the route from before, where a canary is under way.
    type: str
    choices: [shifted, rolled_back]
    default: shifted
  subset:
    description:
      - The subset that takes over.
    type: str
  destination:
    description:
      - The host that takes over, as the VirtualService writes it, or whose O(subset) does.
    type: str
  steps:
    description:
      - The weights, rising, in percent.
    type: list
    elements: int
    default: [10, 25, 50, 100]
  interval:
    description:
      - How long to leave the mesh at a weight before the gate is asked, in seconds.
    type: float
    default: 60
  prometheus:
    description:
      - Asks Prometheus.
    type: dict
    suboptions:
      url:
        description:
          - The URL of Prometheus, as this machine reaches it.
        type: str
      service:
        description:
          - Its Service, reached through the API server, for example V(istio-system/prometheus:9090).
        type: str
      query:
        description:
          - A query that comes to one number.
        type: str
        required: true
      min:
        description:
          - The least value that is good.
        type: float
      max:
        description:
          - The greatest value that is good.
        type: float
  answers:
    description:
      - Sends requests, and counts those that are answered with a status below 500.
    type: dict
    suboptions:
      url:
        description:
          - Where they go to, for example the ingress gateway.
        type: str
        required: true
      host:
        description:
          - The host that they ask for, where it is not the URL's.
        type: str
      count:
        description:
          - How many.
        type: int
        default: 50
      min_success:
        description:
          - How many percent of them have to be answered.
        type: float
        default: 99
  plan_digest:
    description:
      - The RV(plan_digest) of an earlier run in check mode. The module refuses to apply any other plan.
    type: str
  force:
    description:
      - Whether to change a VirtualService that belongs to Helm, Argo CD, Flux or another tool, which may set it back.
    type: bool
    default: false
seealso:
  - module: meshops.istio.traffic_route
notes:
  - M(meshops.istio.traffic_route) sets the weights that it is given. Give it the new ones once the canary has ended.
"""

EXAMPLES = r"""
- name: Move to version 2, as long as no more than 1 % of its answers are errors
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

- name: Count answers instead
  meshops.istio.canary:
    name: reviews
    namespace: shop
    subset: v2
    answers:
      url: http://shop.example.com/reviews
      count: 200

- name: Go back, whatever an interrupted run left
  meshops.istio.canary:
    name: reviews
    namespace: shop
    subset: v2
    state: rolled_back
"""

RETURN = r"""
weight:
  description: The new version's weight at the end.
  returned: success
  type: int
  sample: 100
changes:
  description: What was changed, or in check mode would be, in this order; one entry per step.
  returned: success
  type: list
  elements: dict
  sample: [{action: update, api_version: networking.istio.io/v1, kind: VirtualService, namespace: shop, name: reviews}]
  contains:
    action:
      description: One of V(update).
      returned: always
      type: str
      sample: update
    api_version:
      description: The object's API version.
      returned: always
      type: str
      sample: networking.istio.io/v1
    kind:
      description: The object's kind.
      returned: always
      type: str
      sample: VirtualService
    namespace:
      description: The object's namespace.
      returned: always
      type: str
      sample: shop
    name:
      description: The object's name.
      returned: always
      type: str
      sample: reviews
plan_digest:
  description: The plan's digest. The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description: What went wrong, as one stable word, for example V(gate_failed), V(no_data), V(route_missing).
  returned: failure
  type: str
  sample: gate_failed
details:
  description: What is known about the failure, for a gate the C(weight) at which it said no and its C(value).
  returned: failure
  type: dict
  sample: {weight: 25, value: 0.2}
"""

from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.canary import gate
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.canary.steps import (
    Canary,
    Goal,
    check_steps,
)
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.lock import Lock
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.permissions import refuse_denied
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result

PROMETHEUS = {
    "url": {"type": "str"},
    "service": {"type": "str"},
    "query": {"type": "str", "required": True},
    "min": {"type": "float"},
    "max": {"type": "float"},
}

ANSWERS = {
    "url": {"type": "str", "required": True},
    "host": {"type": "str"},
    "count": {"type": "int", "default": 50},
    "min_success": {"type": "float", "default": 99},
}


def shift(module: MeshModule) -> Result:
    """Go through the steps, or back."""
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
    result = module.reconcile(
        canary.unit(),
        lock=Lock.of("canary", canary.name, namespace=canary.namespace),
        timeout=cluster.patience + canary.longest,
    )
    return {**result, "weight": canary.weight}


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
            "prometheus": {"type": "dict", "options": PROMETHEUS},
            "answers": {"type": "dict", "options": ANSWERS},
            "force": {"type": "bool", "default": False},
            "plan_digest": {"type": "str"},
        },
        required_one_of=[("subset", "destination")],
    )
    module.run(shift)


if __name__ == "__main__":
    main()
