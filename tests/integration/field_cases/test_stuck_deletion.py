# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deletions that hang: every run names what holds them, until they are done."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.model.kinds import DEFINITIONS
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import MeshError
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind, key_of
from ansible_collections.meshops.istio.tests.support.lab import Lab, now
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

Object = dict[str, Any]

SHORT = 6
"""Seconds that a run waits for what does not go."""

HOLD = "example.com/hold"
NAMESPACE, DEFINITION = Kind("v1", "Namespace"), Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition")


def config_map(name: str = "settings", **metadata: Any) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}}


def release(cluster: Cluster, *keys: Key) -> None:
    """Take the finalizers of objects away."""
    for key in keys:
        with contextlib.suppress(MeshError):
            body = {"metadata": {"finalizers": None}}
            cluster.merge_patch(key.of, key.name, key.namespace, body, manager="tests")


def gone(cluster: Cluster, *keys: Key) -> bool:
    return all(cluster.get(key.of, key.name, key.namespace) is None for key in keys)


@pytest.fixture
def other(cluster: Cluster) -> Iterator[str]:
    """The name of a namespace that a test makes; what is in it, and a ConfigMap `settings`, goes at last."""
    name = f"it-{uuid.uuid4().hex[:8]}"
    yield name
    release(cluster, Key("v1", "ConfigMap", name, "settings"))
    with contextlib.suppress(MeshError):
        cluster.delete(NAMESPACE, name)


@pytest.mark.step("stuck 01", "an application with a namespace whose content is held")
def test_an_application_that_is_held(
    run: Run, idle: Run, namespace: str, other: str, lab: Lab, cluster: Cluster, seen: Seen
) -> None:
    manifests = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other}},
        config_map(namespace=other, finalizers=[HOLD]),
    ]
    run("application", name="held", namespace=namespace, definition=manifests)
    absent = {"name": "held", "namespace": namespace, "state": "absent"}
    for _run in range(3):
        failed = run("application", fails=True, **absent, wait_timeout=SHORT)
        assert f"ConfigMap {other}/settings" in failed["msg"]
        assert HOLD in failed["msg"]
    seen(f"three runs failed: {failed['msg']}")
    begun = now()
    told = run("application", check=True, **absent)
    assert lab.writes_since(begun) == 0
    assert any(f"ConfigMap {other}/settings" in warning and HOLD in warning for warning in told["warnings"])
    release(cluster, Key("v1", "ConfigMap", other, "settings"))
    run("application", **absent)
    assert gone(cluster, Key("v1", "Namespace", "", other))
    idle("application", **absent)


@pytest.mark.step("stuck 02", "a namespace that somebody has deleted, and that is held by what is in it")
def test_a_namespace_that_is_held(run: Run, namespace: str, other: str, cluster: Cluster, seen: Seen) -> None:
    owned = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other}}
    run("application", name="held", namespace=namespace, definition=[owned])
    cluster.apply(config_map(namespace=other, finalizers=[HOLD]), manager="somebody")
    cluster.delete(NAMESPACE, other)
    absent = {"name": "held", "namespace": namespace, "state": "absent"}
    # Kubernetes itself looks into it only after five seconds.
    failed = run("application", fails=True, **absent, wait_timeout=3 * SHORT)
    seen(failed["msg"])
    assert f"Namespace {other}" in failed["msg"]
    assert f"ConfigMap {other}/settings (finalizer {HOLD})" in failed["msg"]
    told = run("application", **absent, wait=False)
    assert (told["changed"], len(told["warnings"])) == (False, 1)


@pytest.mark.parametrize("owned", [False, True], ids=["a-namespace-of-others", "its-own-namespace"])
@pytest.mark.step("stuck 03", "an application for a namespace that is being deleted, in check mode and in earnest")
def test_a_namespace_that_goes_while_it_is_needed(
    owned: bool, run: Run, other: str, cluster: Cluster, seen: Seen
) -> None:
    given = {"name": "it", "namespace": other, "definition": [config_map("other")], "create_namespaces": owned}
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other}}, manager="somebody")
    cluster.apply(config_map(namespace=other, finalizers=[HOLD]), manager="somebody")
    cluster.delete(NAMESPACE, other)
    planned = run("application", check=True, fails=not owned, **given)
    # Kubernetes itself looks into it only after five seconds.
    failed = run("application", fails=True, **given, wait_timeout=3 * SHORT)
    seen(f"planned: {planned.get('msg') or planned['warnings']}; then: {failed['msg']}")
    if not owned:
        assert planned["msg"] == failed["msg"]
        assert f"Namespace {other} is being deleted" in failed["msg"]
        return
    assert f"ConfigMap {other}/settings (finalizer {HOLD})" in failed["msg"]
    assert any(f"Namespace {other}" in warning for warning in planned["warnings"])
    release(cluster, Key("v1", "ConfigMap", other, "settings"))
    done = run("application", **given)
    assert {(one["action"], one["kind"]) for one in done["changes"]} == {
        ("create", "Namespace"),
        ("create", "ConfigMap"),
    }


