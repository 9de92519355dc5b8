#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: injection_info
short_description: Read the state of sidecar injection of namespaces and workloads
version_added: 0.1.0
description:
  - Compares the sidecars of running pods, including native sidecars, with the sidecars that the injectors of the
    cluster would inject now.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.attributes.info
options:
  namespaces:
    description:
      - "Namespaces to read. Default: all namespaces. Namespaces that do not exist are ignored."
    type: list
    elements: str
seealso:
  - module: meshops.istio.injection
  - module: meshops.istio.restart
"""

EXAMPLES = r"""
- name: Read the workloads with missing sidecars
  meshops.istio.injection_info:
    namespaces: [shop]
  register: sidecars

- name: Assert that no sidecars are missing
  ansible.builtin.assert:
    that: sidecars.workloads | selectattr('missing') | length == 0
"""

RETURN = r"""
namespaces:
  description: Namespaces, sorted by name.
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
      outdated: 0
      other_revision: 0
  contains:
    name:
      description: Name of the namespace.
      returned: always
      type: str
      sample: shop
    injection:
      description: Injection mode of the namespace, one of V(enabled), V(disabled), V(revision), V(ambient), V(none).
      returned: always
      type: str
      sample: enabled
    revision:
      description: Revision or revision tag in the label of the namespace. Empty if there is none.
      returned: always
      type: str
      sample: ""
    injector:
      description: Revision that injects sidecars into the pods of the namespace. Empty if there is none.
      returned: always
      type: str
      sample: default
    pods:
      description: Number of running pods.
      returned: always
      type: int
      sample: 2
    with_sidecar:
      description: Number of running pods with a sidecar.
      returned: always
      type: int
      sample: 2
    without_sidecar:
      description: Number of running pods with a missing sidecar.
      returned: always
      type: int
      sample: 0
    outdated:
      description: Number of pods with a sidecar that new pods would not get.
      returned: always
      type: int
      sample: 0
    other_revision:
      description: Number of pods with the sidecar of another revision than the one that injects into the namespace.
      returned: always
      type: int
      sample: 0
workloads:
  description: Workloads with missing or outdated sidecars.
  returned: success
  type: list
  elements: dict
  sample:
    - kind: Deployment
      namespace: shop
      name: web
      missing: 1
      outdated: 0
      other_revision: 0
      restartable: true
      reason: ""
      rolling_out: false
      progress: ""
  contains:
    kind:
      description: Kind of the workload.
      returned: always
      type: str
      sample: Deployment
    namespace:
      description: Namespace of the workload.
      returned: always
      type: str
      sample: shop
    name:
      description: Name of the workload.
      returned: always
      type: str
      sample: web
    missing:
      description: Number of pods with a missing sidecar.
      returned: always
      type: int
      sample: 1
    outdated:
      description:
        - Number of pods with an outdated sidecar. New pods would get a sidecar of another revision or version, or none.
      returned: always
      type: int
      sample: 0
    other_revision:
      description:
        - Number of pods in C(outdated) with the sidecar of another revision than the one that injects into the namespace.
      returned: always
      type: int
      sample: 0
    restartable:
      description: V(true) if M(meshops.istio.restart) would restart the workload.
      returned: always
      type: bool
      sample: true
    reason:
      description: Why the workload would not be restarted. Empty if it would be.
      returned: always
      type: str
      sample: ""
    rolling_out:
      description:
        - V(true) if a rollout in progress already adds the sidecars, so that the workload would not be restarted again.
      returned: always
      type: bool
      sample: false
    progress:
      description: Progress of the rollout. Empty if there is none.
      returned: always
      type: str
      sample: ""
unlabelled:
  description:
    - Workloads in the mesh without one of the labels C(app) and C(version), which Kiali and Istio's metrics use to
      identify applications and their versions.
  returned: success
  type: list
  elements: dict
  sample: [{kind: Deployment, namespace: shop, name: web, labels: [version]}]
  contains:
    kind:
      description: Kind of the workload.
      returned: always
      type: str
      sample: Deployment
    namespace:
      description: Namespace of the workload.
      returned: always
      type: str
      sample: shop
    name:
      description: Name of the workload.
      returned: always
      type: str
      sample: web
    labels:
      description: Missing labels of the pods.
      returned: always
      type: list
      elements: str
      sample: [version]
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
from ansible_collections.meshops.istio.plugins.module_utils.tasks.injection_info import DEFINITION


def main() -> None:
    """Run the module."""
    MeshModule.main(DEFINITION)


if __name__ == "__main__":
    main()
