#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_info
short_description: Read which cluster it is that a play is about to change
version_added: 0.1.0
description:
  - Tells a cluster's address, version, platform and nodes, and how a gateway of it is reached.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.attributes.info
options: {}
seealso:
  - module: meshops.istio.control_plane_info
  - module: meshops.istio.ingress_info
"""

EXAMPLES = r"""
- name: Ask the cluster what it is
  meshops.istio.cluster_info:
    context: prod-east
  register: cluster

- name: Go on with one of OpenShift only
  ansible.builtin.assert:
    that: cluster.platform == 'openshift'
"""

RETURN = r"""
server:
  description: The URL of the API server.
  returned: success
  type: str
  sample: https://10.0.0.1:6443
context:
  description: The context of the kubeconfig, null where there is none.
  returned: success
  type: str
  sample: prod-east
kubernetes:
  description: The version of Kubernetes.
  returned: success
  type: str
  sample: 1.35.4
platform:
  description:
    - What kind of cluster it is, V(aks), V(eks), V(gke), V(k3s), V(kind), V(microk8s), V(minikube), V(openshift), or
      V(other).
  returned: success
  type: str
  sample: aks
nodes:
  description: Its nodes, none where they may not be listed.
  returned: success
  type: list
  elements: dict
  sample: [{name: node-1, hosts: [203.0.113.7, 10.0.0.4]}]
  contains:
    name:
      description: The node's name.
      returned: always
      type: str
      sample: node-1
    hosts:
      description: The addresses that it answers at, external ones first.
      returned: always
      type: list
      elements: str
      sample: [203.0.113.7, 10.0.0.4]
ingress:
  description: How a gateway of the cluster is reached from outside.
  returned: success
  type: dict
  sample: {type: NodePort, hosts: [203.0.113.7, 10.0.0.4]}
  contains:
    type:
      description: The type of Service that is reached, V(LoadBalancer) where the platform gives it an address.
      returned: always
      type: str
      sample: NodePort
    hosts:
      description: The nodes' addresses with V(NodePort). A load balancer has its own.
      returned: always
      type: list
      elements: str
      sample: [203.0.113.7, 10.0.0.4]
code:
  description: What went wrong, as one stable word, for example V(unreachable), V(unauthorized), V(invalid_input).
  returned: failure
  type: str
  sample: unreachable
details:
  description: What is known about the failure.
  returned: failure
  type: dict
  sample: {server: 'https://10.0.0.1:6443'}
"""

from ansible_collections.meshops.istio.plugins.module_utils.istio.platforms.facts import read_cluster
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result


def read(module: MeshModule) -> Result:
    """What the cluster is."""
    return {"changed": False, **read_cluster(module.cluster)}


def main() -> None:
    """Run the module."""
    MeshModule({}).run(read)


if __name__ == "__main__":
    main()
