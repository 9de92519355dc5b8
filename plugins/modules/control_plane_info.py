#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: control_plane_info
short_description: Read the control planes (istiod), gateways and proxies of a cluster
version_added: 0.1.0
description:
  - Returns the revisions of Istio in a cluster, their health, and the proxies that connect to them, for installations
    by any tool. Checks if their releases are supported and free of known vulnerabilities.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.support
  - meshops.istio.attributes.info
options:
  namespace:
    description:
      - "Namespace of the control planes to read. Default: all namespaces."
    type: str
seealso:
  - module: meshops.istio.control_plane
"""

EXAMPLES = r"""
- name: Read the installed control planes
  meshops.istio.control_plane_info:
  register: installed

- name: Assert that every control plane is healthy
  ansible.builtin.assert:
    that: installed.control_planes | rejectattr('healthy') | length == 0
"""

RETURN = r"""
server:
  description: URL of the API server, for example V(https://10.0.0.1:6443).
  returned: success
  type: str
  sample: https://10.0.0.1:6443
kubernetes:
  description: The Kubernetes version.
  returned: success
  type: str
  sample: 1.35.4
control_planes:
  description: Control planes, sorted by namespace and revision.
  returned: success
  type: list
  elements: dict
  sample:
    - revision: default
      version: 1.31.4
      namespace: istio-system
      healthy: true
      message: 1 of 1 replicas ready
      default: true
      tags: [default]
      gateways: []
      proxies: {1.31.4: 3}
  contains:
    revision:
      description: Name of the revision. V(default) for the revision without a name.
      returned: always
      type: str
      sample: default
    version:
      description: Version of istiod.
      returned: always
      type: str
      sample: 1.31.4
    namespace:
      description: Namespace of istiod.
      returned: always
      type: str
      sample: istio-system
    healthy:
      description: V(true) if istiod is ready.
      returned: always
      type: bool
      sample: true
    message:
      description: Status of istiod.
      returned: always
      type: str
      sample: 1 of 1 replicas ready
    default:
      description: V(true) if the tag V(default) points to the revision.
      returned: always
      type: bool
      sample: true
    tags:
      description: Revision tags that point to the revision.
      returned: always
      type: list
      elements: str
      sample: [default]
    gateways:
      description: Gateways that were installed with the revision.
      returned: always
      type: list
      elements: dict
      sample:
        - name: istio-ingressgateway
          namespace: istio-system
          kind: Deployment
          component: IngressGateways
          version: 1.31.4
          healthy: true
      contains:
        name:
          description: Name of the gateway.
          returned: always
          type: str
          sample: istio-ingressgateway
        namespace:
          description: Namespace of the gateway.
          returned: always
          type: str
          sample: istio-system
        kind:
          description: Kind of the gateway's workload, one of V(Deployment), V(DaemonSet), V(StatefulSet).
          returned: always
          type: str
          sample: Deployment
        component:
          description: Component of the gateway, V(IngressGateways) or V(EgressGateways).
          returned: always
          type: str
          sample: IngressGateways
        version:
          description: Version of the gateway's proxy.
          returned: always
          type: str
          sample: 1.31.4
        healthy:
          description: V(true) if the gateway is ready.
          returned: always
          type: bool
          sample: true
    proxies:
      description: Number of running proxies of the revision, by version.
      returned: always
      type: dict
      sample: {1.31.4: 3}
proxies:
  description: Number of running proxies in the cluster, by version.
  returned: success
  type: dict
  sample: {1.31.4: 3}
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
      description: Version of the proxy.
      returned: always
      type: str
      sample: 1.26.0
    revision:
      description: Revision of the proxy's control plane.
      returned: always
      type: str
      sample: default
findings:
  description:
    - "Support of the releases of the control planes: end of life, Istio security bulletins, retired registries of the images."
    - Empty with O(security=ignore).
  returned: success
  type: list
  elements: dict
  sample:
    - code: security_bulletin
      level: warning
      release: 1.29.6
      origin: ISTIO-SECURITY-2026-006
      message: Istio 1.29.6 is affected by ISTIO-SECURITY-2026-006 (fixed in 1.29.7).
      fix: Upgrade to 1.30.8 or 1.31.4.
      fixed_in: 1.29.7
      reference: https://istio.io/latest/news/security/istio-security-2026-006/
  contains:
    code:
      description:
        - Code of the finding, one of V(end_of_life), V(end_of_life_near), V(security_bulletin), V(retired_registry),
          V(newer_release).
      returned: always
      type: str
      sample: security_bulletin
    level:
      description: Level of the finding, V(warning) or V(error).
      returned: always
      type: str
      sample: warning
    release:
      description: The Istio version.
      returned: always
      type: str
      sample: 1.29.6
    origin:
      description: What the finding is about, such as the number of a security bulletin.
      returned: always
      type: str
      sample: ISTIO-SECURITY-2026-006
    message:
      description: Text of the finding.
      returned: always
      type: str
      sample: Istio 1.29.6 is affected by ISTIO-SECURITY-2026-006 (fixed in 1.29.7).
    fix:
      description: What to do.
      returned: always
      type: str
      sample: Upgrade to 1.30.8 or 1.31.4.
    fixed_in:
      description: The first patch release with the fix. Empty if the minor version has none.
      returned: if it is a security bulletin
      type: str
      sample: 1.29.7
    reference:
      description: URL of the security bulletin, or of the source of the data.
      returned: if there is one
      type: str
      sample: https://istio.io/latest/news/security/istio-security-2026-006/
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

from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule
from ansible_collections.meshops.istio.plugins.module_utils.tasks.control_plane_info import DEFINITION


def main() -> None:
    """Run the module."""
    MeshModule.main(DEFINITION)


if __name__ == "__main__":
    main()
