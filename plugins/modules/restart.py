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
  - Restarts Deployments, StatefulSets and DaemonSets whose pods are missing a sidecar, or have that of another revision
    than the one that injects into their namespace, a few at a time, and waits for each of them before the next.
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
      - Also restart workloads with sidecars of the right revision and another version, and workloads that have left the
        mesh and still have sidecars.
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

from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule
from ansible_collections.meshops.istio.plugins.module_utils.tasks.restart import DEFINITION


def main() -> None:
    """Run the module."""
    MeshModule.main(DEFINITION)


if __name__ == "__main__":
    main()
