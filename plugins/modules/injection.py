#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: injection
short_description: Label namespaces into the mesh, or out of it
version_added: 0.1.0
description:
  - Sets the labels by which Istio decides whether the pods of a namespace get a sidecar, and leaves all other labels
    as they are.
  - Pods that run already keep what they have. M(meshops.istio.restart) restarts those that need it.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.attributes
options:
  namespaces:
    description:
      - The namespaces.
    type: list
    elements: str
    required: true
  state:
    description:
      - Whether the namespaces are to have such labels, or none of them.
    type: str
    choices: [present, absent]
    default: present
  mode:
    description:
      - V(enabled) and V(disabled) set C(istio-injection), for the default revision.
      - V(revision) sets C(istio.io/rev) to O(revision).
      - V(ambient) sets C(istio.io/dataplane-mode), for a mesh without sidecars.
      - Each takes the others' labels away. Where somebody else has set one that means something different, that is
        refused, before anything is written, unless O(force).
    type: str
    choices: [enabled, disabled, revision, ambient]
    default: enabled
  revision:
    description:
      - The revision, or tag, whose sidecars the pods get.
      - Required with O(mode=revision).
    type: str
  create_namespaces:
    description:
      - Whether to create namespaces that do not exist. Otherwise they are refused, before anything is written.
    type: bool
    default: false
  plan_digest:
    description:
      - The RV(plan_digest) of an earlier run in check mode. The module refuses to apply any other plan.
    type: str
  force:
    description:
      - Whether to replace labels that somebody else has set and that contradict the wanted ones.
    type: bool
    default: false
seealso:
  - module: meshops.istio.injection_info
  - module: meshops.istio.restart
"""

EXAMPLES = r"""
- name: Take two namespaces into the mesh
  meshops.istio.injection:
    namespaces: [shop, bank]

- name: Let a revision inject into another one, created if need be
  meshops.istio.injection:
    namespaces: [stage]
    mode: revision
    revision: 1-29-1
    create_namespaces: true

- name: Leave the decision to others again
  meshops.istio.injection:
    namespaces: [shop]
    state: absent
"""

RETURN = r"""
changes:
  description: What was changed, or in check mode would be, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample: [{action: update, api_version: v1, kind: Namespace, namespace: "", name: shop}]
  contains:
    action:
      description: One of V(create), V(update).
      returned: always
      type: str
      sample: update
    api_version:
      description: The object's API version.
      returned: always
      type: str
      sample: v1
    kind:
      description: The object's kind.
      returned: always
      type: str
      sample: Namespace
    namespace:
      description: The object's namespace, empty where it has none.
      returned: always
      type: str
      sample: ""
    name:
      description: The object's name.
      returned: always
      type: str
      sample: shop
plan_digest:
  description: Names the plan. The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description:
    - What went wrong, as one stable word, for example V(namespace_missing), V(contradicting_labels), V(invalid_input).
  returned: failure
  type: str
  sample: namespace_missing
details:
  description: What is known about the failure.
  returned: failure
  type: dict
  sample: {namespaces: [shop]}
"""

from ansible_collections.meshops.istio.plugins.module_utils.istio.injection.namespaces import (
    LOCK,
    MODES,
    unit,
    wanted_labels,
)
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result


def label(module: MeshModule) -> Result:
    """Label the namespaces."""
    parameters = module.params
    wanted = wanted_labels(parameters["mode"], parameters["revision"] or "", present=parameters["state"] == "present")
    namespaces = unit(
        parameters["namespaces"], wanted, create=parameters["create_namespaces"], force=parameters["force"]
    )
    # A single label is one request, which needs no lock.
    return module.reconcile(namespaces, lock=LOCK, lock_from=2, timeout=module.cluster.patience)


def main() -> None:
    """Run the module."""
    module = MeshModule(
        {
            "namespaces": {"type": "list", "elements": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "mode": {"type": "str", "choices": list(MODES), "default": "enabled"},
            "revision": {"type": "str"},
            "create_namespaces": {"type": "bool", "default": False},
            "force": {"type": "bool", "default": False},
            "plan_digest": {"type": "str"},
        },
        required_if=[("mode", "revision", ["revision"])],
    )
    module.run(label)


if __name__ == "__main__":
    main()
