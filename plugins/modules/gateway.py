#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gateway
short_description: Manage Gateway ports, hosts and TLS certificates (Istio and Kubernetes Gateway API)
version_added: 0.1.0
description:
  - Manages an Istio Gateway, which configures the ports, hosts and certificates of a gateway workload.
    M(meshops.istio.traffic_route) manages its routes.
  - With O(api=kubernetes), manages a Gateway of the Kubernetes Gateway API. Istio creates a Deployment and a Service
    for it, which are named after the gateway and its class, for example C(shop-istio).
  - Fails before the first write if the workload's Service does not have a port, a Secret does not exist in the
    workload's namespace or does not contain a certificate, no workload has the labels of O(selector), or the
    GatewayClass does not exist.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.traffic
  - meshops.istio.plan
  - meshops.istio.wait.proxies
  - meshops.istio.attributes
options:
  api:
    description:
      - API of the Gateway. V(kubernetes) requires the Gateway API in the cluster, see M(meshops.istio.gateway_api).
    type: str
    choices: [istio, kubernetes]
    default: istio
  gateway_class:
    description:
      - Name of the GatewayClass, with O(api=kubernetes).
    type: str
    default: istio
  service_type:
    description:
      - "Type of the Service that Istio creates, with O(api=kubernetes). Default: V(LoadBalancer)."
    type: str
    choices: [LoadBalancer, NodePort, ClusterIP]
  selector:
    description:
      - Labels of the gateway's pods, with O(api=istio).
    type: dict
    default: {istio: ingressgateway}
  servers:
    description:
      - Servers of the gateway. Required with O(state=present).
    type: list
    elements: dict
    suboptions:
      port:
        description:
          - Port of the gateway's Service.
        type: int
        required: true
      protocol:
        description:
          - Protocol of the port. V(https) terminates TLS for HTTP, and V(tls) is for other protocols over TLS.
        type: str
        choices: [http, http2, grpc, https, tls, tcp]
        default: http
      name:
        description:
          - "Name of the server, unique in the gateway. Default: the protocol and the port, for example V(http-80)."
        type: str
      hosts:
        description:
          - Hosts of the server, for example V(shop.example.com) or V(*.example.com). V(shop/shop.example.com) allows
            only routes in the namespace C(shop).
        type: list
        elements: str
        default: ["*"]
      https_redirect:
        description:
          - Redirect requests of protocol V(http) to HTTPS.
        type: bool
        default: false
      tls:
        description:
          - TLS settings. Required for V(https) and V(tls).
        type: dict
        suboptions:
          mode:
            description:
              - TLS mode. V(simple) presents a server certificate, V(mutual) also requires a client certificate, and
                V(optional_mutual) accepts one. V(passthrough) passes the connection through to the service by server
                name (SNI).
            type: str
            choices: [simple, mutual, optional_mutual, passthrough]
            default: simple
          secret:
            description:
              - Name of the Secret with the certificate (C(tls.crt)) and its private key (C(tls.key)) in the namespace
                of the gateway's pods. With O(api=kubernetes), this is O(namespace).
              - V(mutual) and V(optional_mutual) also require C(ca.crt) in this Secret, or in a Secret of the same name
                with the suffix C(-cacert).
            type: str
          min_version:
            description:
              - Minimum TLS version. O(api=kubernetes) does not support this option, O(servers[].tls.max_version) and
                O(servers[].tls.subject_alt_names).
            type: str
            choices: ["1.2", "1.3"]
          max_version:
            description:
              - Maximum TLS version.
            type: str
            choices: ["1.2", "1.3"]
          cipher_suites:
            description:
              - Cipher suites, by the names of OpenSSL, for example V(ECDHE-RSA-AES256-GCM-SHA384).
            type: list
            elements: str
          subject_alt_names:
            description:
              - Accepted subject alternative names of client certificates. A certificate must have at least one of them.
            type: list
            elements: str
seealso:
  - module: meshops.istio.gateway_api
  - module: meshops.istio.traffic_route
  - module: meshops.istio.ingress_info
"""

EXAMPLES = r"""
- name: Accept requests for all hosts at port 80
  meshops.istio.gateway:
    name: shop
    namespace: shop
    servers:
      - port: 80

- name: Serve HTTPS, and redirect HTTP to HTTPS
  meshops.istio.gateway:
    name: shop
    namespace: shop
    servers:
      - port: 80
        hosts: [shop.example.com]
        https_redirect: true
      - port: 443
        protocol: https
        hosts: [shop.example.com]
        tls: {secret: shop-certificate, min_version: "1.2"}

