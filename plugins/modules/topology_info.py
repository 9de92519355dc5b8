#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: topology_info
short_description: Draw the ways of requests through a mesh
version_added: 0.1.0
description:
  - Returns the gateways, the routes bound to them, the services that these go to, and the workloads behind, as data and
    as a picture.
  - It reads what is configured, not what flows, so that it needs neither Kiali nor requests.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.attributes.info
options:
  namespaces:
    description:
      - The namespaces whose gateways, routes, services and workloads are drawn, with all that these lead to. All if there are
        none.
    type: list
    elements: str
    default: []
notes:
  - What only sidecars route, a VirtualService without gateways, has no way to it in the picture.
seealso:
  - module: meshops.istio.traffic_route
  - module: meshops.istio.proxy_info
"""

EXAMPLES = r"""
- name: Draw the shop
  meshops.istio.topology_info:
    namespaces: [shop]
  register: topology

- name: Keep the picture, which Git hosts show in a page
  ansible.builtin.copy:
    content: |
      ```mermaid
      {{ topology.mermaid }}```
    dest: shop.md
    mode: "0644"
  delegate_to: localhost
"""

RETURN = r"""
nodes:
  description:
    - The parts, each with its C(id), C(kind), C(namespace), C(name), and C(in_mesh), which of a workload says whether a
      proxy carries the traffic of all of its pods, and is null of other kinds.
    - A destination that is no Service of the cluster is of the kind V(Host).
  returned: success
  type: list
  elements: dict
  sample:
    - {id: Deployment shop/web, kind: Deployment, namespace: shop, name: web, in_mesh: true}
edges:
  description:
    - The ways, each with the ids of its C(source) and its C(target), and a C(label), which is the hosts of a route, or
      the subset and the share of requests that a destination gets.
  returned: success
  type: list
  elements: dict
  sample:
    - {source: VirtualService shop/web, target: Service shop/web, label: "v2 10 %"}
mermaid:
  description: The same as a flowchart of Mermaid.
  returned: success
  type: str
  sample: "flowchart LR\n  n0[\"Service<br/>shop/web\"]\n"
code:
  description: What went wrong, as one stable word, for example V(unreachable), V(forbidden).
  returned: failure
  type: str
  sample: unreachable
details:
  description: What is known about the failure.
  returned: failure
  type: dict
  sample: {}
"""

from ansible_collections.meshops.istio.plugins.module_utils.istio.inspection.topology import read
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result


def draw(module: MeshModule) -> Result:
    """The graph, as data and as a picture."""
    topology = read(module.cluster, module.params["namespaces"])
    return {"changed": False, "nodes": topology.nodes, "edges": topology.edges, "mermaid": topology.mermaid}


def main() -> None:
    """Run the module."""
    MeshModule({"namespaces": {"type": "list", "elements": "str", "default": []}}).run(draw)


if __name__ == "__main__":
    main()
