#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: openshift
short_description: Have what OpenShift needs beside a mesh
version_added: 0.1.0
description:
  - Makes a Route for each host of the Gateways that a gateway serves, lets the pods of namespaces run under an SCC, and
    asks for projects.
  - A Route of a host that is served by TLS leads the encrypted connection on to the gateway, which has the certificates.
    What no longer is a host loses its Route.
  - The mesh itself needs nothing of it; M(meshops.istio.control_plane) finds out that a cluster is OpenShift, and takes
    its profile.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.plan
  - meshops.istio.wait
  - meshops.istio.attributes
options:
  state:
    description:
      - V(absent) removes the Routes of the gateway and the grants. Projects stay.
    type: str
    choices: [present, absent]
    default: present
  routes:
    description:
      - Whether to make a Route for each host. Otherwise Routes stay as they are.
    type: bool
    default: true
  name:
    description:
      - The name of the gateway's Service.
    type: str
    default: istio-ingressgateway
  namespace:
    description:
      - The namespace of the gateway's Service.
    type: str
    default: istio-system
  scc:
    description:
      - The SCC, for example V(anyuid), that the pods of O(scc_namespaces), and no other, may run under. Sidecars
        need none. Blank leaves grants as they are.
    type: str
  scc_namespaces:
    description:
      - The namespaces whose pods may run under O(scc).
    type: list
    elements: str
    default: []
  projects:
    description:
      - Projects to ask for where they are not there, as users may who may not create namespaces. They are asked for
        before anything else.
    type: list
    elements: str
    default: []
seealso:
  - module: meshops.istio.control_plane
  - module: meshops.istio.gateway
"""

EXAMPLES = r"""
- name: Have a Route for each host
  meshops.istio.openshift:

- name: Ask for projects, and let what runs there run as the user that its image names
  meshops.istio.openshift:
    routes: false
    projects: [shop, billing]
    scc: anyuid
    scc_namespaces: [shop]
"""

RETURN = r"""
routes:
  description: The Routes that there are for hosts, empty without O(routes).
  returned: success
  type: list
  elements: dict
  sample: [{host: shop.example.com, tls: true, gateway: shop/shop}]
  contains:
    host:
      description: The host.
      returned: always
      type: str
      sample: shop.example.com
    tls:
      description: Whether it is reached by TLS.
      returned: always
      type: bool
      sample: true
    gateway:
      description: The Gateway that has the host.
      returned: always
      type: str
      sample: shop/shop
projects:
  description: The projects that were asked for, or in check mode would be.
  returned: success
  type: list
  elements: str
  sample: [shop]
changes:
  description: What was changed, or in check mode would be, in the order of the plan.
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
      description: One of V(create), V(update), V(delete).
      returned: always
      type: str
      sample: create
    api_version:
      description: The object's API version.
      returned: always
      type: str
      sample: route.openshift.io/v1
    kind:
      description: The object's kind.
      returned: always
      type: str
      sample: Route
    namespace:
      description: The object's namespace, empty where it has none.
      returned: always
      type: str
      sample: istio-system
    name:
      description: The object's name.
      returned: always
      type: str
      sample: shop-example-com-1b2c3d4e
plan_digest:
  description: Names the plan, for O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description: What went wrong, as one stable word, for example V(not_openshift), V(invalid_input).
  returned: failure
  type: str
  sample: not_openshift
details:
  description: What is known about the failure.
  returned: failure
  type: dict
  sample: {}
"""

from functools import partial

from ansible_collections.meshops.istio.plugins.module_utils.arguments import PLAN, WAIT
from ansible_collections.meshops.istio.plugins.module_utils.istio.platforms import openshift
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.lock import Lock
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result


def have(module: MeshModule) -> Result:
    """Have projects, grants and Routes as the options say."""
    parameters, cluster = module.params, module.cluster
    present = parameters["state"] == "present"
    asked = parameters["projects"] if present else []
    projects = openshift.request_projects(cluster, asked, check=module.check_mode, timeout=module.time_limit)
    routes: list[openshift.Object] = []
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
    result = module.reconcile(unit, lock=lock, checks=partial(openshift.refuse_hosts, cluster))
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
