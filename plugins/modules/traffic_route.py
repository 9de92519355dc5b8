#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: traffic_route
short_description: Manage VirtualService and HTTPRoute (routes by weight, header and path, retries, faults)
version_added: 0.1.0
description:
  - Manages a VirtualService for hosts in the mesh, at gateways, or both. With O(subsets), also manages the
    DestinationRule that defines them.
  - With O(api=kubernetes), manages an HTTPRoute of the Kubernetes Gateway API from O(http). The API does not support
    subsets, faults, retries, direct responses, CORS and conditions on clients.
  - Fails before the first write if weights do not add up to 100, the host, port or subset of a destination does not
    exist, a gateway does not exist or does not accept the host, another VirtualService for the host exists, or a route
    still uses a removed subset.
  - At gateways, Istio merges several VirtualServices for a host, in no guaranteed order. O(force) allows several of
    them.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.traffic
  - meshops.istio.plan
  - meshops.istio.wait.proxies
  - meshops.istio.attributes
options:
  api:
    description:
      - API of the route. With V(kubernetes), O(gateways) are Gateways of the Kubernetes Gateway API, the hosts in the
        mesh must be Services, and path prefixes match complete path segments.
    type: str
    choices: [istio, kubernetes]
    default: istio
  hosts:
    description:
      - Hosts of the route, as the short name of a Service, its fully qualified name
        (V(reviews.shop.svc.cluster.local)), or any host that clients request. Required with O(state=present).
    type: list
    elements: str
  gateways:
    description:
      - Gateways that the route applies to, for example V(shop) or V(other-namespace/shop). V(mesh) is all sidecars, and
        is the default.
    type: list
    elements: str
  export_to:
    description:
      - "Namespaces in which the route is visible. V(.) is the namespace of the route. Default: all namespaces."
    type: list
    elements: str
  subsets:
    description:
      - Subsets of hosts, which are destinations for the route.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the subset.
        type: str
        required: true
      labels:
        description:
          - Labels of the subset's pods.
        type: dict
        required: true
      host:
        description:
          - "Host of the subset. Default: the host that the route uses with this subset."
        type: str
  pause:
    description:
      - Minimum time between changes of subsets and changes of routes, in seconds. All proxies must receive new subsets
        before routes use them, and new routes before unused subsets are deleted. Otherwise, requests fail with status
        503. With O(wait), the module also waits until the proxies have received them.
      - The module waits only if routes and O(subsets) change in the same run. V(0) disables it.
    type: float
    default: 2
  http:
    description:
      - HTTP and gRPC routes. The first route that matches a request is used.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the route in access logs.
        type: str
      match:
        description:
          - "Conditions on the request. At least one item must match, with all of its conditions. Default: all
            requests."
          - A condition on a string is the exact string, or a dictionary with one of C(exact), C(prefix), C(regex) (RE2,
            for the complete string) and C(contains).
        type: list
        elements: dict
        suboptions:
          path:
            description:
              - Condition on the path.
            type: raw
          headers:
            description:
              - "Conditions by name of the header. V({present: true}) matches every value."
            type: dict
          without_headers:
            description:
              - Conditions by name of the header that must not match.
            type: dict
          cookies:
            description:
              - Condition by name of a cookie. Only one cookie is supported.
            type: dict
          user_agent:
            description:
              - Condition on the header C(User-Agent).
            type: raw
          query:
            description:
              - Conditions by name of the query parameter.
            type: dict
          method:
            description:
              - Condition on the HTTP method.
            type: raw
          authority:
            description:
              - Condition on the host of the request.
            type: raw
          scheme:
            description:
              - Condition on the URI scheme.
            type: raw
          ignore_case:
            description:
              - Ignore the case of the path.
            type: bool
          port:
            description:
              - Port of the request.
            type: int
          source_labels:
            description:
              - Labels of the client's pod.
            type: dict
          source_namespace:
            description:
              - Namespace of the client's pod.
            type: str
          gateways:
            description:
              - Gateways in O(gateways) that the item applies to.
            type: list
            elements: str
      to:
        description:
          - Destinations of the requests. One of O(http[].to), O(http[].redirect) and O(http[].respond) is required.
        type: list
        elements: dict
        suboptions:
          host:
            description:
              - "Host of the destination, as in O(hosts). Default: the host in O(hosts), if there is only one."
            type: str
          subset:
            description:
              - Subset of the host.
            type: str
          port:
            description:
              - Port of the host. Required if the host has several ports.
            type: int
          weight:
            description:
              - Weight of the destination in percent. Required with several destinations. The weights must add up to
                100.
            type: int
          headers:
            description:
              - Headers to change for this destination only, as in O(http[].headers).
            type: dict
      redirect:
        description:
          - Redirect to another URL.
        type: dict
        suboptions:
          path:
            description:
              - Path of the redirect.
            type: str
          host:
            description:
              - Host of the redirect.
            type: str
          scheme:
            description:
              - Scheme of the redirect.
            type: str
          port:
            description:
              - Port of the redirect.
            type: int
          code:
            description:
              - HTTP status code of the response.
            type: int
      respond:
        description:
          - Direct response of the proxy, without a destination.
        type: dict
        suboptions:
          status:
            description:
              - HTTP status code of the response.
            type: int
            required: true
          body:
            description:
              - Body of the response.
            type: str
      rewrite:
        description:
          - Changes of the request before it is forwarded.
        type: dict
        suboptions:
          path:
            description:
              - New path. It replaces the matched prefix if the condition is a prefix, and otherwise the matched path.
            type: str
          host:
            description:
              - New host.
            type: str
      mirror:
        description:
          - Destination for a copy of each request. Its responses are ignored.
        type: dict
        suboptions:
          host:
            description:
              - "Host of the destination, as in O(hosts). Default: the host in O(hosts), if there is only one."
            type: str
          subset:
            description:
              - Subset of the host.
            type: str
          port:
            description:
              - Port of the host.
            type: int
          percent:
            description:
              - "Percentage of requests to mirror. Default: all requests."
            type: float
      fault:
        description:
          - Fault injection for a percentage of the requests, for tests. Istio does not retry these requests.
        type: dict
        suboptions:
          delay:
            description:
              - Delay requests.
            type: dict
            suboptions:
              percent:
                description:
                  - Percentage of the requests.
                type: float
                default: 100
              duration:
                description:
                  - Duration of the delay, for example V(3s).
                type: str
                required: true
          abort:
            description:
              - Abort requests with an error.
            type: dict
            suboptions:
              percent:
                description:
                  - Percentage of the requests.
                type: float
                default: 100
              status:
                description:
                  - HTTP status code of the error.
                type: int
              grpc_status:
                description:
                  - gRPC status of the error instead of an HTTP status, for example V(UNAVAILABLE).
                type: str
      retries:
        description:
          - Retries of failed requests.
        type: dict
        suboptions:
          attempts:
            description:
              - Maximum number of retries. V(0) disables retries.
            type: int
            required: true
          per_try_timeout:
            description:
              - Timeout of each attempt, for example V(2s).
            type: str
          conditions:
            description:
              - Conditions for retries, by the names of Envoy, for example V(5xx), V(reset) or V(connect-failure).
            type: list
            elements: str
      timeout:
        description:
          - Timeout of the request with all retries, for example V(5s).
        type: str
      headers:
        description:
          - Headers to change.
        type: dict
        suboptions:
          request:
            description:
              - Request headers. C(set) and C(add) are dictionaries, and C(remove) is a list.
            type: dict
          response:
            description:
              - Response headers. C(set) and C(add) are dictionaries, and C(remove) is a list.
            type: dict
      cors:
        description:
          - Cross-origin resource sharing (CORS) policy for browsers.
        type: dict
        suboptions:
          origins:
            description:
              - Conditions on the origin. At least one must match.
            type: list
            elements: raw
          methods:
            description:
              - Allowed HTTP methods.
            type: list
            elements: str
          headers:
            description:
              - Allowed request headers.
            type: list
            elements: str
          expose_headers:
            description:
              - Response headers that browsers expose to scripts.
            type: list
            elements: str
          credentials:
            description:
              - Allow requests with credentials, such as cookies.
            type: bool
          max_age:
            description:
              - How long browsers may cache the policy, for example V(24h).
            type: str
  tls:
    description:
      - Routes for TLS connections that are not terminated, by server name (SNI).
    type: list
    elements: dict
    suboptions:
      match:
        description:
          - Conditions on the connection.
        type: list
        elements: dict
        required: true
        suboptions:
          sni_hosts:
            description:
              - Server names (SNI) of the connection.
            type: list
            elements: str
            required: true
          port:
            description:
              - Port of the connection.
            type: int
          source_labels:
            description:
              - Labels of the client's pod.
            type: dict
          source_namespace:
            description:
              - Namespace of the client's pod.
            type: str
          gateways:
            description:
              - Gateways in O(gateways) that the item applies to.
            type: list
            elements: str
      to:
        description:
          - Destinations of the connections, as in O(http[].to).
        type: list
        elements: dict
        required: true
        suboptions:
          host:
            description:
              - "Host of the destination. Default: the host in O(hosts), if there is only one."
            type: str
          subset:
            description:
              - Subset of the host.
            type: str
          port:
            description:
              - Port of the host.
            type: int
          weight:
            description:
              - Weight of the destination in percent.
            type: int
  tcp:
    description:
      - Routes for other TCP connections, by port.
    type: list
    elements: dict
    suboptions:
      match:
        description:
          - "Conditions on the connection. Default: all connections."
        type: list
        elements: dict
        suboptions:
          destination_subnets:
            description:
              - Destination networks (CIDR) of the connection, for example V(10.1.0.0/16).
            type: list
            elements: str
          port:
            description:
              - Port of the connection.
            type: int
          source_labels:
            description:
              - Labels of the client's pod.
            type: dict
          source_namespace:
            description:
              - Namespace of the client's pod.
            type: str
          gateways:
            description:
              - Gateways in O(gateways) that the item applies to.
            type: list
            elements: str
      to:
        description:
          - Destinations of the connections, as in O(http[].to).
        type: list
        elements: dict
        required: true
        suboptions:
          host:
            description:
              - "Host of the destination. Default: the host in O(hosts), if there is only one."
            type: str
          subset:
            description:
              - Subset of the host.
            type: str
          port:
            description:
              - Port of the host.
            type: int
          weight:
            description:
              - Weight of the destination in percent.
            type: int
