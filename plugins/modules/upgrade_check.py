#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: upgrade_check
short_description: Check a mesh before an upgrade to another Istio version
version_added: 0.1.0
description:
  - Compares the installed and the wanted version, the support of both, the Kubernetes version and the Gateway API CRDs.
  - Lists workloads that an upgrade does not move, or that a restart interrupts, EnvoyFilters, and the changes in the
    release notes of 1.29 to 1.31 that concern this mesh. Nothing is written.
  - M(meshops.istio.upgrade) runs the same checks before its first write.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.attributes.info
options:
  control_plane:
    description:
      - Options of M(meshops.istio.control_plane) for the new version. C(version) is required; C(revision), C(namespace),
        C(security), C(end_of_life_days) and C(release_data) are considered as well.
    type: dict
    required: true
  in_place:
    description:
      - Check an upgrade of the installed revision in place, without a second control plane.
    type: bool
    default: false
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
      - Report workloads that a restart interrupts as warnings. By default they are errors.
    type: bool
    default: false
seealso:
  - module: meshops.istio.upgrade
  - module: meshops.istio.precheck
"""

EXAMPLES = r"""
- name: Check the upgrade
  meshops.istio.upgrade_check:
    control_plane:
      version: 1.31.4
  register: checked

- name: Show the findings
  ansible.builtin.debug:
    msg: "{{ checked.findings | map(attribute='message') }}"
"""

RETURN = r"""
upgrade:
  description: The upgrade that was checked, as control planes C(from) and C(to). Empty if there is nothing to upgrade.
  returned: success
  type: dict
  sample: {from: {revision: default, version: 1.30.8}, to: {revision: 1-31-4, version: 1.31.4}}
findings:
  description: What the checks before the upgrade found.
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
code:
  description: Stable error code, for example V(not_newer), V(unreachable), V(invalid_input).
  returned: failure
  type: str
  sample: not_newer
details:
  description: Details of the failure.
  returned: failure
  type: dict
  sample: {server: 'https://10.0.0.1:6443'}
"""

from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule
from ansible_collections.meshops.istio.plugins.module_utils.tasks.upgrade_check import DEFINITION


def main() -> None:
    """Run the module."""
    MeshModule.main(DEFINITION)


if __name__ == "__main__":
    main()
