#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: traffic_route
short_description: Route requests by weight, header, cookie or path, with faults, mirrors, retries and timeouts
version_added: 0.1.0
description:
  - Builds a VirtualService of Istio for some hosts, within the mesh, at gateways, or both. With O(subsets) the
    DestinationRule that defines them is built beside it.
  - With O(api=kubernetes) builds an HTTPRoute of Kubernetes' Gateway API instead, from O(http) as far as that API has
    words for it - no subsets, faults, retries, answers of its own, CORS, and matches by client.
  - Refuses, before the first write, weights that do not add up to 100, a destination whose host, port or subset does
    not exist, a gateway that does not exist or does not take the host, a second VirtualService for one host, and a
    subset that is taken away while a route goes to it.
  - At gateways Istio puts several VirtualServices for one host together, in no promised order. O(force) allows it.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.traffic
  - meshops.istio.plan
  - meshops.istio.wait
  - meshops.istio.attributes
options:
  api:
    description:
      - Whose route it is. With V(kubernetes) the O(gateways) are those of Kubernetes' Gateway API, within the mesh the
        hosts are Services, and the prefix of a path ends at a slash.
    type: str
    choices: [istio, kubernetes]
    default: istio
  hosts:
    description:
      - The hosts that are routed, a Service's short name, its whole name (V(reviews.shop.svc.cluster.local)), or any
        host that clients ask for. Required with O(state=present).
    type: list
    elements: str
  gateways:
    description:
      - The gateways at which the route holds, as V(shop) or V(other-namespace/shop); V(mesh) stands for all sidecars,
        which is the default.
    type: list
    elements: str
  export_to:
    description:
      - The namespaces for whose clients the route holds, V(.) for its own. By default all.
    type: list
    elements: str
  subsets:
    description:
      - Parts of a host's pods to route to.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - The name of the subset.
        type: str
        required: true
      labels:
        description:
          - The labels of its pods.
        type: dict
        required: true
      host:
        description:
          - The host that it is part of. By default the one whose subset of this name the routes go to.
        type: str
  pause:
    description:
      - How many seconds Istio is left to tell all proxies of new subsets before routes go to them, and of new routes
        before the subsets go that they no longer need. Without it requests would be answered with 503 meanwhile.
      - Only where routes and O(subsets) change together; 0 for never.
    type: float
    default: 2
  http:
    description:
      - Routes for HTTP and gRPC. The first that matches is taken.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - A name for access logs.
        type: str
      match:
        description:
          - The requests that it is for. One of the list has to hold, with all that it says. Without it all requests.
          - A condition on a text is the text itself, or a dictionary with one of C(exact), C(prefix), C(regex) (over
            the whole text, RE2) and C(contains).
        type: list
        elements: dict
        suboptions:
          path:
            description:
              - A condition on the path.
            type: raw
          headers:
            description:
              - "Conditions by header. V({present: true}) asks for nothing but that it is there."
            type: dict
          without_headers:
            description:
              - Conditions by header that must not hold.
            type: dict
          cookies:
            description:
              - A condition by the name of a cookie, one of them.
            type: dict
          user_agent:
            description:
              - A condition on the header C(User-Agent).
            type: raw
          query:
            description:
              - Conditions by query parameter.
            type: dict
          method:
            description:
              - A condition on the method.
            type: raw
          authority:
            description:
              - A condition on the host that is asked for.
            type: raw
          scheme:
            description:
              - A condition on the scheme.
            type: raw
          ignore_case:
            description:
              - Whether upper and lower case are the same in the path.
            type: bool
          port:
            description:
              - The port that the request was sent to.
            type: int
          source_labels:
            description:
              - The labels of the client's pod.
            type: dict
          source_namespace:
            description:
              - The namespace of the client's pod.
            type: str
          gateways:
            description:
              - Those of O(gateways) that it is for.
            type: list
            elements: str
      to:
        description:
          - Where the requests go. One of O(http[].to), O(http[].redirect) and O(http[].respond) is needed.
        type: list
        elements: dict
        suboptions:
          host:
            description:
              - The host, as in O(hosts). By default the only one of O(hosts).
            type: str
          subset:
            description:
              - A subset of the host.
            type: str
          port:
            description:
              - A port of the host. Needed where it has several.
            type: int
          weight:
            description:
              - Its share in percent. Needed where there are several; together they are 100.
            type: int
          headers:
            description:
              - Headers to change for this destination only, as O(http[].headers).
            type: dict
      redirect:
        description:
          - An answer that sends the client elsewhere.
        type: dict
        suboptions:
          path:
            description:
              - The path to go to.
            type: str
          host:
            description:
              - The host to go to.
            type: str
          scheme:
            description:
              - The scheme to go to.
            type: str
          port:
            description:
              - The port to go to.
            type: int
          code:
            description:
              - The status.
            type: int
      respond:
        description:
          - An answer without asking anybody.
        type: dict
        suboptions:
          status:
            description:
              - The status.
            type: int
            required: true
          body:
            description:
              - The body.
            type: str
      rewrite:
        description:
          - What of the request is changed on its way.
        type: dict
        suboptions:
          path:
            description:
              - The path instead of the one that matched; for a prefix, instead of the prefix.
            type: str
          host:
            description:
              - The host instead of the one that was asked for.
            type: str
      mirror:
        description:
          - Where a copy of each request goes. Its answer is thrown away.
        type: dict
        suboptions:
          host:
            description:
              - The host, as in O(hosts). By default the only one of O(hosts).
            type: str
          subset:
            description:
              - A subset of the host.
            type: str
          port:
            description:
              - A port of the host.
            type: int
          percent:
            description:
              - The share of requests that are copied. By default all.
            type: float
      fault:
        description:
          - Faults for a share of the requests, to see what becomes of them. Istio does not retry them.
        type: dict
        suboptions:
          delay:
            description:
              - Requests that are held back.
            type: dict
            suboptions:
              percent:
                description:
                  - Their share.
                type: float
                default: 100
              duration:
                description:
                  - For how long, as V(3s).
                type: str
                required: true
          abort:
            description:
              - Requests that are answered with an error.
            type: dict
            suboptions:
              percent:
                description:
                  - Their share.
                type: float
                default: 100
              status:
                description:
                  - The HTTP status.
                type: int
              grpc_status:
                description:
                  - The gRPC status instead, by its name, as V(UNAVAILABLE).
                type: str
      retries:
        description:
          - How often a request that failed is sent again.
        type: dict
        suboptions:
          attempts:
            description:
              - How often at most; 0 for never.
            type: int
            required: true
          per_try_timeout:
            description:
              - How long one attempt may take.
            type: str
          conditions:
            description:
              - What counts as failed, by Envoy's names, as V(5xx), V(reset), V(connect-failure).
            type: list
            elements: str
      timeout:
        description:
          - How long the answer may take, retries included, as V(5s).
        type: str
      headers:
        description:
          - Headers to change.
        type: dict
        suboptions:
          request:
            description:
              - Of requests, C(set) and C(add) with a dictionary, and C(remove) with a list.
            type: dict
          response:
            description:
              - Of answers, the same.
            type: dict
      cors:
        description:
          - What browsers may do from other sites.
        type: dict
        suboptions:
          origins:
            description:
              - Conditions on the site, of which one has to hold.
            type: list
            elements: raw
          methods:
            description:
              - The methods that are allowed.
            type: list
            elements: str
          headers:
            description:
              - The headers that are allowed.
            type: list
            elements: str
          expose_headers:
            description:
              - The headers that scripts may read.
            type: list
            elements: str
          credentials:
            description:
              - Whether cookies may be sent.
            type: bool
          max_age:
            description:
              - For how long a browser may remember this.
            type: str
  tls:
    description:
      - Routes for TLS that nobody ends on the way, by the name that clients ask for.
    type: list
    elements: dict
    suboptions:
      match:
        description:
          - The connections that it is for.
        type: list
        elements: dict
        required: true
        suboptions:
          sni_hosts:
            description:
              - The names that clients ask for.
            type: list
            elements: str
            required: true
          port:
            description:
              - The port that the connection was made to.
            type: int
          source_labels:
            description:
              - The labels of the client's pod.
            type: dict
          source_namespace:
            description:
              - The namespace of the client's pod.
            type: str
          gateways:
            description:
              - Those of O(gateways) that it is for.
            type: list
            elements: str
      to:
        description:
          - Where the connections go, as O(http[].to).
        type: list
        elements: dict
        required: true
        suboptions:
          host:
            description:
              - The host. By default the only one of O(hosts).
            type: str
          subset:
            description:
              - A subset of the host.
            type: str
          port:
            description:
              - A port of the host.
            type: int
          weight:
            description:
              - Its share in percent.
            type: int
  tcp:
    description:
      - Routes for connections of any other protocol, by port.
    type: list
    elements: dict
    suboptions:
      match:
        description:
          - The connections that it is for. Without it all.
        type: list
        elements: dict
        suboptions:
          destination_subnets:
            description:
              - The networks that the connection was made to.
            type: list
            elements: str
          port:
            description:
              - The port that the connection was made to.
            type: int
          source_labels:
            description:
              - The labels of the client's pod.
            type: dict
          source_namespace:
            description:
              - The namespace of the client's pod.
            type: str
          gateways:
            description:
              - Those of O(gateways) that it is for.
            type: list
            elements: str
      to:
        description:
          - Where the connections go, as O(http[].to).
        type: list
        elements: dict
        required: true
        suboptions:
          host:
            description:
              - The host. By default the only one of O(hosts).
            type: str
          subset:
            description:
              - A subset of the host.
            type: str
          port:
            description:
              - A port of the host.
            type: int
          weight:
            description:
              - Its share in percent.
            type: int
