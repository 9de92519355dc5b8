#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: authorization
short_description: AuthorizationPolicy, RequestAuthentication (manage access by client, path and token)
version_added: 0.1.0
description:
  - Manages an AuthorizationPolicy for the mesh, a namespace or workloads. With O(jwt), also manages a
    RequestAuthentication that validates JSON Web Tokens (JWT), and with O(jwt_required) an AuthorizationPolicy that
    requires one.
  - O(rules[].from[].principals), O(rules[].from[].namespaces) and O(rules[].from[].service_accounts) identify clients
    by their certificates. They require mutual TLS, see M(meshops.istio.mtls).
  - Returns a warning for pods without a sidecar, because policies have no effect on them.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.traffic
  - meshops.istio.plan
  - meshops.istio.wait.proxies
  - meshops.istio.attributes
options:
  root_namespace:
    description:
      - Root namespace of the mesh, which is the namespace of the control plane unless C(meshConfig.rootNamespace) is
        set. A policy in this namespace without O(selector) applies to the whole mesh.
    type: str
    default: istio-system
  selector:
    description:
      - "Labels of the pods that the policy applies to. Default: all pods of the namespace."
    type: dict
  action:
    description:
      - Action for requests that match a rule. If an V(allow) policy applies to a workload, requests that no V(allow)
        policy matches are denied. V(custom) delegates the decision to O(provider).
    type: str
    choices: [allow, deny, audit, custom]
    default: allow
  provider:
    description:
      - Name of the external authorizer among the extension providers of the mesh, for O(action=custom).
    type: str
  rules:
    description:
      - Rules for requests. The policy applies to requests that match at least one rule. An empty rule matches all
        requests. An empty list with O(action=allow) denies all requests.
      - Values may start or end with C(*).
    type: list
    elements: dict
    suboptions:
      from:
        description:
          - Sources of the request. At least one item must match.
        type: list
        elements: dict
        suboptions:
          principals:
            description:
              - Peer identities from the client certificate, for example V(cluster.local/ns/shop/sa/web).
            type: list
            elements: str
          not_principals:
            description:
              - Values that must not match.
            type: list
            elements: str
          request_principals:
            description:
              - Request identities from the token, as issuer and subject, for example V(https://issuer.example.com/*).
            type: list
            elements: str
          not_request_principals:
            description:
              - Values that must not match.
            type: list
            elements: str
          namespaces:
            description:
              - Namespaces of the client.
            type: list
            elements: str
          not_namespaces:
            description:
              - Values that must not match.
            type: list
            elements: str
          service_accounts:
            description:
              - Service accounts of the client, for example V(shop/web), or V(web) in the same namespace.
            type: list
            elements: str
          not_service_accounts:
            description:
              - Values that must not match.
            type: list
            elements: str
          ip_blocks:
            description:
              - IP addresses and networks (CIDR) of the direct client, for example V(10.0.0.0/8).
            type: list
            elements: str
          not_ip_blocks:
            description:
              - Values that must not match.
            type: list
            elements: str
          remote_ip_blocks:
            description:
              - IP addresses and networks (CIDR) of the original client, as in the header C(X-Forwarded-For).
            type: list
            elements: str
          not_remote_ip_blocks:
            description:
              - Values that must not match.
            type: list
            elements: str
      to:
        description:
          - Operations of the request. At least one item must match.
        type: list
        elements: dict
        suboptions:
          hosts:
            description:
              - Hosts of the request, for example V(shop.example.com).
            type: list
            elements: str
          not_hosts:
            description:
              - Values that must not match.
            type: list
            elements: str
          ports:
            description:
              - Ports of the pod, for example V(8080).
            type: list
            elements: str
          not_ports:
            description:
              - Values that must not match.
            type: list
            elements: str
          methods:
            description:
              - HTTP methods, for example V(GET).
            type: list
            elements: str
          not_methods:
            description:
              - Values that must not match.
            type: list
            elements: str
          paths:
            description:
              - Paths of the request without the query string, for example V(/admin*).
            type: list
            elements: str
          not_paths:
            description:
              - Values that must not match.
            type: list
            elements: str
      when:
        description:
          - Additional conditions. All items must match.
        type: list
        elements: dict
        suboptions:
          key:
            description:
              - Name of an Istio attribute, for example V(request.headers[x-tenant]) or V(request.auth.claims[groups]).
            type: str
            required: true
          values:
            description:
              - Values of the attribute. At least one must match.
            type: list
            elements: str
          not_values:
            description:
              - Values of the attribute that must not match.
            type: list
            elements: str
  jwt:
    description:
      - Issuers of accepted tokens. Requests with an invalid token are rejected with status 401.
    type: list
    elements: dict
    suboptions:
      issuer:
        description:
          - Issuer of the token (claim C(iss)).
        type: str
        required: true
      audiences:
        description:
          - Accepted audiences. At least one of them must be in the claim C(aud) of the token.
        type: list
        elements: str
      jwks:
        description:
          - Public keys of the issuer as a JSON Web Key Set (JWKS).
        type: str
      jwks_uri:
        description:
          - "URL of the issuer's JWKS. Default: the URL in the OpenID discovery document of the issuer."
        type: str
      from_headers:
        description:
          - "Headers that contain the token. Default: C(Authorization) with the prefix C(Bearer)."
        type: list
        elements: dict
        suboptions:
          name:
            description:
              - Name of the header.
            type: str
            required: true
          prefix:
            description:
              - Prefix of the token in the header, for example V(Bearer ).
            type: str
      from_params:
        description:
          - Query parameters that contain the token.
        type: list
        elements: str
      from_cookies:
        description:
          - Cookies that contain the token.
        type: list
        elements: str
      forward:
        description:
          - Forward the token to the workload.
        type: bool
      payload_header:
        description:
          - Name of a header that forwards the claims of the token to the workload.
        type: str
      timeout:
        description:
          - Timeout of requests for the JWKS, for example V(5s).
        type: str
  jwt_required:
    description:
      - Reject requests without a token with status 403.
    type: bool
    default: true
seealso:
  - module: meshops.istio.mtls
"""

EXAMPLES = r"""
- name: Allow only the web front end to read
  meshops.istio.authorization:
    name: api
    namespace: shop
    selector: {app: api}
    rules:
      - from:
          - principals: [cluster.local/ns/shop/sa/web]
        to:
          - methods: [GET]

- name: Deny access to the administration pages at the ingress gateway
  meshops.istio.authorization:
    name: no-admin
    namespace: istio-system
    selector: {istio: ingressgateway}
    action: deny
    rules:
      - to:
          - paths: [/admin*]

- name: Deny all requests in a namespace that no other policy allows
  meshops.istio.authorization:
    name: nothing
    namespace: shop
    rules: []

- name: Require a JSON Web Token
  meshops.istio.authorization:
    name: tokens
    namespace: shop
    selector: {app: api}
    jwt:
      - issuer: https://issuer.example.com
        jwks_uri: https://issuer.example.com/keys
"""

RETURN = r"""
changes:
  description: Changes that were made, or would be made in check mode, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample:
    - {action: create, api_version: security.istio.io/v1, kind: AuthorizationPolicy, namespace: shop, name: api}
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
      sample: security.istio.io/v1
    kind:
      description: Kind of the object.
      returned: always
      type: str
      sample: AuthorizationPolicy
    namespace:
      description: Namespace of the object.
      returned: always
      type: str
      sample: shop
    name:
      description: Name of the object.
      returned: always
      type: str
      sample: api
resources:
  description:
    - The objects that the module manages, as the API server returned them, or in check mode as they would be. Values of
      secrets are hidden, and C(managedFields) left out.
    - C(status) is that of the last read or write, before the module waited.
  returned: success
  type: list
  elements: dict
  sample: [{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: shop, namespace: shop}}]
