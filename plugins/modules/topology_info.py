#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: topology_info
short_description: Show the topology of a mesh (Gateway, VirtualService, HTTPRoute, Service)
version_added: 0.1.0
description:
  - Returns gateways, their routes, the Services of the routes, and the workloads of the Services, as data and as a
    Mermaid flowchart.
  - Reads the configuration only. Does not need Kiali or traffic.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.attributes.info
options:
  namespaces:
    description:
      - "Namespaces whose gateways, routes, Services and workloads to show, with all objects that they lead to. Default:
        all namespaces."
    type: list
    elements: str
    default: []
notes:
  - VirtualServices without gateways, which apply only to sidecars, have no incoming edge.
seealso:
  - module: meshops.istio.traffic_route
  - module: meshops.istio.proxy_info
"""

EXAMPLES = r"""
- name: Show the topology of a namespace
  meshops.istio.topology_info:
    namespaces: [shop]
  register: topology

- name: Save the flowchart, which Git hosts render in Markdown
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
    - Objects, with C(id), C(kind), C(namespace), C(name) and C(in_mesh). For a workload, C(in_mesh) is true if a proxy
      handles the traffic of all of its pods. For other kinds, it is null.
    - A destination that is not a Service of the cluster has the kind V(Host).
  returned: success
  type: list
  elements: dict
  sample:
    - {id: Deployment shop/web, kind: Deployment, namespace: shop, name: web, in_mesh: true}
edges:
  description:
    - Connections, with the C(id) of their C(source) and C(target), and a C(label) with the hosts of a route, or the
      subset and the weight of a destination.
  returned: success
  type: list
  elements: dict
  sample:
    - {source: VirtualService shop/web, target: Service shop/web, label: "v2 10 %"}
mermaid:
  description: The topology as a Mermaid flowchart.
  returned: success
  type: str
  sample: "flowchart LR\n  n0[\"Service<br/>shop/web\"]\n"
code:
  description: Stable error code, for example V(unreachable), V(forbidden).
  returned: failure
  type: str
  sample: unreachable
details:
  description: Details of the failure.
  returned: failure
  type: dict
  sample: {}
"""

from ansible_collections.meshops.istio.plugins.module_utils.istio.inspection.topology import read
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result


def draw(module: MeshModule) -> Result:
    """Return the topology as data and as a Mermaid flowchart."""
    topology = read(module.cluster, module.params["namespaces"])
    return {"changed": False, "nodes": topology.nodes, "edges": topology.edges, "mermaid": topology.mermaid}


def main() -> None:
    """Run the module."""
    MeshModule({"namespaces": {"type": "list", "elements": "str", "default": []}}).run(draw)


if __name__ == "__main__":
    main()