seealso:
  - module: meshops.istio.gateway
  - module: meshops.istio.traffic_policy
"""

EXAMPLES = r"""
- name: Send a fifth of the requests to the new version, and all of those by testers
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

- name: See what becomes of faults, and let version 3 have a copy of each request
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

- name: Two services behind a gateway
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
  description: What was changed, or in check mode would be, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample:
    - {action: create, api_version: networking.istio.io/v1, kind: VirtualService, namespace: shop, name: reviews}
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
      sample: VirtualService
    namespace:
      description: The object's namespace.
      returned: always
      type: str
      sample: shop
    name:
      description: The object's name.
      returned: always
      type: str
      sample: reviews
plan_digest:
  description: Names the plan, for O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description: What went wrong, as one stable word, for example V(weights), V(host_missing), V(subset_missing), V(host_taken).
  returned: failure
  type: str
  sample: weights
details:
  description: What is known about the failure; C(problems) is all that spoke against the plan.
  returned: failure
  type: dict
  sample: {problems: ["http[0].to[0]: no DestinationRule defines a subset 'v3' of reviews.shop (it has v1, v2); add it to subsets."]}
"""

from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.routes import build as route
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.routes import checks, http_route
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.fields import Object, Options
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.registry import (
    DESTINATION_RULE,
    HTTP_ROUTE,
    VIRTUAL_SERVICE,
    Registry,
)
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.unit import Builder
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
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
    """The route of the API that is asked for, and the subsets beside it."""
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
