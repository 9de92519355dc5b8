#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: upgrade
short_description: Upgrade the control plane, sidecars and gateways of a mesh in steps, with rollback (canary upgrade)
version_added: 0.1.0
description:
  - Installs a second control plane of the new version, moves the namespaces to it in waves, then the gateways and the
    revision tags, and removes the old control plane.
  - A namespace is moved by the label C(istio.io/rev) of the new revision, and its workloads are restarted a few at a
    time. After each wave a gate decides whether to continue. All proxies of the wave must have the new version, be
    connected to the new control plane and in sync; in addition, O(prometheus) and O(answers) are checked.
  - If the gate fails or has no data, the wave is rolled back, and the module fails with the cause. Namespaces that were
    moved before stay.
  - When all namespaces are moved, the revision tags point to the new revision, and the namespaces get their previous
    labels again. A label with the name of the old revision becomes that of the new one.
  - Gateways are replaced in place. Their Services, addresses and node ports do not change.
  - What is done is read from the cluster, so that an interrupted upgrade continues with the next run, and a run after
    the upgrade does not write. The ConfigMap C(meshops-istio-upgrade) in the namespace of the control plane has the
    previous labels and tags.
  - A mesh in ambient mode is refused, because its node agents serve all revisions. Upgrade it in place by
    M(meshops.istio.control_plane).
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.gate
  - meshops.istio.attributes
attributes:
  diff_mode:
    description: Returns no diff.
    support: none
    details: ""
options:
  control_plane:
    description:
      - Options of M(meshops.istio.control_plane) for the new version, as in the installation. C(version) is required.
        The default of C(revision) is the version with dashes, for example V(1-31-4).
    type: dict
    required: true
  state:
    description:
      - V(upgraded) carries out the steps that are not complete.
      - V(rolled_back) brings everything back to the old control plane, at any point of an upgrade. It is installed again
        if it was removed.
    type: str
    choices: [upgraded, rolled_back]
    default: upgraded
  steps:
    description:
      - Steps to carry out in this run. A step begins only after the previous ones are complete.
      - In the step V(tags), revision tags and labels of namespaces change. In the step V(cleanup), the old control plane
        is removed.
    type: list
    elements: str
    choices: [control_plane, namespaces, gateways, tags, cleanup]
    default: [control_plane, namespaces, gateways, tags, cleanup]
  from_revision:
    description:
      - "Revision to upgrade from. Default: the only other revision in the cluster."
    type: str
  allow_downgrade:
    description:
      - Accept a version that is not newer than the installed one.
    type: bool
    default: false
  interrupt:
    description:
      - Also restart workloads that a restart leaves without a ready pod, such as a Deployment with the strategy
        C(Recreate) and a StatefulSet with one replica. By default, an upgrade with such workloads fails before the first
        write.
    type: bool
    default: false
  namespaces:
    description:
      - "Namespaces to move in this run. Default: all that the old control plane injects."
    type: list
    elements: str
  waves:
    description:
      - The first waves, in this order. Each is the name of a namespace, or a list of names. The other namespaces follow.
    type: list
    elements: raw
    default: []
  wave_size:
    description:
      - Number of namespaces in each of the other waves, or a percentage of them, for example V(25%).
    type: str
    default: "1"
  wave_label:
    description:
      - Label of namespaces whose values are the other waves, in the order of the values, in place of O(wave_size).
    type: str
  max_unavailable:
    description:
      - Maximum number of workloads that are restarted at the same time.
    type: int
    default: 2
  interval:
    description:
      - How long to wait after each wave before O(prometheus) and O(answers) are checked, in seconds.
    type: float
    default: 30
  grace_period:
    description:
      - How long to keep the old control plane after the last proxy has left it, in seconds.
    type: float
    default: 60
  wait_timeout:
    description:
      - How long to wait in each step of a wave, in seconds. After this time, the wave is rolled back.
    type: int
    default: 300
seealso:
  - module: meshops.istio.upgrade_check
  - module: meshops.istio.upgrade_info
  - module: meshops.istio.control_plane
"""

EXAMPLES = r"""
- name: Upgrade the mesh, the namespace test first
  meshops.istio.upgrade:
    control_plane:
      version: 1.31.4
      profile: default
    waves: [test]
    wave_size: 25%

- name: Install the second control plane only
  meshops.istio.upgrade:
    control_plane:
      version: 1.31.4
    steps: [control_plane]

- name: Return to the old control plane
  meshops.istio.upgrade:
    control_plane:
      version: 1.31.4
    state: rolled_back
"""

RETURN = r"""
changes:
  description: Changes that were made, in their order. In check mode, those of the next step.
  returned: success
  type: list
  elements: dict
  sample: [{action: update, api_version: v1, kind: Namespace, namespace: "", name: shop}]
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
findings:
  description: What the checks before the upgrade found. Empty once the upgrade was begun.
  returned: success
  type: list
  elements: dict
  sample:
    - code: unhealthy_endpoints
      level: warning
      release: "1.31"
      origin: DestinationRule shop/web
      message: istiod also sends unhealthy endpoints to proxies. It concerns DestinationRule shop/web.
      fix: Set PILOT_AUTO_SEND_UNHEALTHY_ENDPOINTS=false in istiod to keep them out.
  contains:
    code:
      description: Stable code of the finding.
      returned: always
      type: str
      sample: unhealthy_endpoints
    level:
      description: V(error), V(warning) or V(info). An error refuses the upgrade.
      returned: always
      type: str
      sample: warning
    release:
      description: Istio version that the finding is about. Empty if it is about an object.
      returned: always
      type: str
      sample: "1.31"
    origin:
      description: Object or release that the finding is about.
      returned: always
      type: str
      sample: DestinationRule shop/web
    message:
      description: What was found, and why it matters.
      returned: always
      type: str
      sample: istiod also sends unhealthy endpoints to proxies. It concerns DestinationRule shop/web.
    fix:
      description: What to do. Empty if there is nothing to do.
      returned: always
      type: str
      sample: Set PILOT_AUTO_SEND_UNHEALTHY_ENDPOINTS=false in istiod to keep them out.
waves:
  description: Waves of this run.
  returned: success
  type: list
  elements: dict
  sample: [{namespaces: [shop], state: moved, finding: ""}]
  contains:
    namespaces:
      description: Namespaces of the wave.
      returned: always
      type: list
      elements: str
      sample: [shop]
    state:
      description: V(moved) or V(rolled_back).
      returned: always
      type: str
      sample: moved
    finding:
      description: What O(prometheus) or O(answers) measured. Empty without them.
      returned: always
      type: str
      sample: 50 of 50 requests succeeded, and 99 % of them must succeed
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
from ansible_collections.meshops.istio.plugins.module_utils.tasks.upgrade import DEFINITION


def main() -> None:
    """Run the module."""
    MeshModule.main(DEFINITION)


if __name__ == "__main__":
    main()
