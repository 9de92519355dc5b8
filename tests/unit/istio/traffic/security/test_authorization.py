# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""authorization: what becomes of its options, and what it refuses and warns of."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.mesh_api import Mesh, pod
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.unit.istio.traffic.conftest import Refused, warnings_of

WEB = {"name": "web", "selector": {"app": "web"}}


def test_rules(mesh: Mesh, run: Run) -> None:
    rules = [
        {
            "from": [{"principals": ["cluster.local/ns/shop/sa/web"], "not_namespaces": ["test"]}],
            "to": [{"methods": ["GET"], "not_paths": ["/admin*"], "ports": [80]}],
            "when": [{"key": "request.headers[x-tenant]", "values": ["a"]}],
        }
    ]
    run("authorization", **WEB, rules=rules)
    assert mesh.spec("AuthorizationPolicy", "web") == {
        "selector": {"matchLabels": {"app": "web"}},
        "action": "ALLOW",
        "rules": [
            {
                "from": [{"source": {"principals": ["cluster.local/ns/shop/sa/web"], "notNamespaces": ["test"]}}],
                "to": [{"operation": {"methods": ["GET"], "notPaths": ["/admin*"], "ports": ["80"]}}],
                "when": [{"key": "request.headers[x-tenant]", "values": ["a"]}],
            }
        ],
    }


@pytest.mark.parametrize(("rules", "expected"), [([], None), ([{}], [{}])], ids=["nothing", "everything"])
def test_nothing_and_everything(mesh: Mesh, run: Run, rules: list[Any], expected: Any) -> None:
    run("authorization", name="all", rules=rules)
    assert mesh.spec("AuthorizationPolicy", "all").get("rules") == expected


def test_an_external_authorizer(mesh: Mesh, run: Run) -> None:
    run("authorization", name="ask", action="custom", provider="opa", rules=[{"to": [{"paths": ["/x"]}]}])
    spec = mesh.spec("AuthorizationPolicy", "ask")
    assert (spec["action"], spec["provider"]) == ("CUSTOM", {"name": "opa"})


JWT = {"issuer": "https://issuer.example.com", "jwks_uri": "https://issuer.example.com/keys"}


def test_tokens_are_required_unless_said_otherwise(mesh: Mesh, run: Run) -> None:
    run("authorization", **WEB, jwt=[{**JWT, "audiences": ["shop"], "from_headers": [{"name": "x-token"}]}])
    assert mesh.spec("RequestAuthentication", "web")["jwtRules"] == [
        {
            "issuer": "https://issuer.example.com",
            "jwksUri": "https://issuer.example.com/keys",
            "audiences": ["shop"],
            "fromHeaders": [{"name": "x-token"}],
        }
    ]
    assert mesh.spec("AuthorizationPolicy", "web-jwt") == {
        "selector": {"matchLabels": {"app": "web"}},
        "action": "DENY",
        "rules": [{"from": [{"source": {"notRequestPrincipals": ["*"]}}]}],
    }
    result = run("authorization", **WEB, jwt=[JWT], jwt_required=False)
    assert {(one["action"], one["kind"]) for one in result["changes"]} == {
        ("update", "RequestAuthentication"),
        ("delete", "AuthorizationPolicy"),
    }


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "neither rules nor jwt"),
        ({"action": "deny", "rules": []}, "action deny & without rules & no effect"),
        ({"action": "custom", "rules": [{}]}, "provider & action custom"),
        ({"provider": "opa", "rules": [{}]}, "provider & invalid for others"),
        ({"jwt": [{**JWT, "jwks": "{}"}]}, "jwt[0] & jwks and jwks_uri conflict"),
        ({"rules": [{"from": [{}]}]}, "rules[0].from[0] is empty"),
    ],
)
def test_options_that_make_no_sense(refused: Refused, options: dict[str, Any], words: str) -> None:
    assert has_facts(refused("authorization", name="web", **options)["msg"], words)


def test_pods_that_nothing_protects(mesh: Mesh, run: Run) -> None:
    mesh.add(pod("web", sidecar=False))
    result = run("authorization", **WEB, rules=[])
    assert has_facts(warnings_of(result), "Access control & no effect & Deployment shop/web & no sidecar")


def test_labels_that_no_pod_has(mesh: Mesh, run: Run) -> None:
    result = run("authorization", name="api", selector={"app": "api"}, rules=[])
    assert has_facts(warnings_of(result), "Pod & app=api & not found & namespace shop")
