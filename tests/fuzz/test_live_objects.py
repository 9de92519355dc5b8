# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster whose objects are odd: everything that reads them has success, or ends in one sentence."""

from __future__ import annotations

import copy
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.object_shapes import readable
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.status import gone, status
from ansible_collections.meshops.istio.tests.fuzz.conftest import Try
from ansible_collections.meshops.istio.tests.fuzz.driver import fuzz, sentence
from ansible_collections.meshops.istio.tests.fuzz.odd import mistaken
from ansible_collections.meshops.istio.tests.fuzz.running import OddMesh, cluster_of
from ansible_collections.meshops.istio.tests.fuzz.valid import MANIFESTS, live
from ansible_collections.meshops.istio.tests.support.mesh_api import path_of
from hypothesis import strategies as st

LIVE = live()
PATHS = [path_of(obj) for obj in LIVE]
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("application", {"name": "shop", "namespace": "shop", "definition": [MANIFESTS[8], MANIFESTS[2]], "wait": False}),
    (
        "application",
        {"name": "shop", "namespace": "shop", "definition": MANIFESTS[23:30], "wait": False, "check": True},
    ),
    ("application", {"name": "shop", "namespace": "shop", "state": "absent", "wait": False}),
    ("control_plane_info", {}),
    ("control_plane_info", {"namespace": "istio-system"}),
    ("cluster_info", {}),
    ("injection_info", {}),
    ("injection_info", {"namespaces": ["shop"]}),
    ("injection", {"namespaces": ["shop"], "create_namespaces": True}),
    ("injection", {"namespaces": ["shop"], "state": "absent", "check": True}),
    ("ingress_info", {}),
    ("topology_info", {"namespaces": ["shop"]}),
    ("topology_info", {}),
    ("restart", {"outdated": True, "wait": False, "check": True}),
    ("restart", {"namespaces": ["shop"], "recreate_pods": True, "wait": False, "check": True}),
    ("openshift", {"wait": False}),
    ("mtls", {"namespace": "shop", "mode": "strict", "wait": False}),
    ("mtls", {"namespace": "shop", "mode": "permissive", "ports": {"8080": "disable"}, "wait": False}),
    ("authorization", {"namespace": "shop", "name": "web", "rules": [{"namespaces": ["a"]}], "wait": False}),
    ("egress", {"namespace": "shop", "name": "api", "hosts": ["api.example.com"], "wait": False}),
    ("gateway", {"namespace": "shop", "name": "front", "hosts": ["shop.example.com"], "wait": False}),
    ("traffic_policy", {"namespace": "shop", "name": "web", "host": "web", "wait": False}),
    ("traffic_route", {"namespace": "shop", "name": "web", "hosts": ["web"], "wait": False, "pause": 0}),
    ("canary", {"namespace": "shop", "name": "web", "subset": "v1", "interval": 0, "steps": [100], "check": True}),
]


def mesh_of(odd: list[tuple[int, Any]]) -> OddMesh:
    mesh = OddMesh()
    for path, obj in zip(PATHS, LIVE, strict=True):
        mesh.keep(path, copy.deepcopy(obj))
    for index, obj in odd:
        mesh.keep(PATHS[index], obj)
    return mesh


_ODD = st.integers(0, len(LIVE) - 1).flatmap(lambda index: st.tuples(st.just(index), mistaken(LIVE[index])))


def test_modules_read_odd_objects(attempt: Try) -> None:
    def check(given: tuple[list[tuple[int, Any]], tuple[str, dict[str, Any]]]) -> None:
        odd, (module, options) = given
        attempt(cluster_of(mesh_of(odd)), module, **copy.deepcopy(options))

    given = st.tuples(st.lists(_ODD, min_size=1, max_size=8), st.sampled_from(CALLS))
    fuzz("live objects read by modules", given, check, share=0.10)


def test_the_readiness_of_odd_objects() -> None:
    def check(obj: Any) -> None:
        def judge() -> None:
            found = readable(copy.deepcopy(obj), "server")
            assert isinstance(status(found, load_balancer=True).message, str)
            assert isinstance(gone(found).message, str)

        sentence(judge)

    conditions = [
        {"type": name, "status": "False", "reason": "a"} for name in ("Ready", "Progressing", "Stalled", "Failed")
    ]
    counts = {
        "replicas": 2,
        "readyReplicas": 1,
        "observedGeneration": 1,
        "phase": "Running",
        "parents": [{"conditions": conditions}],
    }
    states = {"status": {**counts, "conditions": conditions, "loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}}
    objects = st.sampled_from([one for one in LIVE if "metadata" in one]).map(
        lambda one: {**copy.deepcopy(one), **copy.deepcopy(states)}
    )
    fuzz("the readiness of objects", mistaken(objects), check, share=0.06)
