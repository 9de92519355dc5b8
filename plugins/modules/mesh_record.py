# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mesh_record
short_description: Record what is declared of a mesh in a ConfigMap, and find what is left over
version_added: 0.1.0
description:
  - Writes a ConfigMap in the namespace of the control plane that lists the declared applications, namespaces, revision
    tags and addons. There is one for each revision and O(site).
  - Returns as RV(left_over) what an earlier run has recorded and is no longer declared. It stays recorded until it is
    removed. Only what is recorded can be left over, so that what others have made never is.
  - Does not remove anything. The role P(meshops.istio.mesh#role) removes what is left over, if C(mesh_prune) is set.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.attributes
options:
  namespace:
    description:
      - Namespace of the control plane.
    type: str
    default: istio-system
  revision:
    description:
      - "Revision of the control plane. Default: the default revision."
    type: str
  site:
    description:
      - Name of the set of variables, such as C(team-a). Required if several sets of variables declare parts of the same
        revision.
    type: str
  addons:
    description:
      - Names of the addons. Addons are left over only if this is empty, because otherwise M(meshops.istio.addons) prunes
        those that are not listed.
    type: list
    elements: str
    default: []
  applications:
    description:
      - Applications of M(meshops.istio.application).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - Name of the application.
        type: str
        required: true
      namespace:
        description:
          - Namespace of the application.
        type: str
        default: default
  namespaces:
    description:
      - Namespaces that are labelled for injection.
    type: list
    elements: str
    default: []
  revision_tags:
    description:
      - Revision tags.
    type: list
    elements: str
    default: []
  parts:
    description:
      - What to record and to compare. The rest of the record stays as it is.
    type: list
    elements: str
    choices: [addons, applications, namespaces, revision_tags]
    default: [addons, applications, namespaces, revision_tags]
seealso:
  - module: meshops.istio.mesh
"""

EXAMPLES = r"""
- name: Record the applications of a mesh
  meshops.istio.mesh_record:
    parts: [applications]
    applications:
      - name: shop
        namespace: shop
  register: mesh

- name: Show the applications that are left over
  ansible.builtin.debug:
    msg: "{{ mesh.left_over | map(attribute='name') }}"
"""

RETURN = r"""
left_over:
  description: What is recorded, no longer declared, and still in the cluster.
  returned: success
  type: list
  elements: dict
  contains:
    part:
      description: The option that listed it.
      type: str
    kind:
      description: One of V(addon), V(application), V(namespace) and V(revision tag).
      type: str
    namespace:
      description: Namespace of an application or addon. Empty for the others.
      type: str
    name:
      description: Name.
      type: str
    since:
      description: When it was last applied. Empty if unknown.
      type: str
    reason:
      description: Why it is not removed by C(mesh_prune). Empty if it is.
      type: str
  sample:
    - {part: applications, kind: application, namespace: shop, name: cart, since: '2026-11-20T10:00:00Z', reason: ''}
parts:
  description: The parts that were compared.
  returned: success
  type: list
  elements: str
  sample: [applications]
changes:
  description: Changes of the ConfigMap.
  returned: success
  type: list
  elements: dict
  sample:
    - {action: create, api_version: v1, kind: ConfigMap, namespace: istio-system, name: meshops-istio.mesh.default}
plan_digest:
  description: Digest of the plan.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description: Stable error code, for example V(invalid_input), V(unreachable), V(forbidden).
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
from ansible_collections.meshops.istio.plugins.module_utils.tasks.mesh_record import DEFINITION


def main() -> None:
    """Run the module."""
    MeshModule.main(DEFINITION)


if __name__ == "__main__":
    main()
