#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: upgrade_info
short_description: Read where an upgrade of a mesh stands
version_added: 0.1.0
description:
  - Reads the control planes, which namespaces, tags and gateways belong to them, and what an upgrade by
    M(meshops.istio.upgrade) has left to do.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.attributes.info
options:
  namespace:
    description:
      - Namespace of the control planes.
    type: str
    default: istio-system
seealso:
  - module: meshops.istio.upgrade
"""

EXAMPLES = r"""
- name: Read where the upgrade stands
  meshops.istio.upgrade_info:
  register: standing

- name: Show the next step
  ansible.builtin.debug:
    var: standing.next
"""

RETURN = r"""
upgrade:
  description: The upgrade that was begun, as control planes C(from) and C(to). Empty if there is none.
  returned: success
  type: dict
  sample: {from: {revision: default, version: 1.30.8}, to: {revision: 1-31-4, version: 1.31.4}}
next:
  description: The first step that has something left to do. Empty if no upgrade is under way.
  returned: success
  type: str
  sample: gateways
remaining:
  description: What each step has left to do.
  returned: success
  type: dict
  sample:
    control_plane: []
    namespaces: []
    gateways: [istio-system/istio-ingressgateway]
    tags: [tag default]
    cleanup: [Deployment istio-system/istiod]
control_planes:
  description: Control planes.
  returned: success
  type: list
  elements: dict
  sample: [{revision: default, version: 1.30.8, namespace: istio-system, healthy: true, tags: [default]}]
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
      sample: 1.30.8
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
    tags:
      description: Revision tags that point to the revision.
      returned: always
      type: list
      elements: str
      sample: [default]
namespaces:
  description: Namespaces that a control plane injects, or that have proxies.
  returned: success
  type: list
  elements: dict
  sample: [{name: shop, revision: default, labels: {istio-injection: enabled}, proxies: {default: 3}}]
  contains:
    name:
      description: Name of the namespace.
      returned: always
      type: str
      sample: shop
    revision:
      description: Revision that injects new pods. Empty if there is none.
      returned: always
      type: str
      sample: default
    labels:
      description: Labels by which the namespace chooses the revision.
      returned: always
      type: dict
      sample: {istio-injection: enabled}
    proxies:
      description: Number of sidecars by revision.
      returned: always
      type: dict
      sample: {default: 3}
gateways:
  description: Gateways of the control planes.
  returned: success
  type: list
  elements: dict
  sample: [{namespace: istio-system, name: istio-ingressgateway, revision: default}]
  contains:
    namespace:
      description: Namespace of the gateway.
      returned: always
      type: str
      sample: istio-system
    name:
      description: Name of the gateway.
      returned: always
      type: str
      sample: istio-ingressgateway
    revision:
      description: Revision that the gateway belongs to.
      returned: always
      type: str
      sample: default
code:
  description: Stable error code, for example V(gate_failed), V(unreachable), V(invalid_input).
  returned: failure
  type: str
  sample: gate_failed
details:
  description: Details of the failure.
  returned: failure
  type: dict
  sample: {server: 'https://10.0.0.1:6443'}
"""

from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule
from ansible_collections.meshops.istio.plugins.module_utils.tasks.upgrade_info import DEFINITION


def main() -> None:
    """Run the module."""
    MeshModule.main(DEFINITION)


if __name__ == "__main__":
    main()
