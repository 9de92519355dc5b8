#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: injection_info
short_description: Read which namespaces and workloads have their sidecars
version_added: 0.1.0
description:
  - Compares what the cluster's injectors would give each running pod with what it has, native sidecars included.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.attributes.info
options:
  namespaces:
    description:
      - The namespaces to read. Without it all. Those that do not exist are left out.
    type: list
    elements: str
seealso:
  - module: meshops.istio.injection
  - module: meshops.istio.restart
"""

EXAMPLES = r"""
- name: Read what lacks its sidecar
  meshops.istio.injection_info:
    namespaces: [shop]
  register: sidecars

- name: Assert that nothing does
  ansible.builtin.assert:
    that: sidecars.workloads | selectattr('missing') | length == 0
"""

RETURN = r"""
namespaces:
  description: The namespaces, by name.
  returned: success
  type: list
  elements: dict
  sample:
    - name: shop
      injection: enabled
      revision: ""
      injector: default
      pods: 2
      with_sidecar: 2
      without_sidecar: 0
  contains:
    name:
      description: The namespace.
      returned: always
      type: str
      sample: shop
    injection:
      description: How it is labelled, one of V(enabled), V(disabled), V(revision), V(ambient), V(none).
      returned: always
      type: str
      sample: enabled
    revision:
      description: The revision or tag that it is labelled with, empty without.
      returned: always
      type: str
      sample: ""
    injector:
      description: The revision that injects its pods, empty for none.
      returned: always
      type: str
      sample: default
    pods:
      description: How many pods run.
      returned: always
      type: int
      sample: 2
    with_sidecar:
      description: How many of them have a sidecar.
      returned: always
      type: int
      sample: 2
    without_sidecar:
      description: How many of them should have one and do not.
      returned: always
      type: int
      sample: 0
workloads:
  description: The workloads with pods whose sidecar is missing or outdated.
  returned: success
  type: list
  elements: dict
  sample:
    - kind: Deployment
      namespace: shop
      name: web
      missing: 1
      outdated: 0
      restartable: true
      reason: ""
      rolling_out: false
      progress: ""
  contains:
    kind:
      description: The workload's kind.
      returned: always
      type: str
      sample: Deployment
    namespace:
      description: The workload's namespace.
      returned: always
      type: str
      sample: shop
    name:
      description: The workload's name.
      returned: always
      type: str
      sample: web
    missing:
      description: How many of its pods should have a sidecar and do not.
      returned: always
      type: int
      sample: 1
    outdated:
      description: How many of its pods have one of another revision or version than they would get now, if any.
      returned: always
      type: int
      sample: 0
    restartable:
      description: Whether M(meshops.istio.restart) would restart it.
      returned: always
      type: bool
      sample: true
    reason:
      description: Why it would not, empty where it would.
      returned: always
      type: str
      sample: ""
    rolling_out:
      description: Whether a roll-out is under way that brings the sidecars, so that it would not be restarted again.
      returned: always
      type: bool
      sample: false
    progress:
      description: How far the roll-out under way is, empty where there is none.
      returned: always
      type: str
      sample: ""
unlabelled:
  description:
    - The workloads with pods that have a sidecar, or should, and lack one of the labels C(app) and C(version), by which
      Kiali and the mesh's metrics tell applications and their versions apart.
  returned: success
  type: list
  elements: dict
  sample: [{kind: Deployment, namespace: shop, name: web, labels: [version]}]
  contains:
    kind:
      description: The workload's kind.
      returned: always
      type: str
      sample: Deployment
    namespace:
      description: The workload's namespace.
      returned: always
      type: str
      sample: shop
    name:
      description: The workload's name.
      returned: always
      type: str
      sample: web
    labels:
      description: The labels that its pods lack.
      returned: always
      type: list
      elements: str
      sample: [version]
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

from ansible_collections.meshops.istio.plugins.module_utils.istio.injection.sidecars import read_state
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result


def read(module: MeshModule) -> Result:
    """The namespaces, and the workloads that are not as they would be created now."""
    state = read_state(module.cluster, module.params["namespaces"])
    return {
        "changed": False,
        "namespaces": [namespace.as_dict() for namespace in state.namespaces],
        "workloads": [workload.as_dict() for workload in state.workloads],
        "unlabelled": [workload.as_dict() for workload in state.unlabelled],
    }


def main() -> None:
    """Run the module."""
    MeshModule({"namespaces": {"type": "list", "elements": "str"}}).run(read)


if __name__ == "__main__":
    main()
