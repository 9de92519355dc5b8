#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: restart
short_description: Restart the workloads whose sidecar is missing or outdated
version_added: 0.1.0
description:
  - Restarts the Deployments, StatefulSets and DaemonSets that have pods without the sidecar that they should have, a few
    at a time, each awaited before the next.
  - What a restart would not help, or must not touch, is reported and left alone - bare pods, Jobs, and rollouts that
    are paused, on deletion only or partitioned. Pods that opted out or use the host's network need no sidecar.
  - A workload whose roll-out is under way, and whose new pods have the sidecar, is not restarted again but awaited. If
    it hangs, the error says why.
  - Restarts as C(kubectl rollout restart) does, by an annotation of the pod template.
  - Bare pods are created anew only with O(recreate_pods).
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.wait
  - meshops.istio.attributes
options:
  namespaces:
    description:
      - The namespaces to look into. Without it all.
    type: list
    elements: str
  outdated:
    description:
      - Whether to restart workloads too whose sidecars are of another revision or version than they would get now, or
        that would get none.
    type: bool
    default: false
  plan_digest:
    description:
      - The RV(plan_digest) of an earlier run in check mode. The module refuses to apply any other plan.
    type: str
  max_unavailable:
    description:
      - How many workloads are restarted at once.
    type: int
    default: 2
  recreate_pods:
    description:
      - Whether to delete bare pods that lack their sidecar, one after the other, and create them again.
      - Nothing stands in for such a pod until its successor is ready, and what it kept on no volume is lost.
      - Before anything is deleted, the API server is asked whether it would take the successors and give them their
        sidecar, and their manifests are saved in the folder C(meshops-istio/removed) of the user's state folder.
    type: bool
    default: false
seealso:
  - module: meshops.istio.injection
  - module: meshops.istio.injection_info
"""

EXAMPLES = r"""
- name: Give the pods of a namespace their sidecars
  meshops.istio.restart:
    namespaces: [shop]

- name: After an upgrade, replace all old sidecars
  meshops.istio.restart:
    outdated: true
    max_unavailable: 5
    wait_timeout: 1800
"""

RETURN = r"""
changes:
  description: What was changed, or in check mode would be, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample: [{action: restart, api_version: apps/v1, kind: Deployment, namespace: "shop", name: web}]
  contains:
    action:
      description: One of V(restart), V(recreate).
      returned: always
      type: str
      sample: restart
    api_version:
      description: The object's API version.
      returned: always
      type: str
      sample: apps/v1
    kind:
      description: The object's kind.
      returned: always
      type: str
      sample: Deployment
    namespace:
      description: The object's namespace, empty where it has none.
      returned: always
      type: str
      sample: "shop"
    name:
      description: The object's name.
      returned: always
      type: str
      sample: web
restarted:
  description: The workloads that were restarted, and bare pods that were created anew, or in check mode would be.
  returned: success
  type: list
  elements: dict
  sample: [{kind: Deployment, namespace: shop, name: web}]
  contains:
    kind:
      description: The workload's kind.
      returned: always
      type: str
      sample: Deployment
    namespace:
      description: The workload's namespace.
      returned: always
      type: str
      sample: shop
    name:
      description: The workload's name.
      returned: always
      type: str
      sample: web
rolling_out:
  description:
    - The workloads that were left alone because a roll-out under way brings their sidecars, and those that an earlier run
      has restarted and that have not come up. They are awaited with O(wait).
  returned: success
  type: list
  elements: dict
  sample: [{kind: Deployment, namespace: shop, name: web, progress: 1 of 3 replicas updated}]
  contains:
    kind:
      description: The workload's kind.
      returned: always
      type: str
      sample: Deployment
    namespace:
      description: The workload's namespace.
      returned: always
      type: str
      sample: shop
    name:
      description: The workload's name.
      returned: always
      type: str
      sample: web
    progress:
      description: How far the roll-out was.
      returned: always
      type: str
      sample: 1 of 3 replicas updated
