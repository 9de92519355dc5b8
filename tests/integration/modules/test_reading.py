# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading: a release, what speaks against it, what is installed, and where it is entered."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.lab import Lab
from ansible_collections.meshops.istio.tests.support.modules import Run


def test_a_release(run_module: Run, lab: Lab) -> None:
    found = run_module("release", **lab.release)
    assert (found["changed"], found["version"]) == (False, lab.version)
    assert {"default", "demo", "minimal"} <= set(found["profiles"])


def test_a_precheck_of_a_cluster_that_can_take_it(idle: Run, lab: Lab) -> None:
    checked = idle("precheck", **lab.release)
    assert checked["ok"]
    assert [message for message in checked["messages"] if message["level"] == "error"] == []


@pytest.mark.usefixtures("in_mesh")
def test_a_precheck_names_an_injector_without_anybody_behind_it(refused: Run, lab: Lab, cluster: Cluster) -> None:
    kind = Kind("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration")
    webhook: dict[str, Any] = {
        "name": "dead.it.meshops.io",
        "clientConfig": {"service": {"name": "istiod-dead", "namespace": "istio-system"}},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        # It matches nothing that exists.
        "namespaceSelector": {"matchLabels": {"istio.io/rev": "dead"}},
    }
    manifest = {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": "it-dead-injector", "labels": {"istio.io/rev": "dead"}},
        "webhooks": [webhook],
    }
    cluster.create(manifest, manager="tests")
    try:
        result = refused("precheck", **lab.release)
    finally:
        cluster.delete(kind, "it-dead-injector")
    assert result["code"] == "precheck_failed"
    assert "dead_injector" in {message["code"] for message in result["messages"]}


@pytest.mark.usefixtures("in_mesh")
def test_what_is_installed(idle: Run, lab: Lab) -> None:
    installed = idle("control_plane_info")
    (plane,) = (one for one in installed["control_planes"] if one["revision"] == "default")
    assert (plane["version"], plane["healthy"], plane["namespace"]) == (lab.version, True, "istio-system")
    assert "istio-ingressgateway" in {gateway["name"] for gateway in plane["gateways"]}
    assert installed["kubernetes"].startswith("1.")


@pytest.mark.usefixtures("in_mesh")
def test_where_it_is_entered(idle: Run) -> None:
    gateway = idle("ingress_info", wait=True, wait_timeout=60)
    assert not gateway["pending"]
    assert {"http2", "https"} <= set(gateway["urls"])
    assert gateway["ports"]["http2"]["port"] == 80


@pytest.mark.usefixtures("in_mesh")
def test_an_analysis_finds_a_route_to_nowhere(idle: Run, run: Run, lab: Lab, namespace: str) -> None:
    route = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "lost", "namespace": namespace},
        "spec": {"hosts": ["nowhere"], "http": [{"route": [{"destination": {"host": "nowhere"}}]}]},
    }
    wanted = {**lab.release, "namespaces": [namespace]}
    assert "IST0101" not in {one["code"] for one in idle("analysis_info", **wanted)["messages"]}
    found = run("analysis_info", fails=True, definition=[route], **wanted)
    assert (found["code"], "IST0101" in {one["code"] for one in found["messages"]}) == ("analysis_failed", True)
    assert idle("analysis_info", definition=[route], tolerate=["IST0101"], **wanted)["ok"]


@pytest.mark.usefixtures("in_mesh")
def test_an_analysis_of_a_namespace_that_is_not_there_is_not_silent(refused: Run, lab: Lab) -> None:
    assert refused("analysis_info", **lab.release, namespaces=["it-none"])["code"] == "namespace_missing"
