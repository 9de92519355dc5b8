#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: traffic_policy
short_description: Manage DestinationRule and EnvoyFilter (load balancing, outlier detection, rate limits)
version_added: 0.1.0
description:
  - Manages a DestinationRule for a host, with subsets, load balancing, session affinity, locality failover, connection
    pool settings (circuit breaking), outlier detection and TLS.
  - With O(rate_limit), also manages an EnvoyFilter for local rate limiting in each proxy of the host's pods.
  - Fails before the first write if the host does not exist, another DestinationRule for the host exists, or a route
    still uses a removed subset.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.traffic
  - meshops.istio.plan
  - meshops.istio.wait.proxies
  - meshops.istio.attributes
options:
  destination:
    description:
      - Host of the DestinationRule, as the short name of a Service, its fully qualified name
        (V(reviews.shop.svc.cluster.local)), or a host of a ServiceEntry.
    type: str
  export_to:
    description:
      - "Namespaces in which the policy is visible. V(.) is the namespace of the policy. Default: all namespaces."
    type: list
    elements: str
  subsets:
    description:
      - Subsets of the host, which are destinations for routes.
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
  algorithm:
    description:
      - Load balancing algorithm. Cannot be combined with O(session_affinity).
    type: str
    choices: [least_request, round_robin, random, passthrough]
  warmup:
    description:
      - Warm-up duration, in which a new pod gets fewer requests, for example V(60s).
    type: str
  session_affinity:
    description:
      - Session affinity by consistent hashing, so that all requests of a client go to the same pod. Set one of the four
        options.
    type: dict
    suboptions:
      cookie:
        description:
          - Use a cookie. It is created if the request does not have it.
        type: dict
        suboptions:
          name:
            description:
              - Name of the cookie.
            type: str
            required: true
          path:
            description:
              - Path of the cookie.
            type: str
          ttl:
            description:
              - "Lifetime of the cookie, for example V(3600s). V(0s) creates a session cookie. Default: one day."
            type: str
      header:
        description:
          - Name of a request header to use.
        type: str
      query_parameter:
        description:
          - Name of a query parameter to use.
        type: str
      source_ip:
        description:
          - Use the IP address of the client.
        type: bool
  locality:
    description:
      - Locality load balancing. Requires O(outlier_detection), which detects unhealthy pods.
    type: dict
    suboptions:
      failover:
        description:
          - Destination regions by originating region, for unhealthy pods.
        type: list
        elements: dict
        suboptions:
          from:
            description:
              - Originating region, for example V(westeurope).
            type: str
            required: true
          to:
            description:
              - Destination region if the pods in the originating region are unhealthy.
            type: str
            required: true
      failover_priority:
        description:
          - Names of labels in order of priority. Pods with more labels in common with the client, from the first on,
            are preferred.
        type: list
        elements: str
      distribute:
        description:
          - Distribution of the requests by originating locality. Cannot be combined with O(locality.failover) and
            O(locality.failover_priority).
        type: list
        elements: dict
        suboptions:
          from:
            description:
              - Originating locality, for example V(region/zone/*).
            type: str
            required: true
          to:
            description:
              - Percentages by destination locality. They must add up to 100.
            type: dict
            required: true
  connection_pool:
    description:
      - Connection pool limits for the proxy of each client. Requests that exceed them fail immediately with status 503.
    type: dict
    suboptions:
      max_connections:
        description:
          - Maximum number of connections.
        type: int
      connect_timeout:
        description:
          - Connection timeout, for example V(5s).
        type: str
      max_pending_requests:
        description:
          - Maximum number of requests that wait for a connection.
        type: int
      max_requests:
        description:
          - Maximum number of active requests.
        type: int
      max_requests_per_connection:
        description:
          - Maximum number of requests for each connection. It is closed afterwards.
        type: int
      max_retries:
        description:
          - Maximum number of active retries.
        type: int
      idle_timeout:
        description:
          - Idle timeout of connections without requests, for example V(1h).
        type: str
  outlier_detection:
    description:
      - Outlier detection, which ejects failing pods from load balancing for some time.
    type: dict
    suboptions:
      consecutive_5xx_errors:
        description:
          - Number of consecutive responses with status 500 or above before a pod is ejected. V(0) disables it.
        type: int
      consecutive_gateway_errors:
        description:
          - Number of consecutive responses with status 502, 503 or 504 before a pod is ejected. V(0) disables it.
        type: int
      interval:
        description:
          - Interval between checks, for example V(10s).
        type: str
      base_ejection_time:
        description:
          - Minimum duration of an ejection, for example V(30s). It increases with each ejection of the pod.
        type: str
      max_ejection_percent:
        description:
          - Maximum percentage of ejected pods. The default of Istio is 10, which with a few pods means none or one.
        type: int
      min_health_percent:
        description:
          - Minimum percentage of healthy pods. Below it, outlier detection is disabled and all pods get requests.
        type: int
  tls:
    description:
      - TLS settings of connections to the host, to override the mutual TLS of the mesh.
    type: dict
    suboptions:
      mode:
        description:
          - TLS mode. V(simple) originates TLS, V(mutual) originates TLS with a client certificate, V(istio_mutual) uses
            the mutual TLS of the mesh, and V(disable) uses plaintext.
        type: str
        choices: [disable, simple, mutual, istio_mutual]
        required: true
      sni:
        description:
          - Server name (SNI) of the connection.
        type: str
      secret:
        description:
          - Name of the Secret with the client certificate, for gateways and for sidecars with permission to read it.
        type: str
      subject_alt_names:
        description:
          - Accepted subject alternative names of the host's certificate. The certificate must have at least one of
            them.
        type: list
        elements: str
      insecure_skip_verify:
        description:
          - Do not verify the certificate of the host.
        type: bool
  rate_limit:
    description:
      - Limits the requests to each proxy of the workload. Requests that exceed the limit get status 429. Three pods
        accept three times as many requests.
    type: dict
    suboptions:
      requests:
        description:
          - Number of requests in each interval.
        type: int
        required: true
      interval:
        description:
          - Length of the interval, for example V(1s) or V(1m).
        type: str
        default: 1s
      burst:
        description:
          - "Maximum number of requests at once after an idle period. Default: O(rate_limit.requests)."
        type: int
      selector:
        description:
          - "Labels of the workload's pods. Default: the selector of the Service in O(destination)."
        type: dict
      port:
        description:
          - "Port of the pods to limit. Default: all ports."
        type: int
      gateway:
        description:
          - Limit requests to a gateway instead of pods with a sidecar.
        type: bool
        default: false
seealso:
  - module: meshops.istio.traffic_route
"""

EXAMPLES = r"""
- name: Eject failing pods, and limit pending requests
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

- name: Use session affinity, and limit each pod to 100 requests per minute
  meshops.istio.traffic_policy:
    name: cart
    namespace: shop
    destination: cart
    session_affinity:
      cookie: {name: cart-session, ttl: 1h}
    rate_limit: {requests: 100, interval: 1m}

- name: Fail over to another region
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
  description: Changes that were made, or would be made in check mode, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample:
    - {action: create, api_version: networking.istio.io/v1, kind: DestinationRule, namespace: shop, name: ratings}
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
      sample: DestinationRule
    namespace:
      description: Namespace of the object.
      returned: always
      type: str
      sample: shop
    name:
      description: Name of the object.
      returned: always
      type: str
      sample: ratings
resources:
  description:
    - The objects that the module manages, as the API server returned them, or in check mode as they would be. Values of
      secrets are hidden, and C(managedFields) left out.
    - C(status) is that of the last read or write, before the module waited.
  returned: success
  type: list
  elements: dict
  sample: [{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: shop, namespace: shop}}]
plan_digest:
  description: Digest of the plan, for use as O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description: Stable error code, for example V(host_missing), V(policy_taken), V(subset_in_use).
  returned: failure
  type: str
  sample: host_missing
details:
  description: Details of the failure. C(problems) lists all failed checks.
  returned: failure
  type: dict
  sample:
    problems:
      - "Host ratings.shop.svc.cluster.local of destination not found: no Service or ServiceEntry has this name. Create it
        first, or correct destination."
"""

from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.policies import build as policy
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.policies import checks, rate_limit
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.fields import Options
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.registry import (
    DESTINATION_RULE,
    ENVOY_FILTER,
)
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.unit import Builder
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Object
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
    """Build the DestinationRule and the EnvoyFilter of the options."""
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
