# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same as the unit tests, with the real release that the lab was built with.

What istioctl says when it refuses something is its own, so that only a real one shows whether it is understood.
"""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.configuration import Options
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.revision import ControlPlane
from ansible_collections.meshops.istio.plugins.module_utils.istio.model import labels
from ansible_collections.meshops.istio.plugins.module_utils.istio.model.labels import labels_of
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.find import find_release
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.release import Release
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.samples import find_sample, sample_names
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of
from ansible_collections.meshops.istio.tests.support.lab import Lab
from ansible_collections.meshops.istio.tests.support.messages import has_facts


@pytest.fixture
def release(lab: Lab) -> Release:
    return find_release(**lab.release)[0]


def plane(release: Release, **parameters: Any) -> ControlPlane:
    return ControlPlane(release, Options.of(parameters))


@pytest.mark.parametrize("revision", ["", "canary"])
@pytest.mark.parametrize("profile", ["ambient", "default", "demo", "minimal", "openshift", "preview", "stable"])
def test_every_profile(release: Release, profile: str, revision: str) -> None:
    control_plane = plane(release, profile=profile, revision=revision)
    objects = control_plane.desired()
    keys = [key_of(obj).identity for obj in objects]
    assert len(set(keys)) == len(keys)
    for obj in objects[1:]:
        assert {labels.COMPONENT, labels.MANAGED, labels.VERSION, labels.OWNER_NAMESPACE} <= set(labels_of(obj)) | (
            # The service of a tag is labelled for no component beyond what its chart says.
            {labels.COMPONENT} if labels.TAG in labels_of(obj) else set()
        )
        assert labels_of(obj)[labels.REVISION] == (revision or "default")
    tags = sorted(obj["kind"] for obj in objects if labels.TAG in labels_of(obj))
    assert tags == ["MutatingWebhookConfiguration", "Service", "ValidatingWebhookConfiguration"]
    has_gateway = [one["name"] for one in control_plane.gateways if one["component"] == labels.INGRESS]
    assert has_gateway == ([] if profile in ("ambient", "minimal") else ["istio-ingressgateway"])


def test_an_empty_profile_is_a_namespace(release: Release) -> None:
    assert [obj["kind"] for obj in plane(release, profile="empty").desired()] == ["Namespace"]


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"profil": "demo"}, "overlay 1 & unknown field 'profil' & Istio {version}"),
        ({"values": {"pilot": {"foo": 1}}}, "unknown field 'foo' & Istio {version}"),
        ({"components": {"pilot": {"k8s": {"envv": []}}}}, "unknown field 'envv' & Istio {version}"),
        ({"components": {"pilot": ["a"]}}, "'spec.components.pilot' & wrong type (array)"),
        (
            {"values": {"global": {"platform": "aks"}}},
            "platform 'aks' & not found & Istio {version} & gke,",
        ),
        ({"hub": "a b"}, "istioctl {version} & rejected & bad hub:"),
    ],
)
def test_refusals_are_understood(release: Release, spec: dict[str, Any], sentence: str) -> None:
    overlay = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": spec}
    with pytest.raises(InvalidInput) as caught:
        plane(release, overlays=[overlay]).desired()
    assert has_facts(caught.value.message, sentence.replace("{version}", release.version))


def test_node_ports_of_the_demo_profile(release: Release) -> None:
    ingress = [{"type": "NodePort", "node_ports": {"http2": 30080, "https": 30443}}]
    objects = plane(release, profile="demo", ingress=ingress).desired()
    [service] = [
        obj for obj in objects if obj["kind"] == "Service" and obj["metadata"]["name"] == "istio-ingressgateway"
    ]
    ports = {port["name"]: port.get("nodePort") for port in service["spec"]["ports"]}
    assert ports == {"status-port": None, "http2": 30080, "https": 30443, "tcp": None, "tls": None}


def test_samples(release: Release) -> None:
    assert {"bookinfo", "curl", "helloworld", "httpbin"} <= set(sample_names(release))
    for name in ("bookinfo", "helloworld", "httpbin"):
        assert find_sample(release, name).gateways
