# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Waiting until objects are gone."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.wait import wait_gone
from ansible_collections.meshops.istio.tests.support.kube.fake_cluster import FakeCluster
from ansible_collections.meshops.istio.tests.support.kube.waiting import (
    LONG,
    WEB,
    Late,
    Object,
    deployment,
    obj,
    pod,
    warning,
)
from ansible_collections.meshops.istio.tests.support.messages import has_facts


def test_gone() -> None:
    cluster = FakeCluster(deployment(ready=1))
    cluster.on_watch.append(lambda: cluster.remove(WEB))
    wait_gone(cluster, [WEB, WEB._replace(name="never")], timeout=LONG, progress=silent)


def test_what_is_held_is_named_with_its_holder(late: Late) -> None:
    held = obj("v1", "Namespace", "mesh", "", spec={})
    held["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["example.com/keep"]}
    error = late(FakeCluster(held), key_of(held), wait=wait_gone)
    assert has_facts(error, "timed out waiting & Namespace mesh & after 60 s & finalizer example.com/keep")


ENDING = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
HELD = {**ENDING, "finalizers": ["example.com/hold"]}
CLEANUP = {**ENDING, "finalizers": ["customresourcecleanup.apiextensions.k8s.io"]}


def true(kind: str, message: str) -> Object:
    return {"type": kind, "status": "True", "reason": kind, "message": message}


def definition() -> Object:
    names = {"kind": "Shape", "plural": "shapes"}
    spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [{"name": "v1", "served": True}]}
    return obj("apiextensions.k8s.io/v1", "CustomResourceDefinition", "shapes.example.com", "", spec=spec)


def with_metadata(one: Object, metadata: Object, **content: Any) -> Object:
    return {**one, "metadata": {**one["metadata"], **metadata}, **content}


SHAPE = obj("example.com/v1", "Shape", "round")
CONFIG_MAP = obj("v1", "ConfigMap", "settings")
NAMESPACE = with_metadata(obj("v1", "Namespace", "shop", ""), ENDING, spec={"finalizers": ["kubernetes"]})
CLAIM = with_metadata(
    obj("v1", "PersistentVolumeClaim", "data"), {**ENDING, "finalizers": ["kubernetes.io/pvc-protection"]}
)
USING = {"volumes": [{"persistentVolumeClaim": {"claimName": "data"}}]}


@pytest.mark.parametrize(
    ("awaited", "others", "message"),
    [
        pytest.param(
            with_metadata(definition(), CLEANUP),
            [with_metadata(SHAPE, HELD), obj("example.com/v1", "Shape", "square")],
            "blocked by Shape shop/round (finalizer example.com/hold)",
            id="objects-of-a-definition",
        ),
        pytest.param(
            with_metadata(definition(), CLEANUP, status={"conditions": [true("Terminating", "could not list it")]}),
            [],
            "Terminating: could not list it",
            id="a-definition-without-objects",
        ),
        pytest.param(
            {**NAMESPACE, "status": {"conditions": [true("Content", "configmaps. has 1 resource instances")]}},
            [with_metadata(CONFIG_MAP, HELD), obj("v1", "ConfigMap", "other")],
            "blocked by ConfigMap shop/settings (finalizer example.com/hold)",
            id="what-is-in-a-namespace",
        ),
        pytest.param(
            {
                **NAMESPACE,
                "status": {
                    "conditions": [
                        true("NamespaceDeletionDiscoveryFailure", "unable to retrieve metrics.k8s.io/v1beta1"),
                        true("Content", "shapes.example.com has 1 resource instances"),
                    ]
                },
            },
            [],
            "NamespaceDeletionDiscoveryFailure: unable to retrieve metrics.k8s.io",
            id="a-namespace-whose-api-does-not-answer",
        ),
        pytest.param(CLAIM, [pod(spec=USING)], "blocked by Pod shop/web-5d-x1", id="a-pod-that-uses-a-claim"),
        pytest.param(
            with_metadata(deployment(ready=0), {**ENDING, "finalizers": ["foregroundDeletion"]}),
            [with_metadata(pod(), HELD)],
            "blocked by Pod shop/web-5d-x1 (finalizer example.com/hold)",
            id="pods-of-a-workload",
        ),
        pytest.param(
            with_metadata(obj("v1", "Service", "web"), {**ENDING, "finalizers": ["a.example.com", "b.example.com"]}),
            [warning("Service web", "SyncLoadBalancerFailed", "no such subscription")],
            "blocked by its finalizers a.example.com, b.example.com (Service web: SyncLoadBalancerFailed: no such",
            id="its-own-with-what-their-controller-says",
        ),
    ],
)
def test_what_holds_an_object_is_named(awaited: Object, others: list[Object], message: str, late: Late) -> None:
    cluster = FakeCluster(awaited, *others)
    cluster.learn([definition()])
    error = late(cluster, key_of(awaited), wait=wait_gone)
    found = str(error).partition(" after 60 s: ")[2]
    assert message in found


def test_holders_are_in_the_details(late: Late) -> None:
    crd = with_metadata(definition(), CLEANUP)
    many = [with_metadata(SHAPE, {**HELD, "name": f"shape-{number}"}) for number in range(5)]
    error = late(FakeCluster(crd, *many), key_of(crd), wait=wait_gone)
    assert "Shape shop/shape-2 (finalizer example.com/hold) and 2 more" in str(error)
    held_by = error.details["objects"][0]["held_by"]
    assert len(held_by) == 5
    assert held_by[0] == {**key_of(many[0])._asdict(), "finalizers": ["example.com/hold"]}
