#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: egress
short_description: Let a namespace reach hosts outside of the mesh, and no others
version_added: 0.1.0
description:
  - Builds a ServiceEntry of Istio for hosts outside of the mesh, bound to its namespace unless O(export_to) says
    otherwise. With O(outbound) also the Sidecar that decides what becomes of requests to all other hosts.
  - Refuses, before the first write, a host that has a ServiceEntry already, and a second Sidecar for a namespace.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.traffic
  - meshops.istio.plan
  - meshops.istio.wait
  - meshops.istio.attributes
options:
  hosts:
    description:
      - The hosts, as V(api.example.com). A wildcard, as V(*.example.com), needs O(resolution=none).
    type: list
    elements: str
  ports:
    description:
      - The ports of the hosts.
    type: list
    elements: dict
    default: [{number: 443, protocol: https}]
    suboptions:
      number:
        description:
          - The port.
        type: int
        required: true
      protocol:
        description:
          - What is spoken there. With V(https) and V(tls) the name that clients ask for is looked at and nothing else.
        type: str
        choices: [http, http2, grpc, https, tls, tcp]
        default: https
      name:
        description:
          - The port's name. By default its protocol and number, as V(https-443).
        type: str
      target_port:
        description:
          - The port of the endpoints, where it is another one.
        type: int
  resolution:
    description:
      - How the hosts' addresses are found. V(none) goes to the address that the client asked for, V(static) to
        O(endpoints).
    type: str
    choices: [dns, dns_round_robin, none, static]
    default: dns
  location:
    description:
      - Whether the hosts are outside of the mesh, or part of it (with mutual TLS).
    type: str
    choices: [external, internal]
    default: external
  addresses:
    description:
      - Addresses or networks that stand for the hosts. Needed to tell several apart that speak V(tcp) at one port.
    type: list
    elements: str
  endpoints:
    description:
      - Where requests go instead of the hosts themselves.
    type: list
    elements: dict
    suboptions:
      address:
        description:
          - An address, or with O(resolution=dns) a name.
        type: str
        required: true
      ports:
        description:
          - Ports by the names of O(ports).
        type: dict
      labels:
        description:
          - Labels, for subsets.
        type: dict
      locality:
        description:
          - Region, zone and subzone, as V(westeurope/1).
        type: str
      weight:
        description:
          - Its share of the requests.
        type: int
  export_to:
    description:
      - The namespaces that know the hosts, V(.) for its own, V(*) for all.
    type: list
    elements: str
    default: ["."]
  outbound:
    description:
      - What becomes of requests from the namespace's pods to hosts that the mesh does not know. V(registry_only) makes
        them fail, V(allow_any) lets them out. Without it what the mesh's configuration says.
    type: str
    choices: [registry_only, allow_any]
seealso:
  - module: meshops.istio.traffic_policy
"""

EXAMPLES = r"""
- name: Let a namespace reach two hosts over HTTPS, and nothing else outside
  meshops.istio.egress:
    name: insights
    namespace: shop
    hosts: [dc.services.example.com, rt.services.example.com]
    outbound: registry_only

- name: An old system at a fixed address
  meshops.istio.egress:
    name: ledger
    namespace: shop
    hosts: [ledger.internal]
    ports:
      - {number: 5432, protocol: tcp}
    resolution: static
    addresses: [10.1.2.3]
    endpoints:
      - address: 10.1.2.3
"""

RETURN = r"""
changes:
  description: What was changed, or in check mode would be, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample:
    - {action: create, api_version: networking.istio.io/v1, kind: ServiceEntry, namespace: shop, name: insights}
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
      sample: networking.istio.io/v1
    kind:
      description: The object's kind.
      returned: always
      type: str
      sample: ServiceEntry
    namespace:
      description: The object's namespace.
      returned: always
      type: str
      sample: shop
    name:
      description: The object's name.
      returned: always
      type: str
      sample: insights
plan_digest:
  description: Names the plan, for O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description: What went wrong, as one stable word, for example V(host_taken), V(sidecar_taken).
  returned: failure
  type: str
  sample: host_taken
details:
  description: What is known about the failure; C(problems) is all that spoke against the plan.
  returned: failure
  type: dict
  sample: {problems: ["ServiceEntry shop/other has the host 'dc.services.example.com' already: change that one, or remove it."]}
"""

from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.egress import build, checks
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.registry import SERVICE_ENTRY, SIDECAR
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.unit import Builder
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule
from ansible_collections.meshops.istio.plugins.module_utils.traffic_module import COMMON, manage

TEXTS = {"type": "list", "elements": "str"}

PORT = {
    "number": {"type": "int", "required": True},
    "protocol": {"type": "str", "choices": ["http", "http2", "grpc", "https", "tls", "tcp"], "default": "https"},
    "name": {"type": "str"},
    "target_port": {"type": "int"},
}

ENDPOINT = {
    "address": {"type": "str", "required": True},
    "ports": {"type": "dict"},
    "labels": {"type": "dict"},
    "locality": {"type": "str"},
    "weight": {"type": "int"},
}

BUILDER = Builder(
    module="egress",
    kinds=(SERVICE_ENTRY, SIDECAR),
    build=lambda options, _cluster: build.build(options),
    problems=checks.problems,
)


def main() -> None:
    """Run the module."""
    module = MeshModule(
        {
            **COMMON,
            "hosts": TEXTS,
            "ports": {
                "type": "list",
                "elements": "dict",
                "options": PORT,
                "default": [{"number": 443, "protocol": "https"}],
            },
            "resolution": {"type": "str", "choices": ["dns", "dns_round_robin", "none", "static"], "default": "dns"},
            "location": {"type": "str", "choices": ["external", "internal"], "default": "external"},
            "addresses": TEXTS,
            "endpoints": {"type": "list", "elements": "dict", "options": ENDPOINT},
            "export_to": {**TEXTS, "default": ["."]},
            "outbound": {"type": "str", "choices": ["registry_only", "allow_any"]},
        },
    )
    module.run(lambda module: manage(module, BUILDER))


if __name__ == "__main__":
    main()
