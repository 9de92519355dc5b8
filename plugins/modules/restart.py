#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: restart
short_description: Restart workloads with a sidecar that is missing or outdated
version_added: 0.1.0
description:
  - Restarts Deployments, StatefulSets and DaemonSets whose pods are missing a sidecar, a few at a time, and waits for
    each of them before the next.
  - Pods without a controller, Jobs, and workloads whose rollout is paused, partitioned or of type C(OnDelete) are
    reported and not restarted. Pods that opted out of injection or use the host network do not need a sidecar.
  - If a rollout in progress already adds the sidecars, the module waits for it and does not restart the workload again.
    If the rollout hangs, the error contains the reason.
  - Sets an annotation of the pod template, as C(kubectl rollout restart) does.
  - Pods without a controller are recreated only with O(recreate_pods).
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.wait
  - meshops.istio.attributes
options:
  namespaces:
    description:
      - "Namespaces to check. Default: all namespaces."
    type: list
    elements: str
  outdated:
    description:
      - Also restart workloads with outdated sidecars. Their new pods would get a sidecar of another revision or
        version, or none.
    type: bool
    default: false
  plan_digest:
    description:
      - The RV(plan_digest) of an earlier run in check mode. If the plan has changed since then, the module fails before
        the first write.
    type: str
  max_unavailable:
    description:
      - Maximum number of workloads that are restarted at the same time.
    type: int
    default: 2
  recreate_pods:
    description:
      - Delete and recreate pods without a controller that are missing a sidecar, one at a time.
      - Such a pod is unavailable until its replacement is ready, and data outside of its volumes are lost.
      - Before the first deletion, the module verifies with a dry run that the API server accepts the replacements and
        injects their sidecars, and saves their manifests in C(meshops-istio/removed) of the user's state directory.
    type: bool
    default: false
seealso:
  - module: meshops.istio.injection
  - module: meshops.istio.injection_info
"""

EXAMPLES = r"""
- name: Add missing sidecars in a namespace
  meshops.istio.restart:
    namespaces: [shop]

- name: Replace all outdated sidecars after an upgrade
  meshops.istio.restart:
    outdated: true
    max_unavailable: 5
    wait_timeout: 1800
"""

RETURN = r"""
changes:
  description: Changes that were made, or would be made in check mode, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample: [{action: restart, api_version: apps/v1, kind: Deployment, namespace: "shop", name: web}]
  contains:
    action:
      description: The action, one of V(restart), V(recreate).
      returned: always
      type: str
      sample: restart
    api_version:
      description: API version of the object.
      returned: always
      type: str
      sample: apps/v1
    kind:
      description: Kind of the object.
      returned: always
      type: str
      sample: Deployment
    namespace:
      description: Namespace of the object. Empty for cluster-scoped objects.
      returned: always
      type: str
      sample: "shop"
    name:
      description: Name of the object.
      returned: always
      type: str
      sample: web
restarted:
  description: Workloads that were restarted and pods that were recreated, or would be in check mode.
  returned: success
  type: list
  elements: dict
  sample: [{kind: Deployment, namespace: shop, name: web}]
  contains:
    kind:
      description: Kind of the workload.
      returned: always
      type: str
      sample: Deployment
    namespace:
      description: Namespace of the workload.
      returned: always
      type: str
      sample: shop
    name:
      description: Name of the workload.
      returned: always
      type: str
      sample: web
rolling_out:
  description:
    - Workloads that were not restarted because a rollout in progress already adds their sidecars, or because an earlier
      run restarted them and they are not ready yet. With O(wait), the module waits for them.
  returned: success
  type: list
  elements: dict
  sample: [{kind: Deployment, namespace: shop, name: web, progress: 1 of 3 replicas updated}]
  contains:
    kind:
      description: Kind of the workload.
      returned: always
      type: str
      sample: Deployment
    namespace:
      description: Namespace of the workload.
      returned: always
      type: str
      sample: shop
    name:
      description: Name of the workload.
      returned: always
      type: str
      sample: web
    progress:
      description: Progress of the rollout.
      returned: always
      type: str
      sample: 1 of 3 replicas updated
reported:
  description: Workloads that need new pods and were not restarted.
  returned: success
  type: list
  elements: dict
  sample:
    - kind: Pod
      namespace: shop
      name: shell
      reason: it is a pod without a controller; delete and create it yourself, or set recreate_pods to true
  contains:
    kind:
      description: Kind of the workload.
      returned: always
      type: str
      sample: Pod
    namespace:
      description: Namespace of the workload.
      returned: always
      type: str
      sample: shop
    name:
      description: Name of the workload.
      returned: always
      type: str
      sample: shell
    reason:
      description: Why the workload was not restarted.
      returned: always
      type: str
      sample: it is a pod without a controller; delete and create it yourself, or set recreate_pods to true
plan_digest:
  description: Digest of the plan, for use as O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description: Stable error code, for example V(not_ready), V(unreachable), V(invalid_input).
  returned: failure
  type: str
  sample: not_ready
details:
  description: Details of the failure.
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
            module.progress(f"saved the pods to recreate to {path}")

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
        result["diff"] += [{"prepared": _text(one, "recreate")} for one in work.pods]
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
