# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `istioctl install` warns of is a warning of the plan, and so is what istioctl does without a word."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.lab import Lab, now
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

Object = dict[str, Any]

CONFIG_MAP = Kind("v1", "ConfigMap")
OPERATOR = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator"}


@pytest.fixture
def cilium(cluster: Cluster) -> Iterator[None]:
    """Settings of Cilium that istioctl warns of, on a cluster that has another network."""
    settings = {"bpf-lb-sock": "true", "cni-exclusive": "true"}
    metadata = {"name": "cilium-config", "namespace": "kube-system"}
    cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": settings}, manager="tests")
    yield
    with contextlib.suppress(Exception):
        cluster.delete(CONFIG_MAP, "cilium-config", "kube-system")


def planned(run: Run, lab: Lab, spec: Object, **options: Any) -> list[str]:
    """The warnings of a plan, which writes nothing."""
    begun = now()
    overlays = [*lab.control_plane["overlays"], {**OPERATOR, "spec": spec}]
    given = {**lab.control_plane, "profile": "minimal", "revision": "warned", "overlays": overlays, **options}
    result = run("control_plane", check=True, **given)
    assert lab.writes_since(begun) == 0
    warnings: list[str] = result["warnings"]
    return warnings


@pytest.mark.step("warnings 22", "settings of Cilium that would let traffic pass by")
def test_cilium(run: Run, lab: Lab, cilium: None, seen: Seen) -> None:
    told = planned(run, lab, {}, set=["components.cni.enabled=true"])
    assert [part for part in ("cni-exclusive=true", "bpf-lb-sock=true") if not any(part in one for one in told)] == []
    seen(" / ".join(told))


@pytest.mark.step("warnings 22", "deprecated values, and an autoscaler against replicas")
@pytest.mark.parametrize(
    ("spec", "part"),
    [
        (
            {"values": {"global": {"proxy": {"holdApplicationUntilProxyStarts": True}}}},
            "global.proxy.holdApplicationUntilProxyStarts",
        ),
        ({"values": {"global": {"tracer": {"zipkin": {"address": "zipkin:9411"}}}}}, "global.tracer.zipkin.address"),
        (
            {"components": {"pilot": {"k8s": {"replicaCount": 3}}}, "values": {"pilot": {"autoscaleEnabled": True}}},
            "components.pilot.k8s.replicaCount",
        ),
    ],
)
def test_values(run: Run, lab: Lab, seen: Seen, spec: Object, part: str) -> None:
    told = planned(run, lab, spec)
    assert any(part in one for one in told), told
    seen(next(one for one in told if part in one))


@pytest.mark.step("warnings 13", "a patch for Deployment istiod where a revision is set")
def test_a_patch_that_has_no_effect(run: Run, lab: Lab, seen: Seen) -> None:
    patch = {"kind": "Deployment", "name": "istiod", "patches": [{"path": "spec.replicas", "value": 2}]}
    told = planned(run, lab, {"components": {"pilot": {"k8s": {"overlays": [patch]}}}})
    assert any("Deployment istiod" in one and "istiod-warned" in one for one in told), told
    seen(told[0])
