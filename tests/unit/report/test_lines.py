# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines that a person reads at the end of a run."""

from __future__ import annotations

from typing import Any

from ansible_collections.meshops.istio.plugins.plugin_utils.report.lines import summary
from ansible_collections.meshops.istio.tests.support.messages import has_facts

RESULT: dict[str, Any] = {
    "server": "https://10.0.0.1:6443",
    "kubernetes": "1.35.4",
    "control_planes": [{"revision": "default", "version": "1.29.1", "healthy": True}],
    "gateways": [
        {
            "name": "istio-ingressgateway",
            "type": "NodePort",
            "urls": {"http2": "http://10.0.0.1:30080", "https": "https://10.0.0.1:30443"},
            "pending": False,
        }
    ],
    "namespaces": [
        {"name": "shop", "injection": "enabled", "revision": "", "injector": "default", "pods": 2, "with_sidecar": 2},
        {"name": "kube-system", "injection": "none", "revision": "", "injector": "", "pods": 9, "with_sidecar": 0},
    ],
    "applications": [{"name": "helloworld", "namespace": "shop"}],
    "changes": [],
}
SERVICE = {"action": "create", "api_version": "v1", "kind": "Service", "namespace": "shop", "name": "web"}
NAMESPACE = {"action": "update", "api_version": "v1", "kind": "Namespace", "namespace": "", "name": "shop"}


def test_a_mesh_in_a_few_lines() -> None:
    assert summary({"prod": RESULT}) == [
        "prod: https://10.0.0.1:6443 (Kubernetes 1.35.4)",
        "  control plane  1.29.1  revision default  healthy",
        "  gateway        istio-ingressgateway  NodePort  http://10.0.0.1:30080  https://10.0.0.1:30443",
        "  namespace      shop  injection enabled  2 of 2 pods with a sidecar",
        "  application    helloworld  namespace shop",
        "  changed        nothing",
    ]


def test_pods_without_a_sidecar_are_listed_with_the_remedy() -> None:
    lacking = {"kind": "Deployment", "namespace": "shop", "missing": 1, "reason": ""}
    workloads = [
        {**lacking, "name": "web", "rolling_out": False, "progress": ""},
        {**lacking, "name": "slow", "rolling_out": True, "progress": "1/3 replicas updated"},
    ]
    web, slow = [line for line in summary({"prod": {**RESULT, "workloads": workloads}}) if "no sidecar" in line]
    assert "mesh_restart" in web
    assert "rollout in progress: 1/3 replicas updated" in slow
    assert "mesh_restart" not in slow


OLD = {"code": "security_bulletin", "level": "warning", "release": "1.29.1", "fix": "Upgrade to 1.31.4."}


def test_what_is_wrong_with_the_release_is_a_row_each() -> None:
    findings = [
        {
            **OLD,
            "code": "end_of_life",
            "level": "error",
            "origin": "Istio 1.29.1",
            "message": "Istio 1.29.1 has ended.",
        },
        {**OLD, "origin": "ISTIO-SECURITY-2026-003", "fixed_in": "1.29.2", "message": "It is affected."},
        {**OLD, "origin": "ISTIO-SECURITY-2026-004", "fixed_in": "", "message": "It is affected."},
    ]
    error, warning = summary({"prod": {**RESULT, "findings": findings}})[5:7]
    assert error == "  error          Istio 1.29.1 has ended. Upgrade to 1.31.4."
    assert has_facts(warning, "warning & 1.29.1 & 2026-003 (fixed in 1.29.2) & 2026-004 & Upgrade to 1.31.4.")


def test_an_empty_cluster() -> None:
    assert summary({"new": {"server": "https://10.0.0.1:6443", "changes": [], "planned": True}}) == [
        "new: https://10.0.0.1:6443",
        "  control plane  none",
        "  plan           nothing to change",
    ]


def test_a_few_changes_are_named_and_many_are_counted() -> None:
    result = {**RESULT, "changes": [SERVICE, SERVICE, NAMESPACE]}
    assert summary({"prod": result}, 3)[-4:] == [
        "  changed        2 created, 1 updated",
        "                 created    Service shop/web",
        "                 created    Service shop/web",
        "                 updated    Namespace shop",
    ]
    assert summary({"prod": result}, 2)[-1] == "  changed        2 created, 1 updated"


def test_a_plan_ends_with_its_digest() -> None:
    lines = summary({"prod": {**RESULT, "planned": True, "changes": [SERVICE], "plan_digest": "6fd5aa"}})
    assert lines[-3:] == [
        "  plan           1 to create, 0 to update, 0 to delete",
        "                 create     Service shop/web",
        "  plan digest    6fd5aa",
    ]


def test_a_gateway_without_an_address_is_pending() -> None:
    gateways = [
        {"name": "edge", "type": "LoadBalancer", "urls": {}, "pending": True},
        {"name": "inner", "type": "ClusterIP", "urls": {"http2": "http://inner.istio-system.svc"}, "pending": False},
    ]
    lines = summary({"prod": {**RESULT, "gateways": gateways}})
    assert "  gateway        edge   LoadBalancer  address pending" in lines
    assert "  gateway        inner  ClusterIP     http://inner.istio-system.svc" in lines