seealso:
  - module: meshops.istio.gateway
  - module: meshops.istio.traffic_policy
"""

EXAMPLES = r"""
- name: Send 20 % of the requests, and all requests of testers, to the new version
  meshops.istio.traffic_route:
    name: reviews
    namespace: shop
    hosts: [reviews]
    subsets:
      - {name: v1, labels: {version: v1}}
      - {name: v2, labels: {version: v2}}
    http:
      - match:
          - headers: {end-user: tester}
          - cookies: {group: beta}
          - user_agent: {contains: Mobile}
        to:
          - subset: v2
      - to:
          - {subset: v1, weight: 80}
          - {subset: v2, weight: 20}
        timeout: 2s
        retries: {attempts: 2, per_try_timeout: 500ms, conditions: [5xx, reset]}

- name: Inject faults, and mirror all requests to version 3
  meshops.istio.traffic_route:
    name: ratings
    namespace: shop
    hosts: [ratings]
    subsets:
      - {name: v1, labels: {version: v1}}
      - {name: v3, labels: {version: v3}}
    http:
      - to:
          - subset: v1
        mirror: {subset: v3}
        fault:
          delay: {percent: 30, duration: 3s}
          abort: {percent: 10, status: 503}

- name: Route two services behind a gateway
  meshops.istio.traffic_route:
    name: shop
    namespace: shop
    hosts: ["shop.example.com"]
    gateways: [shop]
    http:
      - match:
          - path: {prefix: /api}
        to:
          - {host: api, port: 8080}
      - to:
          - host: web
