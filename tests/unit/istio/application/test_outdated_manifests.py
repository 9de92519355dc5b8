# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manifests as they were published years ago: refused before the first write, with a sentence that helps."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer, Request
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run

DEPLOYMENT = """\
apiVersion: {version}
kind: Deployment
metadata:
  name: hello
spec:
  template:
    metadata:
      labels:
        app: hello
        version: latest
        {more}
    spec:
      containers:
        - name: hello
          image: hello:1
"""


def discovered(request: Request) -> Answer | None:
    """An API server that serves Deployments as today's do."""
    if request.path != "/apis":
        return None
    deployments = {"resource": "deployments", "responseKind": {"kind": "Deployment"}, "scope": "Namespaced"}
    group = {"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [deployments]}]}
    return Answer(200, {"kind": "APIGroupDiscoveryList", "items": [group]})


@pytest.mark.parametrize("check", [True, False])
def test_a_removed_api_version_is_refused_with_its_successor(api: ApiServer, on_api: Run, check: bool) -> None:
    api.fault = discovered
    old = DEPLOYMENT.format(version="extensions/v1beta1", more="")
    result = on_api("application", name="hello", definition=[old], check=check)
    assert (result["code"], api.writes) == ("unknown_kind", [])
    facts = "Deployment of extensions/v1beta1 & apps/v1 & change the apiVersion of Deployment hello"
    assert has_facts(result["msg"], facts)


def test_a_repeated_key_is_refused_with_file_and_line(api: ApiServer, on_api: Run, tmp_path: Path) -> None:
    file = tmp_path / "hello.yaml"
    file.write_text(DEPLOYMENT.format(version="apps/v1", more="version: v1"))
    result = on_api("application", name="hello", src=[str(file)])
    assert (result["code"], api.writes) == ("invalid_input", [])
    assert has_facts(result["msg"], f"{file}, line 11 & key 'version' & duplicate")


def test_a_rule_of_the_time_before_kubernetes_had_them(api: ApiServer, on_api: Run) -> None:
    rule = "type: route-rule\nname: canary\nspec: {precedence: 1}\n"
    result = on_api("application", name="hello", definition=[rule])
    assert (result["code"], api.writes) == ("invalid_input", [])
    assert has_facts(result["msg"], "definition 1, document 1 & apiVersion & not found")


@pytest.mark.parametrize("check", [True, False])
def test_a_removed_kind_of_istio_is_refused_with_its_replacement(api: ApiServer, on_api: Run, check: bool) -> None:
    policy = "apiVersion: authentication.istio.io/v1alpha1\nkind: Policy\nmetadata: {name: tokens}\n"
    result = on_api("application", name="hello", definition=[policy], check=check)
    assert (result["code"], api.writes) == ("unknown_kind", [])
    facts = "Policy & removed & authentication.istio.io/v1alpha1 & PeerAuthentication & modules mtls and authorization"
    assert has_facts(result["msg"], facts)


def test_a_workload_without_a_selector_is_refused_by_name(api: ApiServer, on_api: Run) -> None:
    api.fault = discovered
    old = DEPLOYMENT.format(version="apps/v1", more="tier: front")
    result = on_api("application", name="hello", namespace="new", create_namespaces=True, definition=[old])
    assert (result["code"], api.writes) == ("invalid_input", [])
    assert has_facts(
        result["msg"], "Deployment new/hello & spec.selector & apps/v1 & {app: hello, version: latest, tier: front}"
    )