def test_workloads_without_a_sidecar_are_listed_with_the_reason() -> None:
    workloads = [
        {"kind": "Pod", "namespace": "shop", "name": "shell", "missing": 1, "reason": "delete and create it yourself"},
        {"kind": "Deployment", "namespace": "shop", "name": "web", "missing": 2, "reason": ""},
        {"kind": "Deployment", "namespace": "shop", "name": "old", "missing": 0, "reason": ""},
    ]
    assert [line for line in summary({"prod": {**RESULT, "workloads": workloads}}) if "no sidecar" in line] == [
        "  no sidecar     Pod shop/shell       delete and create it yourself",
        "  no sidecar     Deployment shop/web  restart it, or set mesh_restart",
    ]


def test_what_verify_found() -> None:
    found = {name: value for name, value in RESULT.items() if name != "changes"}
    checks = [
        {"name": "control plane default is healthy", "ok": True, "cause": ""},
        {"name": "gateway edge has an address", "ok": False, "cause": "The LoadBalancer Service of edge has none."},
    ]
    assert summary({"prod": {**found, "checks": checks}})[-2:] == [
        "  check          ok      control plane default is healthy",
        "  check          FAILED  gateway edge has an address",
    ]


def test_several_clusters_have_a_row_each_and_details_for_changes() -> None:
    failed = {"error": {"task": "Check the cluster", "message": "The cluster\ncannot be reached."}}
    lines = summary({"one": RESULT, "changed": {**RESULT, "changes": [SERVICE]}, "far away": failed})
    assert lines[:6] == [
        "  cluster   status  istio   gateways  sidecars  changes  checks  cause",
        "  one       clean   1.29.1  1 of 1    2 of 2    0        -",
        "  changed   clean   1.29.1  1 of 1    2 of 2    1        -",
        "  far away  error   -       -         -         -        -       "
        "Check the cluster: The cluster cannot be reached.",
        "",
        "changed: https://10.0.0.1:6443 (Kubernetes 1.35.4)",
    ]
    assert [line for line in lines[6:] if not line.startswith(" ")] == []


def test_the_cause_of_a_failure_ends_the_summary() -> None:
    failed = {"error": {"task": "Read the control planes", "message": "The cluster cannot be reached. " * 20}}
    lines = summary({"one": failed})
    assert "Read the control planes: The cluster cannot be reached." in lines[-1]
    assert len(lines[-1]) < 330


def test_the_cause_of_a_failed_check_is_in_the_table() -> None:
    checks = [{"name": "gateway edge", "ok": False, "cause": "Service edge has no address."}]
    table = summary({"one": RESULT, "two": {**RESULT, "checks": checks}})[:3]
    assert table[1].endswith("-")
    assert table[2].endswith("0 of 1  Service edge has no address.")


def test_a_plan_counts_all_its_actions() -> None:
    restart = {**SERVICE, "action": "restart", "kind": "Deployment"}
    lines = summary({"prod": {**RESULT, "planned": True, "changes": [SERVICE, NAMESPACE, restart], "plan_digest": "6"}})
    assert "  plan           1 to create, 1 to update, 0 to delete, 1 to restart" in lines


def test_addons_with_where_their_pages_are() -> None:
    pages = {
        "kiali": {"url": "http://mesh.example.com/kiali"},
        "jaeger": {"url": "", "cluster_url": "http://tracing.istio-system/jaeger"},
    }
    lines = summary({"prod": {**RESULT, "dashboards": pages}})
    assert "  addon          kiali   http://mesh.example.com/kiali" in lines
    assert "  addon          jaeger  inside the cluster only, at http://tracing.istio-system/jaeger" in lines


def test_a_gateway_outside_of_the_control_planes_namespace_is_named_with_its_own() -> None:
    gateways: list[dict[str, Any]] = [
        {"name": "edge", "namespace": one, "type": "ClusterIP", "urls": {}, "pending": False} for one in ("a", "b")
    ]
    lines = summary({"prod": {**RESULT, "gateways": gateways}})
    assert [line.split()[1] for line in lines if line.startswith("  gateway")] == ["a/edge", "b/edge"]


def test_what_is_left_over_is_listed_with_the_variable_that_removes_it() -> None:
    cart = {"part": "applications", "kind": "application", "namespace": "shop", "name": "cart", "reason": ""}
    tag = {"part": "revision_tags", "kind": "revision tag", "namespace": "", "name": "prod", "since": ""}
    left = [{**cart, "since": "2026-11-20T10:00:00Z"}, {**tag, "reason": "revision blue declares it"}]
    one, other = [line for line in summary({"prod": {**RESULT, "left_over": left}}) if "left over" in line]
    assert has_facts(one, "application shop/cart & 2026-11-20 & mesh_prune_applications")
    assert has_facts(other, "revision tag prod & revision blue declares it")
