#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gateway_api
short_description: Install the Gateway API CRDs of Kubernetes (Gateway, HTTPRoute)
version_added: 0.1.0
description:
  - Installs the CustomResourceDefinitions (CRDs) of the Kubernetes Gateway API if the cluster does not have them.
  - CRDs that others installed, such as the cloud provider, are not changed, and no manifests are downloaded for them.
    CRDs that this module installed are upgraded, but never downgraded.
  - The module does not remove the CRDs, because this would delete all Gateways and HTTPRoutes in the cluster.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.download
  - meshops.istio.plan
  - meshops.istio.wait
  - meshops.istio.attributes
options:
  version:
    description:
      - The exact version of the Gateway API, for example V(v1.4.0). V(auto) is the version that O(istio_version) is
        built with.
    type: str
    default: auto
  istio_version:
    description:
      - The Istio version that uses the CRDs. A warning names kinds that its istiod ignores at the installed version of
        the Gateway API. By default V(auto) is for the newest Istio that this collection knows.
    type: str
  release_data:
    description:
      - Newer data about Istio releases, as in O(meshops.istio.control_plane#module:release_data).
    type: list
    elements: raw
    default: []
  channel:
    description:
      - Release channel of the Gateway API. V(experimental) contains TLSRoute and TCPRoute in addition to all of
        V(standard).
    type: str
    choices: [standard, experimental]
    default: standard
  src:
    description:
      - "Files, directories and URLs of the manifests. Default: the official manifests of O(version)."
      - A URL may end with C(#sha256=) and the checksum of its content. This is required for URLs that do not use
        C(https).
    type: list
    elements: raw
    default: []
seealso:
  - module: meshops.istio.gateway
  - module: meshops.istio.traffic_route
"""

EXAMPLES = r"""
- name: Install the Gateway API
  meshops.istio.gateway_api:

- name: Install the Gateway API from a mirror
  meshops.istio.gateway_api:
    src:
      - https://mirror.example.com/gateway-api/v1.4.0/standard-install.yaml
"""

RETURN = r"""
version:
  description: Version of the installed CRDs. Empty if the CRDs do not specify a version.
  returned: success
  type: str
  sample: v1.4.0
channel:
  description: Release channel of the installed CRDs. Empty if the CRDs do not specify a channel.
  returned: success
  type: str
  sample: standard
managed:
  description:
    - V(true) if this module installed the CRDs. V(false) if others installed them, so that they were not changed.
  returned: success
  type: bool
  sample: true
changes:
  description: Changes that were made, or would be made in check mode, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample:
    - action: create
      api_version: apiextensions.k8s.io/v1
      kind: CustomResourceDefinition
      namespace: ""
      name: gateways.gateway.networking.k8s.io
  contains:
    action:
      description: The action, one of V(create), V(update).
      returned: always
      type: str
      sample: create
    api_version:
      description: API version of the object.
      returned: always
      type: str
      sample: apiextensions.k8s.io/v1
    kind:
      description: Kind of the object.
      returned: always
      type: str
      sample: CustomResourceDefinition
    namespace:
      description: Namespace of the object. Empty for cluster-scoped objects.
      returned: always
      type: str
      sample: ""
    name:
      description: Name of the object.
      returned: always
      type: str
      sample: gateways.gateway.networking.k8s.io
plan_digest:
  description: Digest of the plan, for use as O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description: Stable error code, for example V(invalid_input), V(unreachable), V(checksum_mismatch).
  returned: failure
  type: str
  sample: unreachable
details:
  description: Details of the failure.
  returned: failure
  type: dict
  sample: {url: "https://mirror.example.com/gateway-api/v1.4.0/standard-install.yaml"}
"""

from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule
from ansible_collections.meshops.istio.plugins.module_utils.tasks.gateway_api import DEFINITION


def main() -> None:
    """Run the module."""
    MeshModule.main(DEFINITION)


if __name__ == "__main__":
    main()
