#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gateway
short_description: Open ports and hosts of a gateway, with TLS
version_added: 0.1.0
description:
  - Builds a Gateway of Istio, which tells a gateway's workload at which ports it takes requests, for which hosts, and
    with which certificates. Routes (M(meshops.istio.traffic_route)) say where the requests go.
  - With O(api=kubernetes) builds one of Kubernetes' Gateway API instead. Istio makes a workload and a Service for it,
    named after the gateway and its class, such as C(shop-istio), at the ports that are opened.
  - Refuses, before the first write, a port that the workload does not have, a Secret that does not exist in the
    workload's namespace or holds no certificate, labels that no workload carries, and a class that does not exist.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.traffic
  - meshops.istio.plan
  - meshops.istio.wait
  - meshops.istio.attributes
options:
  api:
    description:
      - Whose Gateway it is. The Gateway API has to be installed in the cluster, see
        M(meshops.istio.gateway_api).
    type: str
    choices: [istio, kubernetes]
    default: istio
  gateway_class:
    description:
      - The class of the gateway, with O(api=kubernetes).
    type: str
    default: istio
  service_type:
    description:
      - The type of the Service that Istio makes, with O(api=kubernetes). By default a load balancer.
    type: str
    choices: [LoadBalancer, NodePort, ClusterIP]
  selector:
    description:
      - The labels of the gateway's pods, with O(api=istio).
    type: dict
    default: {istio: ingressgateway}
  servers:
    description:
      - What is opened. Required with O(state=present).
    type: list
    elements: dict
    suboptions:
      port:
        description:
          - A port of the workload's Service.
        type: int
        required: true
      protocol:
        description:
          - What is spoken at the port. V(https) ends TLS for HTTP, V(tls) is for anything else within TLS.
        type: str
        choices: [http, http2, grpc, https, tls, tcp]
        default: http
      name:
        description:
          - The name of the server, once in a gateway. By default its protocol and port, as V(http-80).
        type: str
      hosts:
        description:
          - The hosts that requests are taken for, as V(shop.example.com), V(*.example.com) or, to let only routes of
            one namespace have it, V(shop/shop.example.com).
        type: list
        elements: str
        default: ["*"]
      https_redirect:
        description:
          - Whether requests of protocol V(http) are answered with a redirect to HTTPS.
        type: bool
        default: false
      tls:
        description:
          - How TLS is handled. Required for V(https) and V(tls).
        type: dict
        suboptions:
          mode:
            description:
              - With V(simple) the gateway shows a certificate, with V(mutual) clients must show one too, with
                V(optional_mutual) they may. V(passthrough) leaves TLS to the service behind, by the name that clients
                ask for.
            type: str
            choices: [simple, mutual, optional_mutual, passthrough]
            default: simple
          secret:
            description:
              - The Secret with the certificate, C(tls.crt), and its key, C(tls.key), in the namespace where the
                gateway's pods run, which with O(api=kubernetes) is O(namespace).
              - For V(mutual) and V(optional_mutual) C(ca.crt) is needed as well, in it or in a Secret of that name
                with C(-cacert) at its end.
            type: str
          min_version:
            description:
              - The oldest version of TLS that is spoken. Not with O(api=kubernetes), nor are the newest version and
                the names of clients.
            type: str
            choices: ["1.2", "1.3"]
          max_version:
            description:
              - The newest version of TLS that is spoken.
            type: str
            choices: ["1.2", "1.3"]
          cipher_suites:
            description:
              - The cipher suites that are spoken, by OpenSSL's names.
            type: list
            elements: str
          subject_alt_names:
            description:
              - The names of which a client's certificate must have one.
            type: list
            elements: str
seealso:
  - module: meshops.istio.gateway_api
  - module: meshops.istio.traffic_route
  - module: meshops.istio.ingress_info
"""

EXAMPLES = r"""
- name: Take requests for every host at port 80
  meshops.istio.gateway:
    name: shop
    namespace: shop
    servers:
      - port: 80

- name: HTTPS with a certificate, and a redirect to it
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

- name: Leave TLS to the service behind
  meshops.istio.gateway:
    name: vault
    namespace: vault
    servers:
      - port: 443
        protocol: tls
        hosts: [vault.example.com]
        tls: {mode: passthrough}

- name: Install Kubernetes' Gateway API where a cluster lacks it
  meshops.istio.gateway_api:

- name: A gateway of its own, by Kubernetes' Gateway API
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
  description: What was changed, or in check mode would be, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample:
    - {action: create, api_version: networking.istio.io/v1, kind: Gateway, namespace: shop, name: shop}
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
      sample: Gateway
    namespace:
      description: The object's namespace.
      returned: always
      type: str
      sample: shop
    name:
      description: The object's name.
      returned: always
      type: str
      sample: shop
plan_digest:
  description: Names the plan, for O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description: What went wrong, as one stable word, for example V(port_missing), V(secret_missing), V(workload_missing).
  returned: failure
  type: str
  sample: port_missing
details:
  description: What is known about the failure; C(problems) is all that spoke against the plan.
  returned: failure
  type: dict
  sample: {problems: ["Port 9999 is no port of the Service istio-system/istio-ingressgateway."]}
"""

from collections.abc import Iterator

from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.gateways import build as gateway
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.gateways import checks, gateway_api
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared import gateway_api_checks
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.fields import Object, Options
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.problems import Problem
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.registry import (
    GATEWAY,
    HTTP_ROUTE,
    KUBERNETES_GATEWAY,
)
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.unit import Builder
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
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
    """The Gateway of the API that is asked for."""
    return gateway_api.build(options) if options["api"] == "kubernetes" else gateway.build(options)


def problems(options: Options, cluster: Cluster, plan: Plan) -> Iterator[Problem]:
    """What speaks against it, by the API that is asked for."""
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
