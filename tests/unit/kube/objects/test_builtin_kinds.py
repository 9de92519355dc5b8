# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where kinds are found at the API server."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.builtin_kinds import (
    BUILT_IN,
    Resource,
    defined_by,
    of_definitions,
    of_discovery,
    versions_of,
)
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.kube.manifests import definition, obj


@pytest.mark.parametrize(
    ("api_version", "kind", "plural", "namespaced"),
    [
        ("v1", "Namespace", "namespaces", False),
        ("v1", "Endpoints", "endpoints", True),
        ("apps/v1", "DaemonSet", "daemonsets", True),
        ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", True),
        ("networking.k8s.io/v1", "Ingress", "ingresses", True),
        ("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", False),
        ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", False),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", False),
    ],
)
def test_kinds_of_kubernetes_are_known(api_version: str, kind: str, plural: str, namespaced: bool) -> None:
    assert BUILT_IN[Kind(api_version, kind)] == Resource(plural, namespaced)


def test_definitions_tell_their_kinds_in_each_version_that_they_serve() -> None:
    one = definition()
    one["spec"]["versions"] += [{"name": "v1beta1", "served": True}, {"name": "v1alpha1", "served": False}]
    assert of_definitions([one, definition("World", scope="Cluster")]) == {
        Kind("example.com/v1", "Shape"): Resource("shapes", True),
        Kind("example.com/v1beta1", "Shape"): Resource("shapes", True),
        Kind("example.com/v1", "World"): Resource("worlds", False),
    }
    assert defined_by(one) == ("example.com", "Shape")


def test_definitions_that_say_nothing_define_nothing() -> None:
    broken = obj("apiextensions.k8s.io/v1", "CustomResourceDefinition", "broken")
    assert of_definitions([broken, {**broken, "spec": {"names": None, "versions": None}}]) == {}
    assert defined_by(broken) == ("", "")


def resource(plural: str, kind: str, scope: str) -> dict[str, Any]:
    return {"resource": plural, "responseKind": {"kind": kind}, "scope": scope}


def test_discovery_tells_all_kinds_at_once() -> None:
    document = {
        "kind": "APIGroupDiscoveryList",
        "items": [
            {"metadata": {}, "versions": [{"version": "v1", "resources": [resource("pods", "Pod", "Namespaced")]}]},
            {
                "metadata": {"name": "example.com"},
                "versions": [
                    {"version": "v1", "resources": [resource("worlds", "World", "Cluster"), {"resource": "x"}]},
                    {"version": "v1beta1"},
                ],
            },
        ],
    }
    assert of_discovery(document) == {
        Kind("v1", "Pod"): Resource("pods", True),
        Kind("example.com/v1", "World"): Resource("worlds", False),
    }


def test_older_servers_tell_the_kinds_of_each_version() -> None:
    resources = [
        {"name": "worlds", "kind": "World", "namespaced": False},
        {"name": "worlds/status", "kind": "World", "namespaced": False},
    ]
    document = {"kind": "APIResourceList", "groupVersion": "example.com/v1", "resources": resources}
    assert of_discovery(document) == {Kind("example.com/v1", "World"): Resource("worlds", False)}
    assert versions_of({"kind": "APIVersions", "versions": ["v1"]}) == ["v1"]
    groups = [{"versions": [{"groupVersion": "example.com/v1"}, {"groupVersion": "example.com/v1beta1"}]}]
    assert versions_of({"kind": "APIGroupList", "groups": groups}) == ["example.com/v1", "example.com/v1beta1"]


@pytest.mark.parametrize(
    "odd", [True, "x", {}, {"versions": "v1"}, {"versions": [{"resources": [{"responseKind": "a"}]}]}]
)
def test_what_is_odd_in_discovery_is_left_out(odd: Any) -> None:
    known = {
        "version": "v1",
        "resources": [{"resource": "shapes", "scope": "Namespaced", "responseKind": {"kind": "Shape"}}],
    }
    group = {"metadata": {"name": "example.com"}, "versions": [known]}
    found = of_discovery({"kind": "APIGroupDiscoveryList", "items": [odd, group]})
    assert found[Kind("example.com/v1", "Shape")] == Resource("shapes", True)
    assert versions_of({"groups": [odd, {"versions": [{"groupVersion": "apps/v1"}, odd]}]}) == ["apps/v1"]