reported:
  description: Those that need new pods and were left alone.
  returned: success
  type: list
  elements: dict
  sample:
    - kind: Pod
      namespace: shop
      name: shell
      reason: a pod that nothing would create again; delete and create it yourself, or set recreate_pods
  contains:
    kind:
      description: The workload's kind.
      returned: always
      type: str
      sample: Pod
    namespace:
      description: The workload's namespace.
      returned: always
      type: str
      sample: shop
    name:
      description: The workload's name.
      returned: always
      type: str
      sample: shell
    reason:
      description: Why it was left alone.
      returned: always
      type: str
      sample: a pod that nothing would create again; delete and create it yourself, or set recreate_pods
plan_digest:
  description: The plan's digest. The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description: What went wrong, as one stable word, for example V(not_ready), V(unreachable), V(invalid_input).
  returned: failure
  type: str
  sample: not_ready
details:
  description: What is known about the failure.
  returned: failure
  type: dict
  sample: {timeout: 300, objects: []}
"""

from pathlib import Path

from ansible_collections.meshops.istio.plugins.module_utils.arguments import WAIT
from ansible_collections.meshops.istio.plugins.module_utils.istio.injection import pods_without_controller
from ansible_collections.meshops.istio.plugins.module_utils.istio.injection.restart import Restart
from ansible_collections.meshops.istio.plugins.module_utils.istio.injection.sidecars import Workload
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.lock import Lock
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput, MeshError
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.plan import Plan
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result


def restart(module: MeshModule) -> Result:
    """Restart the workloads with missing or outdated sidecars."""
    parameters = module.params
    if parameters["max_unavailable"] < 1:
        raise InvalidInput("max_unavailable has to be at least 1 (workload at a time).")
    named = parameters["namespaces"] or []
    lock = Lock.of("restart", namespace=named[0]) if len(named) == 1 else Lock.of("restart")
    work = Restart(
        namespaces=parameters["namespaces"],
        outdated=parameters["outdated"],
        max_unavailable=parameters["max_unavailable"],
        recreate_pods=parameters["recreate_pods"],
        wait=parameters["wait"],
    )
    saved: list[Path] = []

    def save(plan: Plan) -> None:
        path = pods_without_controller.save(plan, module.cluster)
        if path:
            saved.append(path)
            module.progress(f"saved the pods that are created again to {path}")

    def check(plan: Plan) -> None:
        work.refuse_forbidden(module.cluster, plan, lock, check=module.check_mode)

    try:
        result = module.reconcile(work.unit(), lock=lock, checks=check, before=save)
    except MeshError as error:
        if error.code == "not_recreated" and saved:
            raise MeshError(
                f"{error.message} Its manifest is in {saved[0]}.", code="pod_not_created", file=str(saved[0])
            ) from error
        raise
    workloads, rolling_out, reported = work.due
    changes = [{"action": "restart", "api_version": "apps/v1", **_named(one)} for one in workloads]
    changes += [{"action": "recreate", "api_version": "v1", **_named(one)} for one in work.pods]
    result |= {
        "changes": changes,
        "restarted": [_named(one) for one in [*workloads, *work.pods]],
        "rolling_out": [{**_named(one), "progress": one.progress} for one in rolling_out],
        "reported": [{**_named(one), "reason": one.reason} for one in reported],
    }
    if module.shows_diff:
        result["diff"] = [{"prepared": _text(one, "restart")} for one in workloads]
        result["diff"] += [{"prepared": _text(one, "delete and create again")} for one in work.pods]
    return result


def _named(workload: Workload) -> dict[str, str]:
    return {"kind": workload.kind, "namespace": workload.namespace, "name": workload.name}


def _text(workload: Workload, how: str) -> str:
    why = [
        f"{count} {what}" for count, what in ((workload.missing, "missing"), (workload.outdated, "outdated")) if count
    ]
    return f"~ {workload.kind} {workload.namespace}/{workload.name} ({how}): sidecars {' and '.join(why)}\n"


def main() -> None:
    """Run the module."""
    module = MeshModule(
        {
            "namespaces": {"type": "list", "elements": "str"},
            "outdated": {"type": "bool", "default": False},
            "max_unavailable": {"type": "int", "default": 2},
            "plan_digest": {"type": "str"},
            "recreate_pods": {"type": "bool", "default": False},
            **WAIT,
        }
    )
    module.run(restart)


if __name__ == "__main__":
    main()
