#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: traffic_policy
short_description: Balance, pool, cut off and limit the requests to a host
version_added: 0.1.0
description:
  - Builds a DestinationRule of Istio for a host, with its subsets, load balancing, session affinity, failover,
    connection pool (circuit breaking), outlier ejection and TLS.
  - With O(rate_limit) also an EnvoyFilter that limits the rate of requests in each proxy of the host's pods.
  - Refuses, before the first write, a host that does not exist, a second policy for one host, and a subset that is
    taken away while a route goes to it.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.traffic
  - meshops.istio.plan
  - meshops.istio.wait
  - meshops.istio.attributes
options:
  destination:
    description:
      - The host that the policy is for, a Service's short name, its whole name (V(reviews.shop.svc.cluster.local)), or
        one of a ServiceEntry.
    type: str
  export_to:
    description:
      - The namespaces for whose clients the policy holds, V(.) for its own. By default all.
    type: list
    elements: str
  subsets:
    description:
      - Parts of the host's pods, for routes to go to.
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
  algorithm:
    description:
      - How the next pod is chosen. Excludes O(session_affinity).
    type: str
    choices: [least_request, round_robin, random, passthrough]
  warmup:
    description:
      - For how long a new pod gets fewer requests, as V(60s).
    type: str
  session_affinity:
    description:
      - What of a request decides to which pod it goes, so that a client stays with one. One of the four.
    type: dict
    suboptions:
      cookie:
        description:
          - A cookie, which is set where a client has none.
        type: dict
        suboptions:
          name:
            description:
              - The name of the cookie.
            type: str
            required: true
          path:
            description:
              - The path that it is for.
            type: str
          ttl:
            description:
              - Its lifetime; V(0s) for as long as the browser runs. By default a day.
            type: str
      header:
        description:
          - The name of a header.
        type: str
      query_parameter:
        description:
          - The name of a query parameter.
        type: str
      source_ip:
        description:
          - Whether the client's address decides.
        type: bool
  locality:
    description:
      - Which regions and zones requests go to. Needs O(outlier_detection), which tells what has failed.
    type: dict
    suboptions:
      failover:
        description:
          - For a region that requests come from, the region that they go to when the pods there have failed.
        type: list
        elements: dict
        suboptions:
          from:
            description:
              - The region that requests come from.
            type: str
            required: true
          to:
            description:
              - The region to go to.
            type: str
            required: true
      failover_priority:
        description:
          - Labels of pods, the weightiest first. Pods that share more of them with the client are preferred.
        type: list
        elements: str
      distribute:
        description:
          - For a locality that requests come from, the shares in percent of the localities that they go to. Excludes
            the other two.
        type: list
        elements: dict
        suboptions:
          from:
            description:
              - The locality that requests come from, as V(region/zone/*).
            type: str
            required: true
          to:
            description:
              - Shares by locality, together 100.
            type: dict
            required: true
  connection_pool:
    description:
      - Limits, for each client's proxy. What goes beyond is answered with 503 at once.
    type: dict
    suboptions:
      max_connections:
        description:
          - Connections at a time.
        type: int
      connect_timeout:
        description:
          - How long making a connection may take.
        type: str
      max_pending_requests:
        description:
          - Requests that wait for a connection.
        type: int
      max_requests:
        description:
          - Requests at a time.
        type: int
      max_requests_per_connection:
        description:
          - Requests after which a connection is closed.
        type: int
      max_retries:
        description:
          - Retries at a time.
        type: int
      idle_timeout:
        description:
          - After which time without a request a connection is closed.
        type: str
  outlier_detection:
    description:
      - When a pod gets no requests for a while because it fails.
    type: dict
    suboptions:
      consecutive_5xx_errors:
        description:
          - After how many answers of status 500 and above in a row; 0 for never.
        type: int
      consecutive_gateway_errors:
        description:
          - After how many answers of status 502, 503 and 504 in a row; 0 for never.
        type: int
      interval:
        description:
          - How often it is looked at.
        type: str
      base_ejection_time:
        description:
          - For how long, at the first time. Each further time is longer.
        type: str
      max_ejection_percent:
        description:
          - How many of the pods at most. Istio's own default is 10, of a few pods none or one.
        type: int
      min_health_percent:
        description:
          - Below this share of healthy pods all get requests again.
        type: int
  tls:
    description:
      - TLS to the host, where it is not the mesh's own.
    type: dict
    suboptions:
      mode:
        description:
          - V(simple) makes requests to a host outside over TLS, V(mutual) with a certificate, V(istio_mutual) is the
            mesh's own, V(disable) is plain text.
        type: str
        choices: [disable, simple, mutual, istio_mutual]
        required: true
      sni:
        description:
          - The name to ask for.
        type: str
      secret:
        description:
          - The Secret with the certificate, for gateways and sidecars that may read it.
        type: str
      subject_alt_names:
        description:
          - The names of which the host's certificate must have one.
        type: list
        elements: str
      insecure_skip_verify:
        description:
          - Whether the host's certificate is not checked.
        type: bool
  rate_limit:
    description:
      - How many requests each proxy of the workload lets through; all others are answered with 429. With three pods
        that is three times as many.
    type: dict
    suboptions:
      requests:
        description:
          - The number of requests in each interval.
        type: int
        required: true
      interval:
        description:
          - The interval, as V(1s) or V(1m).
        type: str
        default: 1s
      burst:
        description:
          - How many requests may come at once after a rest. By default as many as in an interval.
        type: int
      selector:
        description:
          - The labels of the workload's pods. By default those that the Service O(destination) selects.
        type: dict
      port:
        description:
          - The port of the pods that is limited. By default all.
        type: int
      gateway:
        description:
          - Whether the workload is a gateway, and not pods with a sidecar.
        type: bool
        default: false
seealso:
  - module: meshops.istio.traffic_route
"""

EXAMPLES = r"""
- name: Cut off what fails, and let only so much wait
  meshops.istio.traffic_policy:
    name: ratings
    namespace: shop
    destination: ratings
    connection_pool: {max_connections: 100, max_pending_requests: 10}
    outlier_detection:
      consecutive_5xx_errors: 3
      interval: 5s
      base_ejection_time: 30s
      max_ejection_percent: 100

- name: Keep a client with its pod, and 100 requests a minute for each pod
  meshops.istio.traffic_policy:
    name: cart
    namespace: shop
    destination: cart
    session_affinity:
      cookie: {name: cart-session, ttl: 1h}
    rate_limit: {requests: 100, interval: 1m}

- name: Go to another region when the own one has failed
  meshops.istio.traffic_policy:
    name: catalogue
    namespace: shop
    destination: catalogue
    locality:
      failover:
        - {from: westeurope, to: northeurope}
    outlier_detection: {consecutive_5xx_errors: 3}
"""

RETURN = r"""
changes:
  description: What was changed, or in check mode would be, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample:
    - {action: create, api_version: networking.istio.io/v1, kind: DestinationRule, namespace: shop, name: ratings}
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
      sample: DestinationRule
    namespace:
      description: The object's namespace.
      returned: always
      type: str
      sample: shop
    name:
      description: The object's name.
      returned: always
      type: str
      sample: ratings
plan_digest:
  description: Names the plan, for O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description: What went wrong, as one stable word, for example V(host_missing), V(policy_taken), V(subset_in_use).
  returned: failure
  type: str
  sample: host_missing
details:
  description: What is known about the failure; C(problems) is all that spoke against the plan.
  returned: failure
  type: dict
  sample: {problems: ["No Service or ServiceEntry is called ratings.shop.svc.cluster.local: create it first."]}
"""

from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.policies import build as policy
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.policies import checks, rate_limit
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.fields import Object, Options
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.registry import (
    DESTINATION_RULE,
    ENVOY_FILTER,
)
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.unit import Builder
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule
from ansible_collections.meshops.istio.plugins.module_utils.traffic_module import COMMON, manage

TEXTS = {"type": "list", "elements": "str"}

AFFINITY = {
    "cookie": {
        "type": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "path": {"type": "str"},
            "ttl": {"type": "str"},
        },
    },
    "header": {"type": "str"},
    "query_parameter": {"type": "str"},
    "source_ip": {"type": "bool"},
}

LOCALITY = {
    "failover": {
        "type": "list",
        "elements": "dict",
        "options": {"from": {"type": "str", "required": True}, "to": {"type": "str", "required": True}},
    },
    "failover_priority": TEXTS,
    "distribute": {
        "type": "list",
        "elements": "dict",
        "options": {"from": {"type": "str", "required": True}, "to": {"type": "dict", "required": True}},
    },
}

POOL = {
    "max_connections": {"type": "int"},
    "connect_timeout": {"type": "str"},
    "max_pending_requests": {"type": "int"},
    "max_requests": {"type": "int"},
    "max_requests_per_connection": {"type": "int"},
    "max_retries": {"type": "int"},
    "idle_timeout": {"type": "str"},
}

OUTLIERS = {
    "consecutive_5xx_errors": {"type": "int"},
    "consecutive_gateway_errors": {"type": "int"},
    "interval": {"type": "str"},
    "base_ejection_time": {"type": "str"},
    "max_ejection_percent": {"type": "int"},
    "min_health_percent": {"type": "int"},
}

TLS = {
    "mode": {"type": "str", "choices": ["disable", "simple", "mutual", "istio_mutual"], "required": True},
    "sni": {"type": "str"},
    "secret": {"type": "str", "no_log": False},
    "subject_alt_names": TEXTS,
    "insecure_skip_verify": {"type": "bool"},
}

RATE_LIMIT = {
    "requests": {"type": "int", "required": True},
    "interval": {"type": "str", "default": "1s"},
    "burst": {"type": "int"},
    "selector": {"type": "dict"},
    "port": {"type": "int"},
    "gateway": {"type": "bool", "default": False},
}

SUBSET = {"name": {"type": "str", "required": True}, "labels": {"type": "dict", "required": True}}


def build(options: Options, cluster: Cluster) -> list[Object]:
    """The DestinationRule and the EnvoyFilter, as far as the options ask for them."""
    labels = checks.limited_workload(options, cluster)
    return [*policy.build(options), *rate_limit.build(options, labels)]


BUILDER = Builder(
    module="traffic_policy",
    kinds=(DESTINATION_RULE, ENVOY_FILTER),
    build=build,
    problems=checks.problems,
)


def main() -> None:
    """Run the module."""
    module = MeshModule(
        {
            **COMMON,
            "destination": {"type": "str"},
            "export_to": TEXTS,
            "subsets": {"type": "list", "elements": "dict", "options": SUBSET},
            "algorithm": {"type": "str", "choices": ["least_request", "round_robin", "random", "passthrough"]},
            "warmup": {"type": "str"},
            "session_affinity": {"type": "dict", "options": AFFINITY},
            "locality": {"type": "dict", "options": LOCALITY},
            "connection_pool": {"type": "dict", "options": POOL},
            "outlier_detection": {"type": "dict", "options": OUTLIERS},
            "tls": {"type": "dict", "options": TLS},
            "rate_limit": {"type": "dict", "options": RATE_LIMIT},
        },
    )
    module.run(lambda module: manage(module, BUILDER))


if __name__ == "__main__":
    main()
