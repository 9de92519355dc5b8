# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds access control: an AuthorizationPolicy, and for JSON Web Tokens a RequestAuthentication beside it."""

from __future__ import annotations

from typing import Any

from ....kube.errors import InvalidInput
from ..shared.fields import SECURITY, Object, Options, duration, each, given, make, texts

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
    """The objects of `authorization`'s options. Raises InvalidInput for what can be told without a cluster."""
    jwt, rules = options.get("jwt"), options.get("rules")
    if rules is None and not jwt:
        raise InvalidInput("Access control needs rules or jwt; an empty list of rules allows nothing.")
    namespace, name, selector = options["namespace"], options["name"], _selector(options)
    objects = []
    if jwt:
        tokens = [_jwt(one, where) for where, one in each(options, "jwt")]
        objects.append(make(SECURITY, "RequestAuthentication", namespace, name, given(**selector, jwtRules=tokens)))
    if jwt and options.get("jwt_required"):
        # By itself a RequestAuthentication refuses wrong tokens only, not requests without any.
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
            f"The action {action} with no rules does nothing; an empty rule matches all.", option="rules"
        )
    if (action == "custom") != bool(options.get("provider")):
        raise InvalidInput("The action custom needs a provider, and no other action has one.", option="provider")
    # An ALLOW policy without rules allows nothing, so the list is left out rather than sent empty.
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
    """Each attribute, and its negation."""
    fields = {}
    for name, field in names.items():
        fields[field] = _texts(options.get(name))
        fields[f"not{field[0].upper()}{field[1:]}"] = _texts(options.get(f"not_{name}"))
    said = given(**fields)
    if not said:
        raise InvalidInput(f"{where} says nothing; leave it out to mean everything.", option=where)
    return said


def _texts(values: Any) -> list[str] | None:
    return None if values is None else [str(value) for value in values]


def _jwt(one: Options, where: str) -> dict[str, Any]:
    if one.get("jwks") and one.get("jwks_uri"):
        raise InvalidInput(f"{where}: jwks and jwks_uri exclude each other.", option=where)
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
