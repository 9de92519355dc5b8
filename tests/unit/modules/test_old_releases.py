# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases out of support on a Kubernetes of today: what it still serves is installed, the rest is refused with the reason.

The objects are as the charts of the releases render them; no istioctl of them is at hand here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.kube.manifests import definition
from ansible_collections.meshops.istio.tests.support.memory_cluster import make
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease

Object = dict[str, Any]

SYSTEM = "istio-system"
SPEC = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "istiod"}, "maxReplicas": 5}


def scaler(version: str) -> Object:
    return make("HorizontalPodAutoscaler", "istiod", SYSTEM, api=f"autoscaling/{version}", spec=SPEC)


def budget(version: str) -> Object:
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "istiod"}}}
    return make("PodDisruptionBudget", "istiod", SYSTEM, api=f"policy/{version}", spec=spec)


def crd(version: str) -> Object:
    return {**definition("VirtualService", "networking.istio.io"), "apiVersion": f"apiextensions.k8s.io/{version}"}


@pytest.fixture
def options(tmp_path: Path) -> Any:
    def options(version: str, *objects: Object, **more: Any) -> Object:
        release = MadeRelease(tmp_path / f"istio-{version}")
        release.write("manifest.yaml", f"version: {version}\n")
        release.renders(make("ConfigMap", "istio", SYSTEM, data={"mesh": "{}"}), *objects)
        return {"version": version, "source": [str(release.root)], "wait": False, **more}

    return options


@pytest.mark.parametrize(
    ("version", "supported"), [("1.17.0", "1.23 to 1.26"), ("1.20.0", "1.25 to 1.29"), ("1.28.3", "1.30 to 1.34")]
)
def test_what_is_still_served_is_installed_with_warnings(
    api: ApiServer, on_api: Run, options: Any, version: str, supported: str
) -> None:
    given = options(version, crd("v1"), scaler("v2"), budget("v1"))
    done = on_api("control_plane", **given)
    assert {change["kind"] for change in done["changes"]} >= {"CustomResourceDefinition", "PodDisruptionBudget"}
    assert sum(has_facts(one, f"{version} & {supported} & 1.35.4 & not tested") for one in done["warnings"]) == 1
    written = api.writes
    assert (on_api("control_plane", **given)["changed"], api.writes) == (False, written)


@pytest.mark.parametrize(
    ("version", "objects", "facts"),
    [
        ("1.8.1", [crd("v1beta1"), scaler("v2")], "CustomResourceDefinition of apiextensions.k8s.io/v1beta1"),
        ("1.17.0", [crd("v1"), scaler("v2beta2")], "HorizontalPodAutoscaler of autoscaling/v2beta2"),
        ("1.20.0", [crd("v1"), budget("v1beta1")], "PodDisruptionBudget of policy/v1beta1"),
    ],
)
def test_what_is_no_longer_served_is_refused_with_the_reason(
    api: ApiServer, on_api: Run, options: Any, version: str, objects: list[Object], facts: str
) -> None:
    refused = on_api("control_plane", **options(version, *objects))
    assert (refused["code"], api.writes) == ("api_not_served", [])
    assert has_facts(refused["msg"], f"Istio {version} & {facts} & not found & Kubernetes 1.35.4")
    assert "\n" not in refused["msg"]


def test_a_release_older_than_the_data_is_refused(api: ApiServer, on_api: Run, options: Any) -> None:
    refused = on_api("control_plane", **options("1.7.8"))
    assert (refused["code"], api.writes) == ("unknown_release", [])
    assert has_facts(refused["msg"], "Istio 1.7.8 & older than 1.8 & ignore_version_check")
