#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mtls
short_description: Manage PeerAuthentication (mutual TLS modes)
version_added: 0.1.0
description:
  - Manages a PeerAuthentication for the mesh, a namespace or workloads. It sets the mutual TLS mode for requests to
    pods with a sidecar. Clients with a sidecar adapt to it automatically (auto mTLS).
  - With O(mode=strict), fails before the first write if clients may send plaintext, and lists them. These are pods
    without a sidecar in the namespaces of the mesh, Services of type C(NodePort) and C(LoadBalancer) that select the
    workloads, and DestinationRules that disable TLS. O(force) ignores them.
  - This check reads objects, but not traffic. It may list pods that never send requests, such as databases. It does not
    list clients in namespaces outside of the mesh, on the host network, or outside of the cluster that do not use its
    Services. RV(plain_text_clients) returns the same list for the permissive mode.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.traffic
  - meshops.istio.plan
  - meshops.istio.wait.proxies
  - meshops.istio.attributes
options:
  name:
    description:
      - Name of the PeerAuthentication. Istio uses only one PeerAuthentication for each namespace and one for each
        workload.
    type: str
    required: false
    default: default
  namespace:
    description:
      - Namespace of the PeerAuthentication. In O(root_namespace) and without O(selector), it applies to the whole mesh.
    type: str
    default: default
  root_namespace:
    description:
      - Root namespace of the mesh, which is the namespace of the control plane unless C(meshConfig.rootNamespace) is
        set.
    type: str
    default: istio-system
  selector:
    description:
      - "Labels of the pods that the policy applies to. Default: all pods of the namespace."
    type: dict
  mode:
    description:
      - Mutual TLS mode. V(strict) accepts only mutual TLS, V(permissive) accepts mutual TLS and plaintext, V(disable)
        accepts only plaintext, and V(unset) inherits the mode of the namespace or the mesh.
    type: str
    choices: [strict, permissive, disable, unset]
    default: strict
  ports:
    description:
      - "Modes of individual ports of the pods, for example V({8080: permissive}). Requires O(selector)."
    type: dict
seealso:
  - module: meshops.istio.injection_info
  - module: meshops.istio.authorization
"""

EXAMPLES = r"""
- name: List clients that may send plaintext
  meshops.istio.mtls:
    namespace: shop
    mode: permissive
  register: mtls

- name: Require mutual TLS in a namespace (STRICT)
  meshops.istio.mtls:
    namespace: shop

- name: Require mutual TLS in the whole mesh (STRICT)
  meshops.istio.mtls:
    namespace: istio-system

- name: Accept plaintext on one port of a workload
  meshops.istio.mtls:
    name: customer
    namespace: shop
    selector: {app: customer}
    ports: {8102: permissive}
"""

RETURN = r"""
changes:
  description: Changes that were made, or would be made in check mode, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample:
    - {action: create, api_version: security.istio.io/v1, kind: PeerAuthentication, namespace: shop, name: default}
  contains:
    action:
      description: The action, one of V(create), V(update), V(delete).
      returned: always
      type: str
      sample: create
    api_version:
      description: API version of the object.
      returned: always
      type: str
      sample: security.istio.io/v1
    kind:
      description: Kind of the object.
      returned: always
      type: str
      sample: PeerAuthentication
    namespace:
      description: Namespace of the object.
      returned: always
      type: str
      sample: shop
    name:
      description: Name of the object.
      returned: always
      type: str
      sample: default
resources:
  description:
    - The objects that the module manages, as the API server returned them, or in check mode as they would be. Values of
      secrets are hidden, and C(managedFields) left out.
    - C(status) is that of the last read or write, before the module waited.
  returned: success
  type: list
  elements: dict
  sample: [{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: shop, namespace: shop}}]
plan_digest:
  description: Digest of the plan, for use as O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
plain_text_clients:
  description:
    - Clients that may send plaintext to the workloads, according to the objects in the cluster. The mode V(strict)
      blocks them.
  returned: success and O(state=present)
  type: list
  elements: dict
  sample: [{namespace: shop, kind: Deployment, name: batch, reason: no sidecar}]
  contains:
    namespace:
      description: Namespace of the object.
      returned: always
      type: str
      sample: shop
    kind:
      description: Kind of the object. For pods, the kind of their owner.
      returned: always
      type: str
      sample: Deployment
    name:
      description: Name of the object.
      returned: always
      type: str
      sample: batch
    reason:
      description: Why the object may send plaintext.
      returned: always
      type: str
      sample: no sidecar
code:
  description: Stable error code, for example V(plain_text_clients), V(mode_taken).
  returned: failure
  type: str
  sample: plain_text_clients
details:
  description: Details of the failure. C(problems) lists all failed checks.
  returned: failure
  type: dict
  sample:
    problems:
      - "Cannot set mode strict: it would reject clients that may send plain text, Deployment shop/batch (no sidecar). Add
        them to the mesh, use the mode permissive, or set force to true."
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
    """Set the mode, and list clients that may send plaintext."""
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
