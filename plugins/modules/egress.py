#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: egress
short_description: Manage ServiceEntry and Sidecar (access to external hosts)
version_added: 0.1.0
description:
  - Manages a ServiceEntry for hosts outside of the mesh, which is visible only in its namespace unless O(export_to) is
    set. With O(outbound), also manages the Sidecar that sets the outbound traffic policy for all other hosts.
  - Fails before the first write if another ServiceEntry has one of the hosts, or if the namespace has another Sidecar.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.traffic
  - meshops.istio.plan
  - meshops.istio.wait.proxies
  - meshops.istio.attributes
options:
  hosts:
    description:
      - Hosts, for example V(api.example.com). Wildcards such as V(*.example.com) require O(resolution=none).
    type: list
    elements: str
  ports:
    description:
      - Ports of the hosts.
    type: list
    elements: dict
    default: [{number: 443, protocol: https}]
    suboptions:
      number:
        description:
          - Number of the port.
        type: int
        required: true
      protocol:
        description:
          - Protocol of the port. With V(https) and V(tls), connections are passed through and routed by server name
            (SNI).
        type: str
        choices: [http, http2, grpc, https, tls, tcp]
        default: https
      name:
        description:
          - "Name of the port. Default: the protocol and the number, for example V(https-443)."
        type: str
      target_port:
        description:
          - "Port of the endpoints. Default: O(ports[].number)."
        type: int
  resolution:
    description:
      - How the addresses of the hosts are resolved. V(none) uses the address that the client requested, and V(static)
        uses O(endpoints).
    type: str
    choices: [dns, dns_round_robin, none, static]
    default: dns
  location:
    description:
      - Location of the hosts. V(external) hosts are outside of the mesh. V(internal) hosts are part of the mesh and use
        mutual TLS.
    type: str
    choices: [external, internal]
    default: external
  addresses:
    description:
      - Virtual IP addresses or networks (CIDR) of the hosts. Required to distinguish several hosts with the protocol
        V(tcp) and the same port.
    type: list
    elements: str
  endpoints:
    description:
      - Endpoints that receive the requests instead of the hosts.
    type: list
    elements: dict
    suboptions:
      address:
        description:
          - IP address of the endpoint, or a host name with O(resolution=dns).
        type: str
        required: true
      ports:
        description:
          - "Ports of the endpoint, by the names of O(ports), for example V({tcp-5432: 15432})."
        type: dict
      labels:
        description:
          - Labels of the endpoint, for subsets.
        type: dict
      locality:
        description:
          - Region, zone and subzone of the endpoint, for example V(westeurope/1).
        type: str
      weight:
        description:
          - Load balancing weight of the endpoint.
        type: int
  export_to:
    description:
      - Namespaces in which the hosts are visible. V(.) is the namespace of the ServiceEntry, and V(*) is all
        namespaces.
    type: list
    elements: str
    default: ["."]
  outbound:
    description:
      - "Outbound traffic policy for hosts that the mesh does not know, for the pods of the namespace. V(registry_only)
        blocks requests to them, and V(allow_any) allows them. Default: the policy of the mesh."
    type: str
    choices: [registry_only, allow_any]
seealso:
  - module: meshops.istio.traffic_policy
"""

EXAMPLES = r"""
- name: Allow a namespace to access two external hosts over HTTPS, and no others
  meshops.istio.egress:
    name: insights
    namespace: shop
    hosts: [dc.services.example.com, rt.services.example.com]
    outbound: registry_only

- name: Add a system at a static IP address
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
  description: Changes that were made, or would be made in check mode, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample:
    - {action: create, api_version: networking.istio.io/v1, kind: ServiceEntry, namespace: shop, name: insights}
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
      sample: networking.istio.io/v1
    kind:
      description: Kind of the object.
      returned: always
      type: str
      sample: ServiceEntry
    namespace:
      description: Namespace of the object.
      returned: always
      type: str
      sample: shop
    name:
      description: Name of the object.
      returned: always
      type: str
      sample: insights
resources:
  description:
    - The objects that the module manages, as the API server returned them, or in check mode as they would be. Values of
      secrets are hidden, and C(managedFields) left out.
    - C(status) is that of the last read or write, before the module waited.
  returned: success
  type: list
  elements: dict
  sample: [{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: shop, namespace: shop}}]
plan_digest:
  description: Digest of the plan, for use as O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description: Stable error code, for example V(host_taken), V(sidecar_taken).
  returned: failure
  type: str
  sample: host_taken
details:
  description: Details of the failure. C(problems) lists all failed checks.
  returned: failure
  type: dict
  sample:
    problems:
      - Host 'dc.services.example.com' already exists in ServiceEntry shop/other. Change or delete that ServiceEntry.
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
