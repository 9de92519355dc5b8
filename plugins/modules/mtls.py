#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mtls
short_description: Take mutual TLS only, plain text too, or plain text only
version_added: 0.1.0
description:
  - Builds a PeerAuthentication of Istio, for the mesh, a namespace or a workload. It says what pods with a sidecar
    accept; what clients with a sidecar send follows by itself.
  - Refuses, before the first write, a strict mode while there are clients that may speak plain text, and names them
    - pods without a sidecar in the namespaces of the mesh, Services of type C(NodePort) and C(LoadBalancer) that lead
    to the workloads directly, and DestinationRules that switch TLS off. O(force) goes on.
  - That look has its limits. It does not see who really sends requests. A pod that is named may never do so, such as
    a database; a client in a namespace outside of the mesh, on a node's network or beyond the cluster's own Services
    is not named. RV(plain_text_clients) is the same list while the mode is still permissive.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.traffic
  - meshops.istio.plan
  - meshops.istio.wait
  - meshops.istio.attributes
options:
  name:
    description:
      - The name of the PeerAuthentication. Istio heeds one for a whole namespace and one for each workload.
    type: str
    required: false
    default: default
  namespace:
    description:
      - The namespace. In O(root_namespace), and without O(selector), it holds for the whole mesh.
    type: str
    default: default
  root_namespace:
    description:
      - The mesh's root namespace, which is the control plane's unless the mesh's configuration says otherwise.
    type: str
    default: istio-system
  selector:
    description:
      - The labels of the pods that it is for. By default all of the namespace.
    type: dict
  mode:
    description:
      - V(strict) takes mutual TLS only, V(permissive) plain text too, V(disable) plain text only, V(unset) what holds
        for the namespace or the mesh.
    type: str
    choices: [strict, permissive, disable, unset]
    default: strict
  ports:
    description:
      - "Other modes for single ports of the pods, as V({8080: permissive}). Needs O(selector)."
    type: dict
seealso:
  - module: meshops.istio.injection_info
  - module: meshops.istio.authorization
"""

EXAMPLES = r"""
- name: See who may be speaking plain text
  meshops.istio.mtls:
    namespace: shop
    mode: permissive
  register: mtls

- name: Mutual TLS only, in a namespace
  meshops.istio.mtls:
    namespace: shop

- name: Mutual TLS only, in the whole mesh
  meshops.istio.mtls:
    namespace: istio-system

- name: One port of a workload is for clients without a sidecar
  meshops.istio.mtls:
    name: customer
    namespace: shop
    selector: {app: customer}
    ports: {8102: permissive}
"""

RETURN = r"""
changes:
  description: What was changed, or in check mode would be, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample:
    - {action: create, api_version: security.istio.io/v1, kind: PeerAuthentication, namespace: shop, name: default}
  contains:
    action:
      description: One of V(create), V(update), V(delete).
      returned: always
      type: str
      sample: create
    api_version:
      description: The object's API version.
      returned: always
      type: str
      sample: security.istio.io/v1
    kind:
      description: The object's kind.
      returned: always
      type: str
      sample: PeerAuthentication
    namespace:
      description: The object's namespace.
      returned: always
      type: str
      sample: shop
    name:
      description: The object's name.
      returned: always
      type: str
      sample: default
plan_digest:
  description: Names the plan, for O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
plain_text_clients:
  description:
    - What may speak plain text to the workloads, as far as the cluster's objects tell. A strict mode shuts it out.
  returned: success and O(state=present)
  type: list
  elements: dict
  sample: [{namespace: shop, kind: Deployment, name: batch, reason: no sidecar}]
  contains:
    namespace:
      description: The namespace.
      returned: always
      type: str
      sample: shop
    kind:
      description: The kind of object, of pods that of their owner.
      returned: always
      type: str
      sample: Deployment
    name:
      description: The name.
      returned: always
      type: str
      sample: batch
    reason:
      description: Why it is thought to.
      returned: always
      type: str
      sample: no sidecar
code:
  description: What went wrong, as one stable word, for example V(plain_text_clients), V(mode_taken).
  returned: failure
  type: str
  sample: plain_text_clients
details:
  description: What is known about the failure; C(problems) is all that spoke against the plan.
  returned: failure
  type: dict
  sample: {problems: ["Strict mutual TLS would shut out clients that may speak plain text, Deployment shop/batch (no sidecar)"]}
"""

from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.security import (
    mtls_build,
    mtls_checks,
    plaintext,
)
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.unit import Builder
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result
from ansible_collections.meshops.istio.plugins.module_utils.traffic_module import COMMON, manage

BUILDER = Builder(
    module="mtls",
    kinds=(mtls_checks.PEER_AUTHENTICATION,),
    build=lambda options, _cluster: mtls_build.build(options),
    problems=mtls_checks.problems,
)


def run(module: MeshModule) -> Result:
    """Set the mode, and tell who may be speaking plain text."""
    result = manage(module, BUILDER)
    if module.params["state"] == "absent":
        return result
    found = plaintext.clients(module.params, module.cluster, mtls_build.as_strict(mtls_build.build(module.params)[0]))
    return {**result, "plain_text_clients": plaintext.as_dicts(found)}


def main() -> None:
    """Run the module."""
    module = MeshModule(
        {
            **COMMON,
            "name": {"type": "str", "default": "default"},
            "root_namespace": {"type": "str", "default": "istio-system"},
            "selector": {"type": "dict"},
            "mode": {"type": "str", "choices": list(mtls_build.MODES), "default": "strict"},
            "ports": {"type": "dict"},
        },
    )
    module.run(run)


if __name__ == "__main__":
    main()
