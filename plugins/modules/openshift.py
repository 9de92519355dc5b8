#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: openshift
short_description: Manage OpenShift Routes, SCC grants and projects of a mesh
version_added: 0.1.0
description:
  - Creates a Route for each host of the Gateways of a gateway workload, allows pods to use a SecurityContextConstraints
    (SCC), and requests projects.
  - Routes of hosts with TLS pass the encrypted connection through to the gateway, which has the certificates. Routes of
    removed hosts are deleted.
  - Istio does not require this module. M(meshops.istio.control_plane) detects OpenShift and uses its profile.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.plan
  - meshops.istio.wait
  - meshops.istio.attributes
options:
  state:
    description:
      - V(absent) removes the Routes of the gateway and the SCC grants. Projects are not deleted.
    type: str
    choices: [present, absent]
    default: present
  routes:
    description:
      - Manage a Route for each host. If V(false), Routes are not changed.
    type: bool
    default: true
  name:
    description:
      - Name of the gateway's Service.
    type: str
    default: istio-ingressgateway
  namespace:
    description:
      - Namespace of the gateway's Service.
    type: str
    default: istio-system
  scc:
    description:
      - Name of the SCC that the pods in O(scc_namespaces) may use, for example V(anyuid). Grants of this module in
        other namespaces are removed. Sidecars do not need an SCC. If blank, grants are not changed.
    type: str
  scc_namespaces:
    description:
      - Namespaces whose pods may use O(scc).
    type: list
    elements: str
    default: []
  projects:
    description:
      - Projects to request if they do not exist, for users without permission to create namespaces. They are requested
        before any other change.
    type: list
    elements: str
    default: []
seealso:
  - module: meshops.istio.control_plane
  - module: meshops.istio.gateway
"""

EXAMPLES = r"""
- name: Create a Route for each host
  meshops.istio.openshift:

- name: Request projects, and allow pods to run as the user of their image
  meshops.istio.openshift:
    routes: false
    projects: [shop, billing]
    scc: anyuid
    scc_namespaces: [shop]
"""

RETURN = r"""
routes:
  description: Routes of the hosts. Empty with O(routes=false).
  returned: success
  type: list
  elements: dict
  sample: [{host: shop.example.com, tls: true, gateway: shop/shop}]
  contains:
    host:
      description: Host of the Route.
      returned: always
      type: str
      sample: shop.example.com
    tls:
      description: V(true) if the Route uses TLS.
      returned: always
      type: bool
      sample: true
    gateway:
      description: Gateway with the host.
      returned: always
      type: str
      sample: shop/shop
projects:
  description: Projects that were requested, or would be requested in check mode.
  returned: success
  type: list
  elements: str
  sample: [shop]
changes:
  description: Changes that were made, or would be made in check mode, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample:
    - action: create
      api_version: route.openshift.io/v1
      kind: Route
      namespace: istio-system
      name: shop-example-com-1b2c3d4e
  contains:
    action:
      description: The action, one of V(create), V(update), V(delete).
      returned: always
      type: str
      sample: create
    api_version:
      description: API version of the object.
      returned: always
      type: str
      sample: route.openshift.io/v1
    kind:
      description: Kind of the object.
      returned: always
      type: str
      sample: Route
    namespace:
      description: Namespace of the object. Empty for cluster-scoped objects.
      returned: always
      type: str
      sample: istio-system
    name:
      description: Name of the object.
      returned: always
      type: str
      sample: shop-example-com-1b2c3d4e
plan_digest:
  description: Digest of the plan, for use as O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description: Stable error code, for example V(not_openshift), V(invalid_input).
  returned: failure
  type: str
  sample: not_openshift
details:
  description: Details of the failure.
  returned: failure
  type: dict
  sample: {}
"""

from functools import partial

from ansible_collections.meshops.istio.plugins.module_utils.arguments import PLAN, WAIT
from ansible_collections.meshops.istio.plugins.module_utils.istio.platforms import openshift
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.lock import Lock
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Object
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result
from ansible_collections.meshops.istio.plugins.module_utils.reconciliation import Reconciliation


def have(module: MeshModule) -> Result:
    """Manage projects, SCC grants and Routes."""
    parameters, cluster = module.params, module.cluster
    present = parameters["state"] == "present"
    asked = parameters["projects"] if present else []
    projects = openshift.request_projects(cluster, asked, check=module.check_mode, timeout=module.time_limit)
    routes: list[Object] = []
    if present and parameters["routes"]:
        routes, warnings = openshift.routes(cluster, parameters["name"], parameters["namespace"])
        for warning in warnings:
            module.warn(warning)
    granted = parameters["scc_namespaces"] if present and parameters["scc"] else []
    unit = openshift.unit(
        [*openshift.grants(parameters["scc"], granted), *routes],
        parameters["name"],
        parameters["namespace"],
        scc=bool(parameters["scc"]) or not present,
        routes=parameters["routes"],
    )
    lock = Lock.of("openshift", parameters["name"], namespace=parameters["namespace"])
    result = module.reconcile(Reconciliation(unit, lock, checks=partial(openshift.refuse_hosts, cluster)))
    return {
        **result,
        "changed": result["changed"] or bool(projects),
        "projects": projects,
        "routes": [openshift.route_result(route) for route in routes],
    }


def main() -> None:
    """Run the module."""
    module = MeshModule(
        {
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "routes": {"type": "bool", "default": True},
            "name": {"type": "str", "default": "istio-ingressgateway"},
            "namespace": {"type": "str", "default": "istio-system"},
            "scc": {"type": "str"},
            "scc_namespaces": {"type": "list", "elements": "str", "default": []},
            "projects": {"type": "list", "elements": "str", "default": []},
            **PLAN,
            **WAIT,
        }
    )
    module.run(have)


if __name__ == "__main__":
    main()
