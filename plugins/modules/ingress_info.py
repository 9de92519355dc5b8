#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ingress_info
short_description: Read where a gateway is reached from outside
version_added: 0.1.0
description:
  - Returns hosts, ports and URLs of a gateway whose Service is of any type, on any platform.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.attributes.info
options:
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
  wait:
    description:
      - Whether to wait until a load balancer has an address. Nothing is waited for in check mode.
    type: bool
    default: false
  wait_timeout:
    description:
      - How long to wait, in seconds. When the time is up the module fails.
    type: int
    default: 300
notes:
  - In check mode a gateway that does not exist is RV(pending), because a task before may have only planned it. Otherwise
    the module fails.
seealso:
  - module: meshops.istio.control_plane
"""

EXAMPLES = r"""
- name: Read where the ingress gateway is
  meshops.istio.ingress_info:
    wait: true
  register: ingress

- name: Ask the mesh
  ansible.builtin.uri:
    url: "{{ ingress.urls.http2 }}/hello"
"""

RETURN = r"""
name:
  description: The name of the Service.
  returned: success
  type: str
  sample: istio-ingressgateway
namespace:
  description: The namespace of the Service.
  returned: success
  type: str
  sample: istio-system
type:
  description: The type of the Service, empty where there is none.
  returned: success
  type: str
  sample: NodePort
hosts:
  description: The names or addresses that answer, the best first.
  returned: success
  type: list
  elements: str
  sample: [203.0.113.7]
addresses:
  description: Those of the hosts that are IP addresses.
  returned: success
  type: list
  elements: str
  sample: [203.0.113.7]
ports:
  description: The ports by name, each with its C(port) and its C(node_port), which is null where there is none.
  returned: success
  type: dict
  sample: {http2: {port: 80, node_port: 30080}, https: {port: 443, node_port: 30443}}
urls:
  description: The URLs by the names of the ports that speak HTTP or HTTPS.
  returned: success
  type: dict
  sample: {http2: "http://203.0.113.7:30080", https: "https://203.0.113.7:30443"}
readiness_url:
  description:
    - The URL at which the gateway answers 200 when it is ready. Empty where it is reached from inside the cluster only, or
      where its Service has no port named C(status-port).
  returned: success
  type: str
  sample: http://203.0.113.7:30021/healthz/ready
pending:
  description: Whether an address is still to come.
  returned: success
  type: bool
  sample: false
code:
  description: What went wrong, as one stable word, for example V(invalid_input), V(not_ready).
  returned: failure
  type: str
  sample: invalid_input
details:
  description: What is known about the failure.
  returned: failure
  type: dict
  sample: {name: istio-ingressgateway, namespace: istio-system}
"""

from functools import partial

from ansible_collections.meshops.istio.plugins.module_utils.istio.gateways.addresses import (
    describe,
    read_ingress,
    why_pending,
)
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput, NotReady
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.permissions import refuse_denied, watching
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.status import status
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.wait import wait_ready
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result


def read(module: MeshModule) -> Result:
    """How the gateway is reached."""
    name, namespace = module.params["name"], module.params["namespace"]
    try:
        found = read_ingress(module.cluster, name, namespace)
    except InvalidInput:
        if not module.check_mode:
            raise
        found = {**describe({"metadata": {"name": name, "namespace": namespace}}), **NOWHERE}
    if found["pending"] and found["type"]:
        service = Key("v1", "Service", namespace, name)
        waits = found["type"] == "LoadBalancer" and module.params["wait"]
        if waits:
            refuse_denied(module.cluster, watching(module.cluster, service.of, namespace))
        if waits and not module.check_mode:
            wait_for_address(module, service, found)
            found = read_ingress(module.cluster, name, namespace)
        else:
            module.warn(why_pending(module.cluster, found))
    return {"changed": False, **found}


NOWHERE: Result = {
    "type": "",
    "hosts": [],
    "addresses": [],
    "ports": {},
    "urls": {},
    "readiness_url": "",
    "pending": True,
}
"""What is known of a gateway that does not exist yet."""


def wait_for_address(module: MeshModule, service: Key, found: Result) -> None:
    """Wait until somebody gives the load balancer an address."""
    seconds = module.time_limit
    try:
        addressed = partial(status, load_balancer=True)
        wait_ready(module.cluster, [service], timeout=seconds, progress=module.progress, expect=addressed)
    except NotReady as error:
        raise NotReady(
            f"{why_pending(module.cluster, found)} That was waited for {seconds} s.", **error.details
        ) from error


def main() -> None:
    """Run the module."""
    module = MeshModule(
        {
            "name": {"type": "str", "default": "istio-ingressgateway"},
            "namespace": {"type": "str", "default": "istio-system"},
            "wait": {"type": "bool", "default": False},
            "wait_timeout": {"type": "int", "default": 300},
        }
    )
    module.run(read)


if __name__ == "__main__":
    main()
