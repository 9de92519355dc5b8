#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: authorization
short_description: Allow and deny requests by client, path or token
version_added: 0.1.0
description:
  - Builds an AuthorizationPolicy of Istio, for the mesh, a namespace or a workload. With O(jwt) also a
    RequestAuthentication, which checks JSON Web Tokens, and the policy that asks for one.
  - Clients are known by their certificate (O(rules[].from[].principals), O(rules[].from[].namespaces),
    O(rules[].from[].service_accounts)) only where mutual TLS is spoken, see M(meshops.istio.mtls).
  - Warns of pods that have no sidecar, on which it has no effect.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.traffic
  - meshops.istio.plan
  - meshops.istio.wait
  - meshops.istio.attributes
options:
  root_namespace:
    description:
      - The mesh's root namespace, which is the control plane's unless the mesh's configuration says otherwise. A policy
        there, without O(selector), holds for the whole mesh.
    type: str
    default: istio-system
  selector:
    description:
      - The labels of the pods that it is for. By default all of the namespace.
    type: dict
  action:
    description:
      - What is done with requests that a rule matches. As soon as there is one policy that allows, all requests that
        none allows are refused. V(custom) asks O(provider).
    type: str
    choices: [allow, deny, audit, custom]
    default: allow
  provider:
    description:
      - The name of the external authorizer in the mesh's configuration, for O(action=custom).
    type: str
  rules:
    description:
      - The requests that it is for. One of the rules has to hold, with all that it says. An empty rule matches all
        requests; an empty list with O(action=allow) allows nothing.
      - Texts may begin or end with C(*).
    type: list
    elements: dict
    suboptions:
      from:
        description:
          - Who sends the request, one of the list.
        type: list
        elements: dict
        suboptions:
          principals:
            description:
              - The certificate's identity, as V(cluster.local/ns/shop/sa/web).
            type: list
            elements: str
          not_principals:
            description:
              - The same, and none of these.
            type: list
            elements: str
          request_principals:
            description:
              - The token's issuer and subject, as V(https://issuer.example.com/*).
            type: list
            elements: str
          not_request_principals:
            description:
              - The same, and none of these.
            type: list
            elements: str
          namespaces:
            description:
              - The namespace.
            type: list
            elements: str
          not_namespaces:
            description:
              - The same, and none of these.
            type: list
            elements: str
          service_accounts:
            description:
              - The service account, as V(shop/web) or, in the same namespace, V(web).
            type: list
            elements: str
          not_service_accounts:
            description:
              - The same, and none of these.
            type: list
            elements: str
          ip_blocks:
            description:
              - The network that it comes from.
            type: list
            elements: str
          not_ip_blocks:
            description:
              - The same, and none of these.
            type: list
            elements: str
          remote_ip_blocks:
            description:
              - The network of the first client, as X-Forwarded-For tells.
            type: list
            elements: str
          not_remote_ip_blocks:
            description:
              - The same, and none of these.
            type: list
            elements: str
      to:
        description:
          - What is asked for, one of the list.
        type: list
        elements: dict
        suboptions:
          hosts:
            description:
              - The host that is asked for.
            type: list
            elements: str
          not_hosts:
            description:
              - The same, and none of these.
            type: list
            elements: str
          ports:
            description:
              - The port of the pod.
            type: list
            elements: str
          not_ports:
            description:
              - The same, and none of these.
            type: list
            elements: str
          methods:
            description:
              - The method.
            type: list
            elements: str
          not_methods:
            description:
              - The same, and none of these.
            type: list
            elements: str
          paths:
            description:
              - The path, without the query.
            type: list
            elements: str
          not_paths:
            description:
              - The same, and none of these.
            type: list
            elements: str
      when:
        description:
          - Further conditions, all of the list.
        type: list
        elements: dict
        suboptions:
          key:
            description:
              - The attribute by Istio's name, as V(request.headers[x-tenant]) or V(request.auth.claims[groups]).
            type: str
            required: true
          values:
            description:
              - The values of which it must have one.
            type: list
            elements: str
          not_values:
            description:
              - The values of which it must have none.
            type: list
            elements: str
  jwt:
    description:
      - Whose tokens are accepted. A wrong token is refused with 401.
    type: list
    elements: dict
    suboptions:
      issuer:
        description:
          - Who issued the token, its claim C(iss).
        type: str
        required: true
      audiences:
        description:
          - Of the claim C(aud) one must be among these.
        type: list
        elements: str
      jwks:
        description:
          - The public keys, as a JSON Web Key Set.
        type: str
      jwks_uri:
        description:
          - Where the public keys are found. By default by the issuer's OpenID configuration.
        type: str
      from_headers:
        description:
          - The headers that the token is in. By default C(Authorization) after C(Bearer).
        type: list
        elements: dict
        suboptions:
          name:
            description:
              - The name of the header.
            type: str
            required: true
          prefix:
            description:
              - What stands before the token.
            type: str
      from_params:
        description:
          - The query parameters that the token is in.
        type: list
        elements: str
      from_cookies:
        description:
          - The cookies that the token is in.
        type: list
        elements: str
      forward:
        description:
          - Whether the workload gets the token too.
        type: bool
      payload_header:
        description:
          - A header in which the workload gets the token's claims.
        type: str
      timeout:
        description:
          - How long getting the keys may take.
        type: str
  jwt_required:
    description:
      - Whether requests without a token are refused, with 403.
    type: bool
    default: true
seealso:
  - module: meshops.istio.mtls
"""

EXAMPLES = r"""
- name: Only the web front end may read
  meshops.istio.authorization:
    name: api
    namespace: shop
    selector: {app: api}
    rules:
      - from:
          - principals: [cluster.local/ns/shop/sa/web]
        to:
          - methods: [GET]

- name: Nobody gets at the administration from outside
  meshops.istio.authorization:
    name: no-admin
    namespace: istio-system
    selector: {istio: ingressgateway}
    action: deny
    rules:
      - to:
          - paths: [/admin*]

- name: Nothing is allowed in a namespace, but for what other policies allow
  meshops.istio.authorization:
    name: nothing
    namespace: shop
    rules: []

- name: Requests need a token
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
  description: What was changed, or in check mode would be, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample:
    - {action: create, api_version: security.istio.io/v1, kind: AuthorizationPolicy, namespace: shop, name: api}
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
      sample: security.istio.io/v1
    kind:
      description: The object's kind.
      returned: always
      type: str
      sample: AuthorizationPolicy
    namespace:
      description: The object's namespace.
      returned: always
      type: str
      sample: shop
    name:
      description: The object's name.
      returned: always
      type: str
      sample: api
plan_digest:
  description: Names the plan, for O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description: What went wrong, as one stable word, for example V(invalid_input), V(owned), V(not_installed).
  returned: failure
  type: str
  sample: invalid_input
details:
  description: What is known about the failure; C(problems) is all that spoke against the plan.
  returned: failure
  type: dict
  sample: {problems: ["AuthorizationPolicy shop/api belongs to the application 'shop': change it there, or choose another name."]}
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
