# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mesh
short_description: Install, update or remove all parts of a mesh, and read its state
version_added: 0.1.0
description:
  - Does in one process and over one connection the work of M(meshops.istio.gateway_api),
    M(meshops.istio.control_plane), M(meshops.istio.revision_tag), M(meshops.istio.mesh_record),
    M(meshops.istio.injection), M(meshops.istio.restart), M(meshops.istio.addons) and M(meshops.istio.application).
  - Plans all parts first, and writes nothing if one of them is refused. A part that relies on an earlier one is planned
    as if that one were installed. Then applies the parts in RV(due) as they were planned.
  - Waits for all parts together. Namespaces, addons and applications do not wait for the gateways of a new control
    plane, but only until istiod injects sidecars.
  - After a failure it begins no more parts, and fails when those that it has begun have ended. Changes are kept.
  - With O(state=absent) removes applications in the reverse order, addons, injection labels and sidecars, and the control
    plane. Other parts are not removed.
  - In check mode only plans the parts. Downloads the release if it is not in the cache.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.support
  - meshops.istio.attributes
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
  state:
    description:
      - V(present) installs or updates the mesh, V(absent) removes it.
    type: str
    choices: [present, absent]
    default: present
  parts:
    description:
      - Parts to install, update or remove.
    type: list
    elements: str
    choices: [gateway_api, control_plane, record, injection, restart, addons, applications, prune]
    default: [gateway_api, control_plane, record, injection, restart, addons, applications, prune]
  release:
    description:
      - Options of M(meshops.istio.release). Required for the parts V(control_plane), V(addons) and V(applications).
    type: dict
    default: {}
  precheck:
    description:
      - Options of M(meshops.istio.precheck), which runs only if the part V(control_plane) is in RV(due).
    type: dict
    default: {}
  gateway_api:
    description:
      - Options of M(meshops.istio.gateway_api).
    type: dict
    default: {}
  control_plane:
    description:
      - Options of M(meshops.istio.control_plane).
    type: dict
    default: {}
  revision_tags:
    description:
      - Names of revision tags to point at the revision of O(control_plane).
    type: list
    elements: str
    default: []
  record:
    description:
      - Options of M(meshops.istio.mesh_record).
    type: dict
    default: {}
  injection:
    description:
      - Options of M(meshops.istio.injection).
    type: dict
    default: {}
  restart:
    description:
      - Options of M(meshops.istio.restart).
    type: dict
    default: {}
  addons:
    description:
      - Options of M(meshops.istio.addons).
    type: dict
    default: {}
  application:
    description:
      - Options of M(meshops.istio.application) that all O(applications) have.
    type: dict
    default: {}
  applications:
    description:
      - Applications, each with options of M(meshops.istio.application).
    type: list
    elements: dict
    default: []
  prune:
    description:
      - What to remove if it is left over, as M(meshops.istio.mesh_record) finds it. The rest is returned as
        RV(left_over). Requires the parts V(record) and V(prune).
    type: list
    elements: str
    choices: [addons, applications, namespaces, revision_tags]
    default: []
  uninject_namespaces:
    description:
      - Namespaces to take out of the mesh. Their injection labels are removed, and with the part V(restart) their
        workloads are restarted without sidecars. Requires the part V(prune).
    type: list
    elements: str
    default: []
  keep:
    description:
      - With O(state=absent), parts whose objects are only listed, in RV(parts), and not removed.
    type: list
    elements: str
    choices: [gateway_api, control_plane, record, injection, restart, addons, applications, prune]
    default: []
  plan_digest:
    description:
      - Digest of the approved plan. Fail if the plan has another one.
    type: str
  allow_failure:
    description:
      - If a part cannot be planned, change nothing, return the message as RV(failure) together with RV(state), and do
        not fail.
    type: bool
    default: false
  ingress_wait:
    description:
      - At the end, wait until the load balancers of gateways have addresses.
    type: bool
    default: false
  wait_timeout:
    description:
      - Maximum seconds of O(ingress_wait). The options of each part have their own.
    type: int
    default: 300
seealso:
  - module: meshops.istio.mesh_info
"""

EXAMPLES = r"""
- name: Install a control plane and an application
  meshops.istio.mesh:
    parts: [control_plane, injection, applications]
    release:
      version: 1.31.4
    control_plane:
      profile: minimal
    injection:
      namespaces: [shop]
      create_namespaces: true
    applications:
      - name: shop
        namespace: shop
        src: [shop/]

- name: Show the parts that would change
  meshops.istio.mesh:
    parts: [control_plane]
    release:
      version: 1.31.4
  check_mode: true
  register: plan
"""

RETURN = r"""
parts:
  description:
    - The result of the module of each part, by the name of the part. V(applications) and V(revision_tags) are lists.
      Also V(release), and V(messages) of the precheck if it ran.
    - C(prune) has what is removed, by part.
    - C(unready) of a part are the objects that are to be waited for.
  returned: success
  type: dict
  sample: {control_plane: {changes: [], plan_digest: 6fd5aa5b, revision: default}}
due:
  description: Parts that had something to change or to wait for when they were planned.
  returned: success
  type: list
  elements: str
  sample: [control_plane, applications]
left_over:
  description: What the variables no longer declare and the plan keeps, as M(meshops.istio.mesh_record) returns it.
  returned: success
  type: list
  elements: dict
  sample: []
failure:
  description: Why a part cannot be planned, with O(allow_failure=true). Empty if all can.
  returned: success
  type: str
  sample: ""
changes:
  description: Changes that were made, or would be made in check mode, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample: [{action: create, api_version: v1, kind: Namespace, namespace: "", name: istio-system}]
plan_digest:
  description: Digest of the plan of all parts, for use as O(plan_digest). Restarts do not count.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
cluster:
  description: Identity of the cluster, for use as O(expected_cluster), as M(meshops.istio.connection_info) returns it.
  returned: success
  type: dict
  sample: {uid: 3f2a9d5e-4c1b-4a9e-9f0a-6f1c7d3b8e21, server: 'https://10.0.0.1:6443'}
state:
  description: State of the mesh after the changes, as M(meshops.istio.mesh_info) returns it.
  returned: success
  type: dict
  sample: {kubernetes: 1.35.4, control_planes: [], gateways: [], namespaces: []}
code:
  description: Stable error code, for example V(invalid_input), V(unreachable), V(refused).
  returned: failure
  type: str
  sample: unreachable
details:
  description: Details of the failure. V(part) is the part that failed.
  returned: failure
  type: dict
  sample: {server: 'https://10.0.0.1:6443'}
"""

from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule
from ansible_collections.meshops.istio.plugins.module_utils.tasks.mesh import DEFINITION


def main() -> None:
    """Run the module."""
    MeshModule.main(DEFINITION)


if __name__ == "__main__":
    main()
