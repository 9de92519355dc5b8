#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gateway_api
short_description: Have Kubernetes' Gateway API in a cluster
version_added: 0.1.0
description:
  - Installs the CRDs of Kubernetes' Gateway API where the cluster lacks them.
  - Those that somebody else has installed, as many providers of clusters do, stay as they are, and are not even looked
    for elsewhere. Those that this module has installed are brought to a newer version, and never to an older one.
  - Nothing removes them, because all of the cluster's Gateways and HTTPRoutes would go with them.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.download
  - meshops.istio.plan
  - meshops.istio.wait
  - meshops.istio.attributes
options:
  version:
    description:
      - The version of the Gateway API, exactly. The default is the one that Istio 1.29 is built with.
    type: str
    default: v1.4.0
  channel:
    description:
      - What of it is installed. V(experimental) has, beside all of V(standard), TLSRoute and TCPRoute.
    type: str
    choices: [standard, experimental]
    default: standard
  src:
    description:
      - Files, folders and URLs that its manifests are taken from, instead of where its authors publish O(version).
      - A URL may end in C(#sha256=) and the checksum of what it holds, which a URL that is not C(https) needs.
    type: list
    elements: raw
    default: []
seealso:
  - module: meshops.istio.gateway
  - module: meshops.istio.traffic_route
"""

EXAMPLES = r"""
- name: Have the Gateway API
  meshops.istio.gateway_api:

- name: Have it from a mirror
  meshops.istio.gateway_api:
    src:
      - https://mirror.example.com/gateway-api/v1.4.0/standard-install.yaml
"""

RETURN = r"""
version:
  description: The version that the cluster has now, empty where its CRDs do not say.
  returned: success
  type: str
  sample: v1.4.0
channel:
  description: What of it the cluster has now, empty where its CRDs do not say.
  returned: success
  type: str
  sample: standard
managed:
  description: Whether this module has installed it. Otherwise somebody else has, and it was left alone.
  returned: success
  type: bool
  sample: true
changes:
  description: What was changed, or in check mode would be, in the order of the plan.
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
      description: One of V(create), V(update).
      returned: always
      type: str
      sample: create
    api_version:
      description: The object's API version.
      returned: always
      type: str
      sample: apiextensions.k8s.io/v1
    kind:
      description: The object's kind.
      returned: always
      type: str
      sample: CustomResourceDefinition
    namespace:
      description: The object's namespace, empty where it has none.
      returned: always
      type: str
      sample: ""
    name:
      description: The object's name.
      returned: always
      type: str
      sample: gateways.gateway.networking.k8s.io
plan_digest:
  description: Names the plan, for O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description: What went wrong, as one stable word, for example V(invalid_input), V(unreachable), V(checksum_mismatch).
  returned: failure
  type: str
  sample: unreachable
details:
  description: What is known about the failure.
  returned: failure
  type: dict
  sample: {url: "https://mirror.example.com/gateway-api/v1.4.0/standard-install.yaml"}
"""

from ansible_collections.meshops.istio.plugins.module_utils.arguments import DOWNLOAD, PLAN, WAIT
from ansible_collections.meshops.istio.plugins.module_utils.istio.gateways import gateway_api_crds
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result


def present(module: MeshModule) -> Result:
    """Install it, or bring what was installed here to the version that is asked for."""
    there = gateway_api_crds.installed(module.cluster)
    if there is not None and not there.ours:
        return left(module, there)
    parameters = module.params
    sources = parameters["src"] or [gateway_api_crds.release_url(parameters["version"], parameters["channel"])]
    objects = module.read_sources(sources)
    wanted = gateway_api_crds.contained(objects)
    if there is not None and gateway_api_crds.is_older(wanted, there):
        return left(module, there)
    result = module.reconcile(gateway_api_crds.unit(objects), lock=gateway_api_crds.LOCK)
    return {**result, "version": wanted.version, "channel": wanted.channel, "managed": True}


def left(module: MeshModule, there: gateway_api_crds.Installed) -> Result:
    """The result where nothing is to be done."""
    nothing = module.reconcile(gateway_api_crds.unit([]), lock=gateway_api_crds.LOCK)
    return {**nothing, "version": there.version, "channel": there.channel, "managed": there.ours}


def main() -> None:
    """Run the module."""
    module = MeshModule(
        {
            "version": {"type": "str", "default": "v1.4.0"},
            "channel": {"type": "str", "choices": ["standard", "experimental"], "default": "standard"},
            "src": {"type": "list", "elements": "raw", "default": []},
            **DOWNLOAD,
            **PLAN,
            **WAIT,
        }
    )
    module.run(present)


if __name__ == "__main__":
    main()
