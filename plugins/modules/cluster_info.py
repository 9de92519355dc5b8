#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_info
short_description: Read the platform, Kubernetes version and nodes of a cluster
version_added: 0.1.0
description:
  - Returns the address, version, platform and nodes of a cluster, and how its gateways can be reached from outside.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.attributes.info
options: {}
seealso:
  - module: meshops.istio.control_plane_info
  - module: meshops.istio.ingress_info
"""

EXAMPLES = r"""
- name: Read facts about the cluster
  meshops.istio.cluster_info:
    context: prod-east
  register: cluster

- name: Continue only on OpenShift
  ansible.builtin.assert:
    that: cluster.platform == 'openshift'
"""

RETURN = r"""
server:
  description: URL of the API server, for example V(https://10.0.0.1:6443).
  returned: success
  type: str
  sample: https://10.0.0.1:6443
context:
  description: Context of the kubeconfig. V(null) if there is none.
  returned: success
  type: str
  sample: prod-east
kubernetes:
  description: The Kubernetes version.
  returned: success
  type: str
  sample: 1.35.4
platform:
  description:
    - Platform of the cluster, one of V(aks), V(eks), V(gke), V(k3s), V(kind), V(microk8s), V(minikube), V(openshift),
      V(other).
  returned: success
  type: str
  sample: aks
nodes:
  description: Nodes of the cluster. Empty without permission to list nodes.
  returned: success
  type: list
  elements: dict
  sample: [{name: node-1, hosts: [203.0.113.7, 10.0.0.4]}]
  contains:
    name:
      description: Name of the node.
      returned: always
      type: str
      sample: node-1
    hosts:
      description: Addresses of the node, external addresses first.
      returned: always
      type: list
      elements: str
      sample: [203.0.113.7, 10.0.0.4]
ingress:
  description: How gateways of the cluster can be reached from outside.
  returned: success
  type: dict
  sample: {type: NodePort, hosts: [203.0.113.7, 10.0.0.4]}
  contains:
    type:
      description: Type of the gateways' Services. V(LoadBalancer) if the platform assigns addresses to load balancers.
      returned: always
      type: str
      sample: NodePort
    hosts:
      description: Addresses of the nodes, for V(NodePort). Load balancers have their own addresses.
      returned: always
      type: list
      elements: str
      sample: [203.0.113.7, 10.0.0.4]
code:
  description: Stable error code, for example V(unreachable), V(unauthorized), V(invalid_input).
  returned: failure
  type: str
  sample: unreachable
details:
  description: Details of the failure.
  returned: failure
  type: dict
  sample: {server: 'https://10.0.0.1:6443'}
"""

from ansible_collections.meshops.istio.plugins.module_utils.istio.platforms.facts import read_cluster
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result


def read(module: MeshModule) -> Result:
    """Return facts about the cluster."""
    return {"changed": False, **read_cluster(module.cluster)}


def main() -> None:
    """Run the module."""
    MeshModule({}).run(read)


if __name__ == "__main__":
    main()