"""

RETURN = r"""
changes:
  description: Changes that were made, or would be made in check mode, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample:
    - {action: create, api_version: networking.istio.io/v1, kind: VirtualService, namespace: shop, name: reviews}
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
      sample: VirtualService
    namespace:
      description: Namespace of the object.
      returned: always
      type: str
      sample: shop
    name:
      description: Name of the object.
      returned: always
      type: str
      sample: reviews
resources:
  description:
    - The objects that the module manages, as the API server returned them, or in check mode as they would be. Values of
      secrets are hidden, and C(managedFields) left out.
    - C(status) is that of the last read or write, before the module waited.
  returned: success
  type: list
  elements: dict
  sample: [{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: shop, namespace: shop}}]
plan_digest:
  description: Digest of the plan, for use as O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description: Stable error code, for example V(weights), V(host_missing), V(subset_missing), V(host_taken).
  returned: failure
  type: str
  sample: weights
details:
  description: Details of the failure. C(problems) lists all failed checks.
  returned: failure
  type: dict
  sample:
    problems:
      - "Subset 'v3' of http[0].to[0] not found in any DestinationRule: reviews.shop has v1, v2. Add it to subsets."
"""

from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.routes import build as route
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.routes import checks, http_route
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.fields import Options
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.registry import (
    DESTINATION_RULE,
    HTTP_ROUTE,
    VIRTUAL_SERVICE,
    Registry,
)
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.unit import Builder
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Object
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule
from ansible_collections.meshops.istio.plugins.module_utils.traffic_module import COMMON, manage

TEXTS = {"type": "list", "elements": "str"}

CONNECTION = {
    "port": {"type": "int"},
    "source_labels": {"type": "dict"},
    "source_namespace": {"type": "str"},
    "gateways": TEXTS,
}

HTTP_MATCH = {
    "path": {"type": "raw"},
    "headers": {"type": "dict"},
    "without_headers": {"type": "dict"},
    "cookies": {"type": "dict"},
    "user_agent": {"type": "raw"},
    "query": {"type": "dict"},
    "method": {"type": "raw"},
    "authority": {"type": "raw"},
    "scheme": {"type": "raw"},
    "ignore_case": {"type": "bool"},
    **CONNECTION,
}

DESTINATION = {"host": {"type": "str"}, "subset": {"type": "str"}, "port": {"type": "int"}}

CONNECTIONS_TO = {**DESTINATION, "weight": {"type": "int"}}

FAULT = {
    "delay": {
        "type": "dict",
        "options": {
            "percent": {"type": "float", "default": 100},
            "duration": {"type": "str", "required": True},
        },
    },
    "abort": {
        "type": "dict",
        "options": {
            "percent": {"type": "float", "default": 100},
            "status": {"type": "int"},
            "grpc_status": {"type": "str"},
        },
    },
}

REDIRECT = {
    "path": {"type": "str"},
    "host": {"type": "str"},
    "scheme": {"type": "str"},
    "port": {"type": "int"},
    "code": {"type": "int"},
}

CORS = {
    "origins": {"type": "list", "elements": "raw"},
    "methods": TEXTS,
    "headers": TEXTS,
    "expose_headers": TEXTS,
    "credentials": {"type": "bool"},
    "max_age": {"type": "str"},
}

HTTP = {
    "name": {"type": "str"},
    "match": {"type": "list", "elements": "dict", "options": HTTP_MATCH},
    "to": {"type": "list", "elements": "dict", "options": {**CONNECTIONS_TO, "headers": {"type": "dict"}}},
    "redirect": {"type": "dict", "options": REDIRECT},
    "respond": {"type": "dict", "options": {"status": {"type": "int", "required": True}, "body": {"type": "str"}}},
    "rewrite": {"type": "dict", "options": {"path": {"type": "str"}, "host": {"type": "str"}}},
    "mirror": {"type": "dict", "options": {**DESTINATION, "percent": {"type": "float"}}},
    "fault": {"type": "dict", "options": FAULT},
    "retries": {
        "type": "dict",
        "options": {
            "attempts": {"type": "int", "required": True},
            "per_try_timeout": {"type": "str"},
            "conditions": TEXTS,
        },
    },
    "timeout": {"type": "str"},
    "headers": {"type": "dict", "options": {"request": {"type": "dict"}, "response": {"type": "dict"}}},
    "cors": {"type": "dict", "options": CORS},
}

TO = {"type": "list", "elements": "dict", "required": True, "options": CONNECTIONS_TO}

TLS = {
    "match": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {"sni_hosts": {**TEXTS, "required": True}, **CONNECTION},
    },
    "to": TO,
}

TCP = {
    "match": {"type": "list", "elements": "dict", "options": {"destination_subnets": TEXTS, **CONNECTION}},
    "to": TO,
}

SUBSET = {
    "name": {"type": "str", "required": True},
    "labels": {"type": "dict", "required": True},
    "host": {"type": "str"},
}


def build(options: Options, cluster: Cluster) -> list[Object]:
    """Build the route of the selected API, and the subsets."""
    made, *rules = route.build(options)
    if options["api"] == "istio":
        return [made, *rules]
    if rules:
        raise InvalidInput(
            "subsets are not supported by the Kubernetes Gateway API. Create a Service for each subset, or set api to"
            " istio.",
            option="subsets",
        )
    return [http_route.translate(made, Registry(cluster, options["namespace"]).ports)]


BUILDER = Builder(
    module="traffic_route",
    kinds=(VIRTUAL_SERVICE, DESTINATION_RULE, HTTP_ROUTE),
    build=build,
    problems=checks.problems,
)


def main() -> None:
    """Run the module."""
    module = MeshModule(
        {
            **COMMON,
            "api": {"type": "str", "choices": ["istio", "kubernetes"], "default": "istio"},
            "hosts": TEXTS,
            "gateways": TEXTS,
            "export_to": TEXTS,
            "pause": {"type": "float", "default": 2},
            "subsets": {"type": "list", "elements": "dict", "options": SUBSET},
            "http": {"type": "list", "elements": "dict", "options": HTTP},
            "tls": {"type": "list", "elements": "dict", "options": TLS},
            "tcp": {"type": "list", "elements": "dict", "options": TCP},
        },
        required_if=[("state", "present", ["hosts"])],
    )
    module.run(lambda module: manage(module, BUILDER, pause=module.params["pause"]))


if __name__ == "__main__":
    main()
