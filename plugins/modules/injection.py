#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: injection
short_description: Label namespaces for sidecar injection or ambient mode (Namespace)
version_added: 0.1.0
description:
  - Sets the labels of namespaces that control sidecar injection and ambient mode. Other labels are not changed.
  - Running pods are not changed. M(meshops.istio.restart) restarts the workloads that need it.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.attributes
options:
  namespaces:
    description:
      - Namespaces to label.
    type: list
    elements: str
    required: true
  state:
    description:
      - V(present) sets the labels. V(absent) removes them.
    type: str
    choices: [present, absent]
    default: present
  mode:
    description:
      - V(enabled) and V(disabled) set C(istio-injection), for the default revision.
      - V(revision) sets C(istio.io/rev) to O(revision).
      - V(ambient) sets C(istio.io/dataplane-mode=ambient), for a mesh without sidecars.
      - Each mode removes the labels of the other modes. If others have set a contradicting label, the module fails
        before the first write, unless O(force) is set.
    type: str
    choices: [enabled, disabled, revision, ambient]
    default: enabled
  revision:
    description:
      - Revision or revision tag of the sidecars.
      - Required with O(mode=revision).
    type: str
  create_namespaces:
    description:
      - Create namespaces that do not exist. If V(false), missing namespaces make the module fail before the first
        write.
    type: bool
    default: false
  plan_digest:
    description:
      - The RV(plan_digest) of an earlier run in check mode. If the plan has changed since then, the module fails before
        the first write.
    type: str
  force:
    description:
      - Replace labels that others have set and that contradict the mode.
    type: bool
    default: false
seealso:
  - module: meshops.istio.injection_info
  - module: meshops.istio.restart
"""

EXAMPLES = r"""
- name: Enable sidecar injection in two namespaces
  meshops.istio.injection:
    namespaces: [shop, bank]

- name: Use the sidecars of a revision in another namespace, and create it if it does not exist
  meshops.istio.injection:
    namespaces: [stage]
    mode: revision
    revision: 1-31-4
    create_namespaces: true

- name: Remove the labels
  meshops.istio.injection:
    namespaces: [shop]
    state: absent
"""

RETURN = r"""
changes:
  description: Changes that were made, or would be made in check mode, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample: [{action: update, api_version: v1, kind: Namespace, namespace: "", name: shop}]
  contains:
    action:
      description: The action, one of V(create), V(update).
      returned: always
      type: str
      sample: update
    api_version:
      description: API version of the object.
      returned: always
      type: str
      sample: v1
    kind:
      description: Kind of the object.
      returned: always
      type: str
      sample: Namespace
    namespace:
      description: Namespace of the object. Empty for cluster-scoped objects.
      returned: always
      type: str
      sample: ""
    name:
      description: Name of the object.
      returned: always
      type: str
      sample: shop
resources:
  description:
    - The objects that the module manages, as the API server returned them, or in check mode as they would be. Values of
      secrets are hidden, and C(managedFields) left out.
    - C(status) is that of the last read or write, before the module waited.
  returned: success
  type: list
  elements: dict
  sample: [{apiVersion: v1, kind: Namespace, metadata: {name: shop}}]
plan_digest:
  description: Digest of the plan, for use as O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description:
    - Stable error code, for example V(namespace_missing), V(contradicting_labels), V(invalid_input).
  returned: failure
  type: str
  sample: namespace_missing
details:
  description: Details of the failure.
  returned: failure
  type: dict
  sample: {namespaces: [shop]}
"""

from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule
from ansible_collections.meshops.istio.plugins.module_utils.tasks.injection import DEFINITION


def main() -> None:
    """Run the module."""
    MeshModule.main(DEFINITION)


if __name__ == "__main__":
    main()
