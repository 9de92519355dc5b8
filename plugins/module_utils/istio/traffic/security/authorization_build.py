# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build access control: an AuthorizationPolicy, and a RequestAuthentication for JSON Web Tokens."""

from __future__ import annotations

from typing import Any

from ....kube.errors import InvalidInput
from ....kube.objects.objects import Object
from ..shared.fields import SECURITY, Options, duration, each, given, make, texts

SOURCES = {
    "principals": "principals",
    "request_principals": "requestPrincipals",
    "namespaces": "namespaces",
    "service_accounts": "serviceAccounts",
    "ip_blocks": "ipBlocks",
    "remote_ip_blocks": "remoteIpBlocks",
}
OPERATIONS = {"hosts": "hosts", "ports": "ports", "methods": "methods", "paths": "paths"}


def build(options: Options) -> list[Object]:
    """Build the objects from the options of `authorization`. Raises InvalidInput."""
    jwt, rules = options.get("jwt"), options.get("rules")
    if rules is None and not jwt:
        raise InvalidInput(
            "The authorization is empty: neither rules nor jwt is set. Set one of them; an empty list of rules allows"
            " nothing."
        )
    namespace, name, selector = options["namespace"], options["name"], _selector(options)
    objects = []
    if jwt:
        tokens = [_jwt(one, where) for where, one in each(options, "jwt")]
        objects.append(make(SECURITY, "RequestAuthentication", namespace, name, given(**selector, jwtRules=tokens)))
    if jwt and options.get("jwt_required"):
        # A RequestAuthentication rejects invalid tokens, but not requests without a token.
        anonymous = {"from": [{"source": {"notRequestPrincipals": ["*"]}}]}
        spec = {**selector, "action": "DENY", "rules": [anonymous]}
        objects.append(make(SECURITY, "AuthorizationPolicy", namespace, f"{name}-jwt", spec))
    if rules is not None:
        objects.append(make(SECURITY, "AuthorizationPolicy", namespace, name, {**selector, **_policy(options)}))
    return objects


def _selector(options: Options) -> dict[str, Any]:
    return given(selector=given(matchLabels=texts(options.get("selector"))))


def _policy(options: Options) -> dict[str, Any]:
    action = options["action"]
    rules = [_rule(rule, where) for where, rule in each(options, "rules")]
    if not rules and action != "allow":
        raise InvalidInput(
            f"action {action} without rules has no effect. Set rules; an empty rule matches all requests.",
            option="rules",
        )
    if (action == "custom") != bool(options.get("provider")):
        raise InvalidInput(
            "provider is required for the action custom, and invalid for others. Set or remove provider.",
            option="provider",
        )
    # The list is omitted if empty: an ALLOW policy without rules allows nothing.
    return {"action": action.upper(), **given(rules=rules, provider=given(name=options.get("provider")))}


def _rule(rule: Options, where: str) -> dict[str, Any]:
    return given(
        **{"from": [{"source": _either(source, SOURCES, place)} for place, source in each(rule, "from", where)]},
        to=[{"operation": _either(operation, OPERATIONS, place)} for place, operation in each(rule, "to", where)],
        when=[
            given(key=one["key"], values=one.get("values"), notValues=one.get("not_values"))
            for _where, one in each(rule, "when")
        ],
    )


def _either(options: Options, names: dict[str, str], where: str) -> dict[str, Any]:
    """Return each attribute, and its negation."""
    fields = {}
    for name, field in names.items():
        fields[field] = _texts(options.get(name))
        fields[f"not{field[0].upper()}{field[1:]}"] = _texts(options.get(f"not_{name}"))
    found = given(**fields)
    if not found:
        raise InvalidInput(f"{where} is empty. Remove it to match everything, or set a condition.", option=where)
    return found


def _texts(values: Any) -> list[str] | None:
    return None if values is None else [str(value) for value in values]


def _jwt(one: Options, where: str) -> dict[str, Any]:
    if one.get("jwks") and one.get("jwks_uri"):
        raise InvalidInput(f"{where} is invalid: jwks and jwks_uri conflict. Remove one of them.", option=where)
    headers = [given(name=header["name"], prefix=header.get("prefix")) for header in one.get("from_headers") or ()]
    return given(
        issuer=one["issuer"],
        audiences=one.get("audiences"),
        jwks=one.get("jwks"),
        jwksUri=one.get("jwks_uri"),
        fromHeaders=headers,
        fromParams=one.get("from_params"),
        fromCookies=one.get("from_cookies"),
        forwardOriginalToken=one.get("forward"),
        outputPayloadToHeader=one.get("payload_header"),
        timeout=duration(one.get("timeout"), f"{where}.timeout"),
    )
