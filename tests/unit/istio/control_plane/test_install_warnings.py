# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user is told of a configuration, as `istioctl install` would, and what istioctl does without a word."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.configuration import Options
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.install_warnings import network_settings
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.revision import ControlPlane
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.empty_api_server import empty_api
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.change import Change
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.plan import Plan
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.tests.support.memory_cluster import MemoryCluster, deployment, make
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease

Object = dict[str, Any]

SYSTEM = "istio-system"
CILIUM = {**make("ConfigMap", "cilium-config", "kube-system"), "data": {"cni-exclusive": "true"}}


def plane(made: MadeRelease, cluster: MemoryCluster, *overlays: Object, **options: Any) -> ControlPlane:
    return ControlPlane(made.release, Options.of({"overlays": list(overlays), **options}), cluster)


def plan_of(*changes: Change) -> Plan:
    return Plan(Unit("test", []), [], {}, list(changes))


def created(obj: Object) -> Change:
    return Change("create", key_of(obj), None, obj, desired=obj)


def test_the_installers_warnings_are_shown_and_cached(made: MadeRelease) -> None:
    made.warns("a picture\n❗ old is deprecated; use new\n❗ old is deprecated; use new\n! older\nError: no more\n")
    wanted = plane(made, MemoryCluster(CILIUM))
    change = plan_of(created(deployment("istiod", SYSTEM)))
    assert wanted.warnings(change) == ["old is deprecated; use new", "older"]
    assert wanted.warnings(change) == ["old is deprecated; use new", "older"]
    runs = [call for call in made.calls if call.startswith("install ")]
    assert len(runs) == 1
    assert "--dry-run --skip-confirmation --kubeconfig" in runs[0]


def test_a_list_of_warnings_about_the_mesh_configuration(made: MadeRelease) -> None:
    made.warns("❗ 2 errors occurred:\n\t* 'OLD' is deprecated; use new\n\t* 'OLDER' too\n\n\nError: no more\n")
    wanted = plane(made, MemoryCluster())
    assert wanted.warnings(plan_of(created(deployment("istiod", SYSTEM)))) == [
        "'OLD' is deprecated; use new",
        "'OLDER' too",
    ]


def test_the_clusters_network_is_looked_at_where_something_changes(made: MadeRelease) -> None:
    cluster = MemoryCluster(CILIUM)
    assert [found["data"] for found in network_settings(cluster).values()] == [{"cni-exclusive": "true"}]
    wanted = plane(made, cluster)
    wanted.warnings(plan_of())
    wanted.warnings(plan_of(created(deployment("istiod", SYSTEM))))
    assert len([call for call in made.calls if call.startswith("install ")]) == 2  # with other settings, asked anew


def test_an_installer_that_cannot_be_run_warns_of_nothing(made: MadeRelease) -> None:
    wanted = plane(made, MemoryCluster())
    (made.root / "bin" / "istioctl").chmod(0o644)
    assert wanted._renderer.warnings([], [], {}) == []


def test_an_empty_api_answers_what_it_is_given_and_takes_no_write() -> None:
    with empty_api({"/version": {"major": "1"}}) as kubeconfig:
        server = json.loads(kubeconfig)["clusters"][0]["cluster"]["server"]
        with urllib.request.urlopen(f"{server}/version?timeout=5s", timeout=5) as answer:
            assert json.load(answer) == {"major": "1"}
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{server}/api", timeout=5)
        with pytest.raises(urllib.error.HTTPError, match="501"):
            urllib.request.urlopen(urllib.request.Request(f"{server}/version", b"{}", method="POST"), timeout=5)


@pytest.mark.parametrize(
    ("patch", "told"),
    [
        (
            {"kind": "Deployment", "name": "istiod"},
            "Deployment istiod & not found & with revision blue",
        ),
        ({"kind": "Deployment", "name": "istiod-blue"}, ""),
        ({"kind": "DaemonSet", "name": "istiod-red"}, "DaemonSet istiod-red & not found"),
        ({"kind": "Pod", "name": "istiod-blue", "patches": [{"path": "kind", "value": "Deployment"}]}, ""),
    ],
)
def test_a_patch_that_names_nothing(made: MadeRelease, patch: Object, told: str) -> None:
    operator = {
        "apiVersion": "install.istio.io/v1alpha1",
        "kind": "IstioOperator",
        "spec": {"components": {"pilot": {"k8s": {"overlays": [patch]}}}},
    }
    made.renders(deployment("istiod-blue", SYSTEM))
    said = plane(made, MemoryCluster(), operator, revision="blue").warnings(plan_of())
    assert [has_facts(one, f"components.pilot.k8s.overlays & {told}") for one in said] == [True] * bool(told)


@pytest.mark.parametrize(("owner", "told"), [("edge", True), ("prod", False), ("", False)])
def test_a_gateway_of_another_istio_operator_that_goes(made: MadeRelease, owner: str, told: bool) -> None:
    labels = {"operator.istio.io/component": "IngressGateways", "install.operator.istio.io/owning-resource": owner}
    gateway = deployment("edge", SYSTEM, labels=labels)
    operator = {
        "apiVersion": "install.istio.io/v1alpha1",
        "kind": "IstioOperator",
        "metadata": {"name": "prod"},
        "spec": {},
    }
    made.renders(deployment("istiod", SYSTEM))
    plan = plan_of(Change("delete", key_of(gateway), gateway, None))
    said = plane(made, MemoryCluster(), operator).warnings(plan)
    assert [has_facts(one, "installed by IstioOperator edge & is deleted") for one in said] == [True] * told
