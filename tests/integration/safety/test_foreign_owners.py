# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What belongs to another tool or controller is neither changed nor deleted, by whatever module, unless it is forced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

Object = dict[str, Any]

CONFIG_MAP = Kind("v1", "ConfigMap")
OWNERS: dict[str, tuple[Object, str]] = {
    "helm": (
        {
            "labels": {"app.kubernetes.io/managed-by": "Helm"},
            "annotations": {"meta.helm.sh/release-name": "pay", "meta.helm.sh/release-namespace": "pay"},
        },
        "Helm (pay)",
    ),
    "kustomize-controller": ({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}}, "Flux (apps)"),
    "argocd-controller": (
        {"annotations": {"argocd.argoproj.io/tracking-id": "pay:/ConfigMap"}},
        "Argo CD (pay:/ConfigMap)",
    ),
}


def settings(limit: str, **metadata: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", **metadata},
        "data": {"limit": limit},
    }


@pytest.fixture
def owned(cluster: Cluster, namespace: str) -> Callable[..., Object]:
    """Creates an object as another tool does."""

    def create(manager: str, obj: Object, **metadata: Any) -> Object:
        return cluster.create(
            {**obj, "metadata": {**obj["metadata"], "namespace": namespace, **metadata}}, manager=manager
        )

    return create


def warned(result: Object, *parts: str) -> bool:
    return any(all(part in warning for part in parts) for warning in result["warnings"])


@pytest.mark.parametrize(("manager", "mark"), OWNERS.items(), ids=OWNERS)
@pytest.mark.step("owners 01", "an application over an object of Helm, Flux, Argo CD")
def test_an_application(
    manager: str,
    mark: tuple[Object, str],
    owned: Callable[..., Object],
    cluster: Cluster,
    namespace: str,
    run: Run,
    refused: Run,
    idle: Run,
    seen: Seen,
) -> None:
    metadata, owner = mark
    owned(manager, settings("1"), **metadata)
    shop = {"name": "shop", "namespace": namespace, "wait": False}
    result = refused("application", **shop, definition=[settings("5")])
    assert (result["code"], result["details"]["owner"]) == ("foreign_owner", owner)
    idle("application", **shop, state="absent")
    live = cluster.get(CONFIG_MAP, "settings", namespace)
    assert live is not None
    assert live["data"] == {"limit": "1"}

    result = run("application", **shop, definition=[settings("5")], force=True)
    assert warned(result, f"ConfigMap {namespace}/settings", owner)
    idle("application", **shop, definition=[settings("5")])
    seen(f"{result['changes'][0]['action']} by force only; {owner} is named")


@pytest.mark.step("owners 02", "an object that another tool adopted after it was applied is deleted")
def test_what_was_adopted_later(cluster: Cluster, namespace: str, run: Run, refused: Run, seen: Seen) -> None:
    shop = {"name": "shop", "namespace": namespace, "wait": False}
    run("application", **shop, definition=[settings("1")])
    body = {"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}}}
    cluster.merge_patch(CONFIG_MAP, "settings", namespace, body, manager="kustomize-controller")
    result = refused("application", **shop, state="absent")
    assert result["code"] == "foreign_owner"
    result = run("application", **shop, state="absent", force=True)
    assert warned(result, "ConfigMap", "Flux (apps)", "deleted")
    seen("refused, deleted by force only")


@pytest.mark.step("owners 03", "an application over a Deployment that a controller owns")
def test_a_controllers_object(
    owned: Callable[..., Object], cluster: Cluster, namespace: str, refused: Run, seen: Seen
) -> None:
    parent = owned("tests", settings("1"))
    reference = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": "settings",
        "uid": parent["metadata"]["uid"],
        "controller": True,
    }
    child = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "child"}, "data": {"a": "1"}}
    owned("an-operator", child, ownerReferences=[reference])
    result = refused("application", name="shop", namespace=namespace, definition=[{**child, "data": {"a": "2"}}])
    assert result["code"] == "foreign_owner"
    assert "ConfigMap settings" in result["details"]["owner"]
    seen(result["details"]["owner"])


@pytest.mark.step("owners 04", "a field that another tool has set to another value")
def test_a_field_of_another_manager(
    cluster: Cluster, namespace: str, run: Run, idle: Run, refused: Run, seen: Seen
) -> None:
    shop = {"name": "shop", "namespace": namespace, "wait": False, "definition": [settings("1")]}
    run("application", **shop)
    cluster.apply(
        {**settings("7"), "metadata": {"name": "settings", "namespace": namespace}}, manager="capacity-planner"
    )
    result = refused("application", **shop)
    assert result["code"] == "field_conflict"
    assert result["details"]["conflicts"][0]["fields"] == ["data.limit"]
    assert "capacity-planner" in result["msg"]
    run("application", **shop, ignore_fields=["data.limit"])
    idle("application", **shop, ignore_fields=["data.limit"])
    result = run("application", **shop, force=True)
    assert warned(result, "capacity-planner", "data.limit")
    live = cluster.get(CONFIG_MAP, "settings", namespace)
    assert live is not None
    assert live["data"] == {"limit": "1"}
    idle("application", **shop)
    seen("refused; left by ignore_fields; overwritten by force")