plan_digest:
  description: Digest of the plan, for use as O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description: Stable error code, for example V(invalid_input), V(owned), V(not_installed).
  returned: failure
  type: str
  sample: invalid_input
details:
  description: Details of the failure. C(problems) lists all failed checks.
  returned: failure
  type: dict
  sample:
    problems:
      - "Cannot apply AuthorizationPolicy shop/api: it already belongs to the application shop. Change it there, or choose
        another name."
"""

from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.security import (
    authorization_build,
    authorization_checks,
)
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.shared.unit import Builder
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule
from ansible_collections.meshops.istio.plugins.module_utils.traffic_module import COMMON, manage

TEXTS = {"type": "list", "elements": "str"}

SOURCE = {f"{negation}{name}": TEXTS for name in authorization_build.SOURCES for negation in ("", "not_")}
OPERATION = {f"{negation}{name}": TEXTS for name in authorization_build.OPERATIONS for negation in ("", "not_")}
CONDITION = {"key": {"type": "str", "required": True, "no_log": False}, "values": TEXTS, "not_values": TEXTS}

RULE = {
    "from": {"type": "list", "elements": "dict", "options": SOURCE},
    "to": {"type": "list", "elements": "dict", "options": OPERATION},
    "when": {"type": "list", "elements": "dict", "options": CONDITION},
}

JWT = {
    "issuer": {"type": "str", "required": True},
    "audiences": TEXTS,
    "jwks": {"type": "str"},
    "jwks_uri": {"type": "str"},
    "from_headers": {
        "type": "list",
        "elements": "dict",
        "options": {"name": {"type": "str", "required": True}, "prefix": {"type": "str"}},
    },
    "from_params": TEXTS,
    "from_cookies": TEXTS,
    "forward": {"type": "bool"},
    "payload_header": {"type": "str"},
    "timeout": {"type": "str"},
}

BUILDER = Builder(
    module="authorization",
    kinds=(authorization_checks.AUTHORIZATION_POLICY, authorization_checks.REQUEST_AUTHENTICATION),
    build=lambda options, _cluster: authorization_build.build(options),
    problems=authorization_checks.problems,
)


def main() -> None:
    """Run the module."""
    module = MeshModule(
        {
            **COMMON,
            "root_namespace": {"type": "str", "default": "istio-system"},
            "selector": {"type": "dict"},
            "action": {"type": "str", "choices": ["allow", "deny", "audit", "custom"], "default": "allow"},
            "provider": {"type": "str"},
            "rules": {"type": "list", "elements": "dict", "options": RULE},
            "jwt": {"type": "list", "elements": "dict", "options": JWT},
            "jwt_required": {"type": "bool", "default": True},
        },
    )
    module.run(lambda module: manage(module, BUILDER))


if __name__ == "__main__":
    main()
