# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables of the role mesh, options of modules, and what filters and reports are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleError
from ansible_collections.meshops.istio.plugins.filter.checks import checks
from ansible_collections.meshops.istio.plugins.filter.conform import conform
from ansible_collections.meshops.istio.plugins.filter.tracing_providers import tracing_providers
from ansible_collections.meshops.istio.plugins.filter.version_problem import version_problem
from ansible_collections.meshops.istio.plugins.plugin_utils.report.lines import summary
from ansible_collections.meshops.istio.plugins.plugin_utils.report.machine import as_json, as_junit
from ansible_collections.meshops.istio.plugins.plugin_utils.report.page import as_markdown
from ansible_collections.meshops.istio.plugins.plugin_utils.report.results import readable_results
from ansible_collections.meshops.istio.tests.fuzz.conftest import Try
from ansible_collections.meshops.istio.tests.fuzz.driver import check_sentence, fuzz
from ansible_collections.meshops.istio.tests.fuzz.odd import mistaken, values
from ansible_collections.meshops.istio.tests.fuzz.running import cluster_of
from ansible_collections.meshops.istio.tests.fuzz.test_live_objects import CALLS, mesh_of
from hypothesis import strategies as st

_SPECS = Path(__file__).resolve().parents[2] / "roles/mesh/meta/argument_specs.yml"
OPTIONS: dict[str, Any] = yaml.safe_load(_SPECS.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]

_TEXTS = st.one_of(
    st.sampled_from(
        [
            "a, b",
            "a\nb",
            "- a\n- b",
            "[a, b",
            "{a: b",
            "{a: b}",
            "a: b\nc: d",
            "a=b, c=d",
            "[",
            "&a [*a]",
            "1e400",
            "inf",
            "nan",
        ]
    ),
    st.text(max_size=12),
    st.sampled_from(
        ["[" * 3000, "{a: " * 3000, "- " * 3000, "\n".join([f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 5)])]
    ),
)
_GIVEN = st.one_of(
    values,
    _TEXTS,
    mistaken({"name": "shop", "namespace": "shop", "src": ["a.yaml"], "wait": True}),
    mistaken([{"name": "shop"}]),
)


def test_variables_of_the_role() -> None:
    def check(variables: dict[str, Any]) -> None:
        for error in conform(variables, OPTIONS)["errors"]:
            check_sentence(error)

    names = st.sampled_from([*OPTIONS, "mesh_versoin"])
    fuzz("variables of the role mesh", st.dictionaries(names, _GIVEN, min_size=1, max_size=4), check, share=0.09)


_RESULT = {
    "server": "https://10.0.0.1:6443",
    "control_planes": [{"version": "1.29.1", "revision": "default", "healthy": True}],
    "gateways": [
        {
            "name": "istio-ingressgateway",
            "namespace": "istio-system",
            "type": "LoadBalancer",
            "urls": {"http": "http://a"},
            "pending": False,
        }
    ],
    "namespaces": [
        {"name": "shop", "injection": "enabled", "injector": "default", "pods": 2, "with_sidecar": 1, "revision": ""}
    ],
    "checks": [{"name": "a", "ok": True, "cause": ""}, {"name": "b", "ok": False, "cause": "It is not."}],
    "changes": [{"action": "create", "api_version": "v1", "kind": "Service", "namespace": "shop", "name": "web"}],
    "plan_digest": "6fd5aa",
    "planned": True,
    "error": {"task": "Read", "message": "It failed."},
    "workloads": [{"kind": "Deployment", "namespace": "shop", "name": "web", "pods": 1}],
}


def test_reports_of_any_results() -> None:
    def check(given: Any) -> None:
        results = readable_results(given)
        for make in (as_json, as_junit, as_markdown):
            assert isinstance(make(results), str)
        assert all(isinstance(line, str) for line in summary(results, 10))

    fuzz("results in reports", mistaken({"one": _RESULT, "two": {}}), check, share=0.04)


_FOUND = {
    **_RESULT,
    "control_planes": [
        {"version": "1.29.1", "revision": "default", "namespace": "istio-system", "healthy": True, "gateways": []}
    ],
    "namespaces": [{"name": "shop", "injection": "enabled", "injector": "default", "pods": 2, "without_sidecar": 0}],
    "workloads": [],
}


def test_filters() -> None:
    def check(given: tuple[dict[str, Any], Any, Any]) -> None:
        expected, text, other = given
        for call in (
            lambda: checks(_FOUND, expected),
            lambda: tracing_providers(str(text)),
            lambda: version_problem(text, str(other)),
        ):
            try:
                call()
            except AnsibleError as error:
                check_sentence(str(error))

    names = st.sampled_from(["revision", "namespace", "version", "namespaces"])
    scalars = st.one_of(
        st.none(), st.text(max_size=6), st.sampled_from(["1.35", "v1.35.4", "1.x", "1", "jaeger", "zipkin"])
    )
    fuzz("arguments of filters", st.tuples(st.dictionaries(names, scalars), scalars, scalars), check, share=0.02)


def test_options_of_modules(attempt: Try) -> None:
    def check(given: tuple[str, dict[str, Any]]) -> None:
        module, options = given
        if isinstance(options, dict):
            attempt(cluster_of(mesh_of([])), module, **{str(name): value for name, value in options.items()})

    rich = [
        (
            "traffic_route",
            {
                "namespace": "shop",
                "name": "web",
                "hosts": ["web"],
                "http": [
                    {
                        "name": "a",
                        "match": [{"path": {"prefix": "/"}}],
                        "route": [{"host": "web", "subset": "v1", "weight": 100}],
                    }
                ],
                "wait": False,
            },
        ),
        (
            "traffic_policy",
            {
                "namespace": "shop",
                "name": "web",
                "host": "web",
                "subsets": [{"name": "v1", "labels": {"version": "v1"}}],
                "wait": False,
            },
        ),
        (
            "gateway",
            {
                "namespace": "shop",
                "name": "front",
                "servers": [{"hosts": ["a.example.com"], "port": 80, "protocol": "http"}],
                "wait": False,
            },
        ),
        (
            "egress",
            {
                "namespace": "shop",
                "name": "api",
                "hosts": ["b.example.com"],
                "ports": [{"number": 443, "protocol": "https"}],
                "endpoints": [{"address": "10.0.0.1"}],
                "wait": False,
            },
        ),
        (
            "mtls",
            {
                "namespace": "shop",
                "name": "web",
                "selector": {"app": "web"},
                "ports": {"8080": "disable"},
                "wait": False,
            },
        ),
        (
            "authorization",
            {
                "namespace": "shop",
                "name": "web",
                "rules": [{"from": [{"namespaces": ["a"]}], "to": [{"methods": ["GET"]}]}],
                "wait": False,
            },
        ),
        *CALLS,
    ]
    given = st.sampled_from(rich).flatmap(lambda call: st.tuples(st.just(call[0]), mistaken(call[1])))
    fuzz("options of modules", given, check, share=0.05)
