# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Overlays, values and flags of a control plane with ordinary mistakes, and what istioctl may print."""

from __future__ import annotations

import copy
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.configuration import (
    Configuration,
    Options,
)
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.overlays import read_overlays
from ansible_collections.meshops.istio.plugins.module_utils.kube.yaml.writer import write_yaml
from ansible_collections.meshops.istio.tests.fuzz.conftest import MadeRelease, Try
from ansible_collections.meshops.istio.tests.fuzz.driver import fuzz, sentence
from ansible_collections.meshops.istio.tests.fuzz.odd import mistaken
from ansible_collections.meshops.istio.tests.fuzz.running import cluster_of
from ansible_collections.meshops.istio.tests.fuzz.test_live_objects import mesh_of
from ansible_collections.meshops.istio.tests.fuzz.valid import MANIFESTS
from hypothesis import strategies as st

OVERLAY: dict[str, Any] = {
    "apiVersion": "install.istio.io/v1alpha1",
    "kind": "IstioOperator",
    "metadata": {"name": "mesh", "namespace": "istio-system"},
    "spec": {
        "profile": "demo",
        "hub": "docker.io/istio",
        "tag": "1.29.1",
        "revision": "blue",
        "meshConfig": {
            "extensionProviders": [{"name": "zipkin", "zipkin": {"service": "z", "port": 1}}],
            "accessLogFile": "a",
        },
        "components": {
            "pilot": {
                "enabled": True,
                "k8s": {
                    "env": [{"name": "A", "value": "b"}],
                    "overlays": [{"kind": "Deployment", "name": "istiod", "patches": [{"path": "spec", "value": {}}]}],
                },
            },
            "ingressGateways": [
                {"name": "istio-ingressgateway", "enabled": True, "k8s": {"service": {"ports": [{"port": 80}]}}}
            ],
        },
        "values": {
            "global": {"proxy": {"resources": {}}, "imagePullSecrets": ["a"], "istioNamespace": "istio-system"},
            "pilot": {"env": {"A": "b"}},
        },
    },
}
OPTIONS: dict[str, Any] = {
    "overlays": [OVERLAY],
    "values": {"global": {"network": "one", "hub": "a"}, "pilot": {"env": {"A": "b"}}},
    "set": ["values.global.network=two", "components.ingressGateways[0].enabled=true"],
    "ingress": [
        {
            "name": "istio-ingressgateway",
            "type": "NodePort",
            "ports": [{"port": 80, "node_port": 30080}],
            "labels": {"a": "b"},
        }
    ],
    "extension_providers": [{"name": "jaeger", "zipkin": {"service": "j", "port": 2}}],
    "mirrors": {"docker.io": "mirror.example.com"},
    "pull_secrets": ["registry"],
    "profile": "demo",
}


def test_overlays() -> None:
    def check(overlay: Any) -> None:
        sentence(lambda: read_overlays([overlay]))
        sentence(lambda: read_overlays([{"source": "a.yaml", "text": write_yaml([overlay])}]))

    fuzz("overlays", mistaken(OVERLAY), check, share=0.04)


def test_configurations(made: MadeRelease) -> None:
    def check(options: Any) -> None:
        def read() -> None:
            configuration = Configuration(Options.of(options), made.release)
            for part in (
                "revision",
                "namespace",
                "owner",
                "network",
                "profile",
                "makes_default_tag",
                "injects_by_default",
            ):
                getattr(configuration, part)

        if isinstance(options, dict):
            sentence(read)

    fuzz("configurations", mistaken(OPTIONS, 4), check, share=0.07)


def test_what_istioctl_prints(attempt: Try, made: MadeRelease) -> None:
    def check(given: tuple[list[Any], dict[str, Any], bool]) -> None:
        objects, options, failing = given
        (made.root / "error").unlink(missing_ok=True)
        made.renders(*objects)
        if failing:
            made.fails(f"Error: {objects}")
        given_options = {name: value for name, value in options.items() if name in ("values", "set", "overlays")}
        attempt(
            cluster_of(mesh_of([])),
            "control_plane",
            version="1.29.1",
            source=str(made.root),
            check=True,
            **given_options,
        )

    rendered = st.lists(st.sampled_from(MANIFESTS), min_size=1, max_size=3).map(copy.deepcopy)
    given = st.tuples(
        mistaken(rendered), mistaken({"values": {"global": {"network": "a"}}, "set": ["a.b=c"]}), st.booleans()
    )
    fuzz(
        "what istioctl prints",
        given.filter(lambda one: isinstance(one[0], list) and isinstance(one[1], dict)),
        check,
        share=0.01,
    )
