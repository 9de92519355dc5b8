#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: control_plane_info
short_description: Read which control planes, gateways and proxies a cluster has
version_added: 0.1.0
description:
  - Tells, whoever installed it, which revisions of Istio run, whether they are healthy, and which proxies run against
    them.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.attributes.info
options:
  namespace:
    description:
      - The namespace whose control planes are read. Without it all.
    type: str
seealso:
  - module: meshops.istio.control_plane
"""

EXAMPLES = r"""
- name: Read what is installed
  meshops.istio.control_plane_info:
  register: installed

- name: Assert that every control plane is healthy
  ansible.builtin.assert:
    that: installed.control_planes | rejectattr('healthy') | length == 0
"""

RETURN = r"""
server:
  description: The URL of the API server.
  returned: success
  type: str
  sample: https://10.0.0.1:6443
kubernetes:
  description: The version of Kubernetes.
  returned: success
  type: str
  sample: 1.35.4
control_planes:
  description: The control planes, by namespace and revision.
  returned: success
  type: list
  elements: dict
  sample:
    - revision: default
      version: 1.29.1
      namespace: istio-system
      healthy: true
      message: 1 of 1 replicas ready
      default: true
      tags: [default]
      gateways: []
      proxies: {1.29.1: 3}
  contains:
    revision:
      description: The revision, V(default) for the one without a name.
      returned: always
      type: str
      sample: default
    version:
      description: The version of istiod.
      returned: always
      type: str
      sample: 1.29.1
    namespace:
      description: The namespace of istiod.
      returned: always
      type: str
      sample: istio-system
    healthy:
      description: Whether istiod is ready.
      returned: always
      type: bool
      sample: true
    message:
      description: How istiod is, in words.
      returned: always
      type: str
      sample: 1 of 1 replicas ready
    default:
      description: Whether the default tag points at the revision.
      returned: always
      type: bool
      sample: true
    tags:
      description: The tags that point at the revision.
      returned: always
      type: list
      elements: str
      sample: [default]
    gateways:
      description: The gateways that were installed with the revision.
      returned: always
      type: list
      elements: dict
      sample:
        - name: istio-ingressgateway
          namespace: istio-system
          kind: Deployment
          component: IngressGateways
          version: 1.29.1
          healthy: true
      contains:
        name:
          description: The gateway's name.
          returned: always
          type: str
          sample: istio-ingressgateway
        namespace:
          description: The gateway's namespace.
          returned: always
          type: str
          sample: istio-system
        kind:
          description: The kind of the gateway's workload, V(Deployment), V(DaemonSet) or V(StatefulSet).
          returned: always
          type: str
          sample: Deployment
        component:
          description: V(IngressGateways) or V(EgressGateways).
          returned: always
          type: str
          sample: IngressGateways
        version:
          description: The version of its proxy.
          returned: always
          type: str
          sample: 1.29.1
        healthy:
          description: Whether it is ready.
          returned: always
          type: bool
          sample: true
    proxies:
      description: How many of the revision's proxies run, by version.
      returned: always
      type: dict
      sample: {1.29.1: 3}
proxies:
  description: How many proxies run in the cluster, by version.
  returned: success
  type: dict
  sample: {1.29.1: 3}
skew:
  description: Proxies that are newer than their control plane, or more than one minor version older.
  returned: success
  type: list
  elements: dict
  sample: [{pod: shop/web-7d4b9c5f6-x2x9k, version: 1.26.0, revision: default}]
  contains:
    pod:
      description: Namespace and name of the proxy's pod.
      returned: always
      type: str
      sample: shop/web-7d4b9c5f6-x2x9k
    version:
      description: The version of the proxy.
      returned: always
      type: str
      sample: 1.26.0
    revision:
      description: The revision of its control plane.
      returned: always
      type: str
      sample: default
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

from ansible_collections.meshops.istio.plugins.module_utils.istio.inspection.control_planes import read_installed
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result


def read(module: MeshModule) -> Result:
    """What is installed, and on what."""
    cluster = module.cluster
    installed = read_installed(cluster, module.params["namespace"] or "")
    return {"changed": False, "server": cluster.server, "kubernetes": str(cluster.version()), **installed}


def main() -> None:
    """Run the module."""
    MeshModule({"namespace": {"type": "str"}}).run(read)


if __name__ == "__main__":
    main()
