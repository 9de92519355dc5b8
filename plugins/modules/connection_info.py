#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: connection_info
short_description: Identify the cluster of a connection (context, API server, UID)
version_added: 0.1.0
description:
  - Resolves the context of the kubeconfig, and identifies the cluster by its API server and the UID of the Namespace
    C(kube-system).
  - Tasks with the result as O(expected_cluster) and the same context use this cluster or fail, even if the kubeconfig
    or its current context changes. The role P(meshops.istio.mesh#role) sets this automatically.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.attributes.info
options: {}
seealso:
  - module: meshops.istio.cluster_info
"""

EXAMPLES = r"""
- name: Identify the cluster
  meshops.istio.connection_info:
  register: connection

- name: Use this cluster only
  module_defaults:
    group/meshops.istio.all:
      context: "{{ connection.cluster.context | default(omit, true) }}"
      expected_cluster: "{{ connection.cluster }}"
  block:
    - name: Install Istio
      meshops.istio.control_plane:
        version: 1.31.4

    - name: Label a namespace
      meshops.istio.injection:
        namespaces: [shop]
"""

RETURN = r"""
cluster:
  description: Identity of the cluster, for use as O(expected_cluster).
  returned: success
  type: dict
  sample:
    uid: 3f2a9d5e-4c1b-4a9e-9f0a-6f1c7d3b8e21
    server: https://10.0.0.1:6443
    certificate_authority: 5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
    context: prod-east
  contains:
    uid:
      description: UID of the Namespace C(kube-system). Empty without permission to read it.
      returned: always
      type: str
      sample: 3f2a9d5e-4c1b-4a9e-9f0a-6f1c7d3b8e21
    server:
      description: URL of the API server, for example V(https://10.0.0.1:6443).
      returned: always
      type: str
      sample: https://10.0.0.1:6443
    certificate_authority:
      description:
        - SHA-256 checksum of the CA certificates of the API server. Empty if the CA certificates of the system are
          used.
      returned: always
      type: str
      sample: 5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
    context:
      description: Context of the kubeconfig. Empty if there is none.
      returned: always
      type: str
      sample: prod-east
code:
  description: Stable error code, for example V(unreachable), V(unauthorized), V(other_cluster).
  returned: failure
  type: str
  sample: unreachable
details:
  description: Details of the failure.
  returned: failure
  type: dict
  sample: {server: 'https://10.0.0.1:6443'}
"""

from ansible_collections.meshops.istio.plugins.module_utils.kube.api.identity import Identity
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result


def read(module: MeshModule) -> Result:
    """Return the identity of the cluster."""
    return {"changed": False, "cluster": Identity.of(module.cluster)._asdict()}


def main() -> None:
    """Run the module."""
    MeshModule({}).run(read)


if __name__ == "__main__":
    main()
