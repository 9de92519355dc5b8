#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: precheck
short_description: Check if a cluster is compatible with an Istio release (istioctl precheck)
version_added: 0.1.0
description:
  - Runs C(istioctl experimental precheck) of the release and additional checks for Kubernetes versions that the release
    does not support, the release's end of life, Istio security bulletins, retired registries, webhooks of a removed
    installation that would block pods, and control planes that another tool manages.
  - Does not write to the cluster.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.download
  - meshops.istio.release
  - meshops.istio.support
  - meshops.istio.verdict
  - meshops.istio.attributes.info
options:
  version:
    description:
      - The exact Istio version, for example V(1.31.4).
    type: str
    required: true
  namespace:
    description:
      - Namespace of the control plane.
    type: str
    default: istio-system
  revision:
    description:
      - Revision to install or upgrade.
    type: str
  ignore_version_check:
    description:
      - Report a Kubernetes version that is older than the release supports, and a release that is older than this
        collection knows, as a warning.
    type: bool
    default: false
  hub:
    description:
      - "Registry that the installation will use, to check if it is retired. Default: the registry in the charts of the
        release."
    type: str
seealso:
  - module: meshops.istio.control_plane
"""

EXAMPLES = r"""
- name: Check if the cluster is compatible with Istio 1.31.4
  meshops.istio.precheck:
    version: 1.31.4

- name: Show the messages
  meshops.istio.precheck:
    version: 1.31.4
    fail_on: never
  register: precheck
"""

RETURN = r"""
ok:
  description:
    - V(true) if there are no messages of the level in O(fail_on) or above, except for ignored messages.
    - Always V(true) with O(fail_on=never).
  returned: success, or failure because of a message
  type: bool
  sample: true
messages:
  description: Messages, errors first.
  returned: success, or failure because of a message
  type: list
  elements: dict
  sample:
    - code: IST0136
      level: warning
      origin: EnvoyFilter shop/old
      message: Annotation uses Alpha features.
      tolerated: false
  contains:
    code:
      description: Code of the message, from istioctl or from this collection.
      returned: always
      type: str
      sample: IST0136
    level:
      description: Level of the message, one of V(error), V(warning), V(info).
      returned: always
      type: str
      sample: warning
    origin:
      description: Object that the message refers to.
      returned: always
      type: str
      sample: EnvoyFilter shop/old
    message:
      description: Text of the message.
      returned: always
      type: str
      sample: Annotation uses Alpha features.
    tolerated:
      description: V(true) if O(tolerate) matches the message.
      returned: always
      type: bool
      sample: false
    reference:
      description: URL of the documentation of the message, or of the security bulletin.
      returned: if the message has one
      type: str
      sample: https://istio.io/latest/docs/reference/config/analysis/ist0136/
code:
  description: Stable error code, for example V(precheck_failed), V(unreachable), V(invalid_input).
  returned: failure
  type: str
  sample: precheck_failed
details:
  description: Details of the failure.
  returned: failure
  type: dict
  sample: {messages: 1}
"""

from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule
from ansible_collections.meshops.istio.plugins.module_utils.tasks.precheck import DEFINITION


def main() -> None:
    """Run the module."""
    MeshModule.main(DEFINITION)


if __name__ == "__main__":
    main()
