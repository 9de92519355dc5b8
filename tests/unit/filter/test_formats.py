# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, hosts, ports and amounts in the variables of the role mesh."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.filter.conform import conform
from ansible_collections.meshops.istio.plugins.plugin_utils.variables.formats import FORMATS

SPECS = Path(__file__).parents[3] / "roles/mesh/meta/argument_specs.yml"
OPTIONS: dict[str, Any] = yaml.safe_load(SPECS.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]

LONG = "a" * 64


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("mesh_inject_namespaces", "shop legacy", ["'shop legacy'", "Namespace", "commas or lines"]),
        ("mesh_inject_namespaces", ["shop", "Shop"], ["mesh_inject_namespaces[1]", "'Shop'", "lower case"]),
        ("mesh_inject_namespaces", f"shop,{LONG}", ["at most 63"]),
        ("mesh_inject_namespaces", ["shop."], ["'shop.'"]),
        ("mesh_inject_namespaces", ["-shop"], ["'-shop'"]),
        ("mesh_namespace", "istio_system", ["mesh_namespace", "'istio_system'"]),
        ("mesh_revision", "1.29.1", ["mesh_revision", "revision", "1-29-1"]),
        ("mesh_revision_tags", "prod, Stable", ["mesh_revision_tags[1]", "'Stable'"]),
        ("mesh_version", "1.29", ["mesh_version", "1.29.1"]),
        ("mesh_applications", [{"name": "My Shop"}], ["mesh_applications[0].name", "'My Shop'"]),
        ("mesh_applications", [{"name": "shop", "namespace": "a b"}], ["mesh_applications[0].namespace", "'a b'"]),
        ("mesh_addons_host", "https://mesh.example.com", ["mesh_addons_host", "without scheme"]),
        ("mesh_addons_host", "mesh.*.com", ["'mesh.*.com'"]),
        ("mesh_addons_host", "mesh.example.com:8080", ["without scheme, port"]),
        ("mesh_addons_expose", [{"host": "a b"}], ["mesh_addons_expose[0].host"]),
        ("mesh_addons_gateway", {"port": 0}, ["mesh_addons_gateway.port", "65535"]),
        ("mesh_addons_gateway", {"selector": {"a b": "c"}}, ["a key of mesh_addons_gateway.selector", "'a b'"]),
        ("mesh_addons_storage", "prometheus=50 Gi", ["mesh_addons_storage.prometheus", "'50 Gi'", "10Gi"]),
        ("mesh_addons_storage", {"loki": {"size": "big"}}, ["mesh_addons_storage.loki.size"]),
        ("mesh_addons_resources", {"kiali": {"requests": {"cpu": "half"}}}, ["kiali.requests.cpu", "'half'"]),
        ("mesh_addons_tracing_sampling", 150, ["from 0 to 100"]),
        ("mesh_ingress_node_ports", "http2=70000", ["mesh_ingress_node_ports.http2", "'70000'"]),
        ("mesh_ingress_source_ranges", "10.0.0.0/8 10.1.0.0/16", ["mesh_ingress_source_ranges[0]", "commas or lines"]),
        ("mesh_ingress_address", "mesh.example.com", ["mesh_ingress_address", "IP address"]),
        ("mesh_ingress_annotations", {"a b": "c"}, ["a key of mesh_ingress_annotations"]),
        ("mesh_ingress", [{"name": "1-partners"}], ["mesh_ingress[0].name", "start with a letter"]),
        ("mesh_ingress", [{"name": "partners", "labels": {"istio": "a b"}}], ["mesh_ingress[0].labels.istio"]),
        ("mesh_image_registry", "https://registry.example.com", ["mesh_image_registry", "without a scheme"]),
        ("mesh_image_pull_secrets", "one two", ["mesh_image_pull_secrets[0]"]),
        ("mesh_tag", "1.29.1 distroless", ["mesh_tag"]),
        ("mesh_wait_timeout", 0, ["mesh_wait_timeout", "at least 1"]),
    ],
)
def test_what_cannot_be_is_one_sentence(name: str, value: Any, told: list[str]) -> None:
    (sentence,) = conform({name: value}, OPTIONS)["errors"]
    assert [word for word in told if word not in sentence] == [], sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mesh_inject_namespaces", "shop,\nlegacy"),
        ("mesh_inject_namespaces", ["1st", "a" * 63]),
        ("mesh_revision", "1-29-1"),
        ("mesh_version", "1.30.0-alpha.5"),
        ("mesh_hub", "registry.example.com:5000/istio"),
        ("mesh_hub", "docker.io/istio"),
        ("mesh_tag", "1.29.1-distroless"),
        ("mesh_addons_host", "*"),
        ("mesh_addons_host", "*.example.com"),
        ("mesh_addons_host", "Mesh.Example.com"),
        ("mesh_addons_host", "203.0.113.7"),
        ("mesh_addons_storage", {"prometheus": "50Gi", "loki": {"size": "1.5Ti", "class": "fast"}}),
        ("mesh_addons_resources", {"kiali": {"requests": {"cpu": 0.5, "memory": "1e9"}, "limits": {"cpu": "100m"}}}),
        ("mesh_ingress_node_ports", {"http2": 30080, "status-port": "0"}),
        ("mesh_ingress_source_ranges", "10.0.0.0/8, 2001:db8::/32"),
        ("mesh_ingress_address", "2001:db8::1"),
        ("mesh_ingress_annotations", {"service.beta.kubernetes.io/azure-load-balancer-internal": True}),
        ("mesh_ingress", [{"name": "partners", "labels": {"istio": "partners", "example.com/team": ""}}]),
    ],
)
def test_what_kubernetes_takes_is_taken(name: str, value: Any) -> None:
    assert conform({name: value}, OPTIONS)["errors"] == []


def test_a_path_is_one_of_a_variable() -> None:
    variables = {re.split(r"[.\[]", path)[0] for path in FORMATS}
    assert {name for name in variables if name.startswith("mesh_")} <= OPTIONS.keys()


def test_no_variable_that_is_a_name_goes_unchecked() -> None:
    checked = {re.split(r"[.\[]", path)[0] for path in FORMATS}
    named = re.compile(r"_(namespaces?|revision(_tags)?|host|secrets?|port|node_ports|address|registry|version)$")
    elsewhere = {"mesh_host", "mesh_dashboard_address", "mesh_gateway_api_version"}
    assert {
        name for name, one in OPTIONS.items() if named.search(name) and one["type"] != "bool"
    } - checked == elsewhere