- name: Pass TLS through to a service
  meshops.istio.gateway:
    name: vault
    namespace: vault
    servers:
      - port: 443
        protocol: tls
        hosts: [vault.example.com]
        tls: {mode: passthrough}

- name: Install the Gateway API if the cluster does not have it
  meshops.istio.gateway_api:

- name: Create a gateway with the Kubernetes Gateway API
  meshops.istio.gateway:
    api: kubernetes
    name: shop
    namespace: shop
    servers:
      - port: 80
        hosts: [shop.example.com]
"""

RETURN = r"""
changes:
  description: Changes that were made, or would be made in check mode, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample:
    - {action: create, api_version: networking.istio.io/v1, kind: Gateway, namespace: shop, name: shop}
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
      sample: Gateway
    namespace:
      description: Namespace of the object.
      returned: always
      type: str
      sample: shop
    name:
      description: Name of the object.
      returned: always
      type: str
      sample: shop
resources:
  description:
    - The objects that the module manages, as the API server returned them, or in check mode as they would be. Values of
      secrets are hidden, and C(managedFields) left out.
    - C(status) is that of the last read or write, before the module waited.
  returned: success
  type: list
  elements: dict
  sample: [{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: shop, namespace: shop}}]
plan_digest:
  description: Digest of the plan, for use as O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description: Stable error code, for example V(port_missing), V(secret_missing), V(workload_missing).
  returned: failure
  type: str
  sample: port_missing
details:
  description: Details of the failure. C(problems) lists all failed checks.
  returned: failure
  type: dict
  sample:
    problems:
      - Port 9999 not found in the gateway's Service istio-system/istio-ingressgateway, which has 80, 443. Use one of these.
"""

from collections.abc import Iterator

from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.gateways import build as gateway
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.gateways import checks, gateway_api
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared import gateway_api_checks
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.fields import Options
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.problems import Problem
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.registry import (
    GATEWAY,
    HTTP_ROUTE,
    KUBERNETES_GATEWAY,
)
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.unit import Builder
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Object
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.plan import Plan
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule
from ansible_collections.meshops.istio.plugins.module_utils.traffic_module import COMMON, manage

TLS = {
    "mode": {
        "type": "str",
        "choices": ["simple", "mutual", "optional_mutual", "passthrough"],
        "default": "simple",
    },
    "secret": {"type": "str", "no_log": False},
    "min_version": {"type": "str", "choices": ["1.2", "1.3"]},
    "max_version": {"type": "str", "choices": ["1.2", "1.3"]},
    "cipher_suites": {"type": "list", "elements": "str"},
    "subject_alt_names": {"type": "list", "elements": "str"},
}

SERVER = {
    "port": {"type": "int", "required": True},
    "protocol": {"type": "str", "choices": ["http", "http2", "grpc", "https", "tls", "tcp"], "default": "http"},
    "name": {"type": "str"},
    "hosts": {"type": "list", "elements": "str", "default": ["*"]},
    "https_redirect": {"type": "bool", "default": False},
    "tls": {"type": "dict", "options": TLS},
}


def build(options: Options, _cluster: Cluster) -> list[Object]:
    """Build the Gateway of the selected API."""
    return gateway_api.build(options) if options["api"] == "kubernetes" else gateway.build(options)


def problems(options: Options, cluster: Cluster, plan: Plan) -> Iterator[Problem]:
    """Return the failed checks for the selected API."""
    if options["state"] == "present":
        look = gateway_api_checks.gateway_problems if options["api"] == "kubernetes" else checks.problems
        yield from look(options, cluster, plan)


BUILDER = Builder(module="gateway", kinds=(GATEWAY, KUBERNETES_GATEWAY, HTTP_ROUTE), build=build, problems=problems)


def main() -> None:
    """Run the module."""
    module = MeshModule(
        {
            **COMMON,
            "api": {"type": "str", "choices": ["istio", "kubernetes"], "default": "istio"},
            "gateway_class": {"type": "str", "default": "istio"},
            "service_type": {"type": "str", "choices": ["LoadBalancer", "NodePort", "ClusterIP"]},
            "selector": {"type": "dict", "default": {"istio": "ingressgateway"}},
            "servers": {"type": "list", "elements": "dict", "options": SERVER},
        },
        required_if=[("state", "present", ["servers"])],
    )
    module.run(lambda module: manage(module, BUILDER))


if __name__ == "__main__":
    main()
