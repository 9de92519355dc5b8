#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ingress_info
short_description: Read ingress gateway hosts, ports and URLs (Service)
version_added: 0.1.0
description:
  - Returns the hosts, ports and URLs at which a gateway can be reached from outside, for Services of all types on all
    platforms.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.attributes.info
options:
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
  wait:
    description:
      - Wait until the load balancer has an address. In check mode, the module does not wait.
    type: bool
    default: false
  wait_timeout:
    description:
      - How long to wait, in seconds. After this time, the module fails.
    type: int
    default: 300
notes:
  - In check mode, RV(pending) is V(true) if the gateway does not exist, because an earlier task may create it.
    Otherwise, the module fails.
seealso:
  - module: meshops.istio.control_plane
"""

EXAMPLES = r"""
- name: Read the address of the ingress gateway
  meshops.istio.ingress_info:
    wait: true
  register: ingress

- name: Send a request to the mesh
  ansible.builtin.uri:
    url: "{{ ingress.urls.http2 }}/hello"
"""

RETURN = r"""
name:
  description: Name of the Service.
  returned: success
  type: str
  sample: istio-ingressgateway
namespace:
  description: Namespace of the Service.
  returned: success
  type: str
  sample: istio-system
type:
  description: Type of the Service. Empty if it does not exist.
  returned: success
  type: str
  sample: NodePort
hosts:
  description: Host names and IP addresses of the gateway, in order of preference.
  returned: success
  type: list
  elements: str
  sample: [203.0.113.7]
addresses:
  description: IP addresses among RV(hosts).
  returned: success
  type: list
  elements: str
  sample: [203.0.113.7]
ports:
  description: Ports by name, with C(port) and C(node_port). C(node_port) is null if there is none.
  returned: success
  type: dict
  sample: {http2: {port: 80, node_port: 30080}, https: {port: 443, node_port: 30443}}
urls:
  description: URLs by the names of the ports, for HTTP and HTTPS.
  returned: success
  type: dict
  sample: {http2: "http://203.0.113.7:30080", https: "https://203.0.113.7:30443"}
readiness_url:
  description:
    - URL that returns status 200 if the gateway is ready. Empty if the gateway can be reached only from inside the
      cluster, or if its Service has no port named C(status-port).
  returned: success
  type: str
  sample: http://203.0.113.7:30021/healthz/ready
pending:
  description: V(true) if the gateway does not have an address yet.
  returned: success
  type: bool
  sample: false
code:
  description: Stable error code, for example V(invalid_input), V(not_ready).
  returned: failure
  type: str
  sample: invalid_input
details:
  description: Details of the failure.
  returned: failure
  type: dict
  sample: {name: istio-ingressgateway, namespace: istio-system}
"""

from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule
from ansible_collections.meshops.istio.plugins.module_utils.tasks.ingress_info import DEFINITION


def main() -> None:
    """Run the module."""
    MeshModule.main(DEFINITION)


if __name__ == "__main__":
    main()