def shapes(group: str) -> Object:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": "Shape", "plural": "shapes"}
    return {
        "apiVersion": DEFINITION.api_version,
        "kind": DEFINITION.kind,
        "metadata": {"name": f"shapes.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }


@pytest.mark.step("stuck 04", "an application's CRD that is held by somebody's object, while it is pruned")
def test_a_definition_that_is_held(run: Run, idle: Run, namespace: str, cluster: Cluster, seen: Seen) -> None:
    group = f"{namespace}.example.com"
    held: Object = {"apiVersion": f"{group}/v1", "kind": "Shape", "metadata": {"name": "round", "namespace": namespace}}
    given = {"name": "it", "namespace": namespace}
    run("application", **given, definition=[config_map(), shapes(group)])
    cluster.learn([shapes(group)])
    cluster.apply({**held, "metadata": {**held["metadata"], "finalizers": [HOLD]}}, manager="somebody")
    try:
        for _run in range(2):
            failed = run("application", fails=True, **given, definition=[config_map()], wait_timeout=SHORT)
            assert f"blocked by Shape {namespace}/round (finalizer {HOLD})" in failed["msg"]
        seen(failed["msg"])
    finally:
        release(cluster, key_of(held))
    run("application", **given, definition=[config_map()])
    assert gone(cluster, key_of(shapes(group)))
    idle("application", **given, definition=[config_map()])


def operators() -> Object:
    """The CRD of releases before 1.24, in which their operator kept what it had installed."""
    definition = shapes("install.istio.io")
    labels = {"operator.istio.io/component": "Base", "release": "istio"}
    definition["metadata"] = {"name": "istiooperators.install.istio.io", "labels": labels}
    definition["spec"]["names"] = {"kind": "IstioOperator", "plural": "istiooperators"}
    definition["spec"]["versions"][0]["name"] = "v1alpha1"
    return definition


@pytest.mark.usefixtures("in_mesh")
@pytest.mark.step("stuck 05", "a purge that a VirtualService and an IstioOperator of an old release hold")
def test_a_purge_that_is_held(run: Run, idle: Run, namespace: str, cluster: Cluster, seen: Seen, tmp_path: Any) -> None:
    route: Object = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "held", "namespace": namespace, "finalizers": [HOLD]},
        "spec": {"hosts": ["held"], "http": [{"route": [{"destination": {"host": "held"}}]}]},
    }
    installed: Object = {
        "apiVersion": "install.istio.io/v1alpha1",
        "kind": "IstioOperator",
        "metadata": {
            "name": "installed-state",
            "namespace": namespace,
            "finalizers": ["istio-finalizer.install.istio.io"],
        },
    }
    run("application", name="operators", namespace=namespace, definition=[operators()])
    cluster.learn([*DEFINITIONS, operators()])
    cluster.apply(route, manager="somebody")
    cluster.apply(installed, manager="somebody")
    purge = {"state": "absent", "purge": True, "force": True, "backup": str(tmp_path / "saved.yaml")}
    try:
        run("control_plane", fails=True, **purge, wait_timeout=60)
        failed = run("control_plane", fails=True, **purge, wait_timeout=SHORT)
        seen(f"the second run: {failed['msg']}")
        assert f"blocked by VirtualService {namespace}/held (finalizer {HOLD})" in failed["msg"]
        assert f"blocked by IstioOperator {namespace}/installed-state (finalizer istio-finalizer" in failed["msg"]
        told = run("control_plane", check=True, **purge)
        assert (told["changed"], len(told["warnings"])) == (False, 2)
    finally:
        release(cluster, key_of(route), key_of(installed))
    run("control_plane", **purge)
    assert gone(cluster, key_of(operators()))
    idle("control_plane", **purge)
