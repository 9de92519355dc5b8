#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: connection_info
short_description: Read which cluster the connection options lead to (context, server, UID)
version_added: 0.1.0
description:
  - Resolves the kubeconfig's context, and identifies the cluster by its API server and the UID of Namespace
    C(kube-system).
  - Tasks that are given the result as O(expected_cluster) and the same context work on this cluster or fail, whatever
    becomes of the kubeconfig and its current context meanwhile. The role C(meshops.istio.mesh) does this by itself.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.attributes.info
options: {}
seealso:
  - module: meshops.istio.cluster_info
"""

EXAMPLES = r"""
- name: Resolve the context
  meshops.istio.connection_info:
  register: connection

- name: Work on this cluster, and on no other
  module_defaults:
    group/meshops.istio.all:
      context: "{{ connection.cluster.context | default(omit, true) }}"
      expected_cluster: "{{ connection.cluster }}"
  block:
    - name: Install Istio
      meshops.istio.control_plane:
        version: 1.29.1

    - name: Label a namespace
      meshops.istio.injection:
        namespaces: [shop]
"""

RETURN = r"""
cluster:
  description: The cluster, as O(expected_cluster) takes it.
  returned: success
  type: dict
  sample:
    uid: 3f2a9d5e-4c1b-4a9e-9f0a-6f1c7d3b8e21
    server: https://10.0.0.1:6443
    certificate_authority: 5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
    context: prod-east
  contains:
    uid:
      description: The UID of Namespace C(kube-system), empty without permission to get it.
      returned: always
      type: str
      sample: 3f2a9d5e-4c1b-4a9e-9f0a-6f1c7d3b8e21
    server:
      description: The URL of the API server.
      returned: always
      type: str
      sample: https://10.0.0.1:6443
    certificate_authority:
      description: The SHA-256 of the CA certificates of the API server, empty for those of the system.
      returned: always
      type: str
      sample: 5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
    context:
      description: The context of the kubeconfig, empty where there is none.
      returned: always
      type: str
      sample: prod-east
code:
  description: What went wrong, as one stable word, for example V(unreachable), V(unauthorized), V(other_cluster).
  returned: failure
  type: str
  sample: unreachable
details:
  description: What is known about the failure.
  returned: failure
  type: dict
  sample: {server: 'https://10.0.0.1:6443'}
"""

from ansible_collections.meshops.istio.plugins.module_utils.kube.api.identity import Identity
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result


def read(module: MeshModule) -> Result:
    """Which cluster answers."""
    return {"changed": False, "cluster": Identity.of(module.cluster)._asdict()}


def main() -> None:
    """Run the module."""
    MeshModule({}).run(read)


if __name__ == "__main__":
    main()
