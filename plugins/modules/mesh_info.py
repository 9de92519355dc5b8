# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mesh_info
short_description: Read the state of a mesh (control planes, gateways, namespaces and sidecars)
version_added: 0.1.0
description:
  - Reads in one task what M(meshops.istio.control_plane_info), M(meshops.istio.injection_info) and
    M(meshops.istio.ingress_info) read.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.support
  - meshops.istio.attributes.info
options:
  namespace:
    description:
      - Namespace of the control planes to read.
    type: str
    default: istio-system
  namespaces:
    description:
      - "Namespaces to read. Default: all."
    type: list
    elements: str
  wait:
    description:
      - Wait until the load balancers of the gateways have addresses.
    type: bool
    default: false
  wait_timeout:
    description:
      - Time limit for O(wait) in seconds.
    type: int
    default: 300
seealso:
  - module: meshops.istio.mesh
  - module: meshops.istio.control_plane_info
  - module: meshops.istio.injection_info
  - module: meshops.istio.ingress_info
"""

EXAMPLES = r"""
- name: Read the mesh
  meshops.istio.mesh_info:
  register: mesh

- name: Show the URLs of the gateways
  ansible.builtin.debug:
    msg: "{{ mesh.gateways | map(attribute='urls') }}"
"""

RETURN = r"""
server:
  description: URL of the API server.
  returned: success
  type: str
  sample: https://10.0.0.1:6443
kubernetes:
  description: Kubernetes version of the API server.
  returned: success
  type: str
  sample: 1.35.4
control_planes:
  description: Control planes, as M(meshops.istio.control_plane_info) returns them.
  returned: success
  type: list
  elements: dict
  sample: [{revision: default, namespace: istio-system, version: 1.31.0, ready: true}]
skew:
  description: Proxies by version, as M(meshops.istio.control_plane_info) returns them.
  returned: success
  type: dict
  sample: {proxies: 12, versions: {1.31.0: 12}}
gateways:
  description: Addresses of the ingress gateways of the control planes, as M(meshops.istio.ingress_info) returns them.
  returned: success
  type: list
  elements: dict
  sample: [{name: istio-ingressgateway, namespace: istio-system, type: NodePort, pending: false}]
namespaces:
  description: Namespaces, as M(meshops.istio.injection_info) returns them.
  returned: success
  type: list
  elements: dict
  sample: [{name: shop, injected: true, pods: 4, with_sidecar: 4}]
workloads:
  description: Workloads with missing or outdated sidecars, as M(meshops.istio.injection_info) returns them.
  returned: success
  type: list
  elements: dict
  sample: []
findings:
  description: Findings about the installed releases, as M(meshops.istio.control_plane_info) returns them.
  returned: success
  type: list
  elements: dict
  sample: []
unlabelled:
  description: Workloads outside of the mesh that have sidecars, as M(meshops.istio.injection_info) returns them.
  returned: success
  type: list
  elements: dict
  sample: []
code:
  description: Stable error code, for example V(invalid_input), V(unreachable), V(refused).
  returned: failure
  type: str
  sample: unreachable
details:
  description: Details of the failure.
  returned: failure
  type: dict
  sample: {server: 'https://10.0.0.1:6443'}
"""

from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule
from ansible_collections.meshops.istio.plugins.module_utils.tasks.mesh_info import DEFINITION


def main() -> None:
    """Run the module."""
    MeshModule.main(DEFINITION)


if __name__ == "__main__":
    main()
