# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a control plane no longer has: its own goes, of whatever kind, and copies of it stay."""

from __future__ import annotations

import uuid
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.memory_cluster import make
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease

Object = dict[str, Any]

SYSTEM = "/api/v1/namespaces/istio-system"
INVENTORY = f"{SYSTEM}/configmaps/meshops-istio.control-plane.default"
POLICIES = "/apis/networking.k8s.io/v1/namespaces/istio-system/networkpolicies"
PILOT = {"operator.istio.io/component": "Pilot"}
BASE = {"operator.istio.io/component": "Base"}
CREATED, COPIED = "2026-01-01T10:00:00Z", "2026-01-01T11:00:00Z"


def settings(name: str = "istio", labels: dict[str, str] | None = None) -> Object:
    return make("ConfigMap", name, "istio-system", labels=labels or PILOT, data={"mesh": "{}"})


def policy() -> Object:
    return make("NetworkPolicy", "istiod", "istio-system", api="networking.k8s.io/v1", labels=PILOT, spec={"a": "b"})


@pytest.fixture
def install(on_api: Run, made: MadeRelease, tmp_path: Path) -> Run:
    """Install a control plane of some objects."""

    def run(*objects: Object, **options: Any) -> Object:
        made.renders(*objects)
        # What is rendered is kept in the cache.
        cache = str(tmp_path / uuid.uuid4().hex)
        given = {"version": "1.29.1", "source": [str(made.root)], "cache_dir": cache, "wait": False}
        result = on_api("control_plane", **given, **options)
        assert not result.get("failed"), result["msg"]
        return result

    return run


def deleted(result: Object) -> list[tuple[str, str]]:
    return sorted((one["kind"], one["name"]) for one in result["changes"] if one["action"] == "delete")


def paths(api: ApiServer) -> set[str]:
    return {
        "/".join((one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"])) for one in api.objects
    }


def copied(api: ApiServer, path: str, to: str, *, manager: str = "", created: str = COPIED) -> None:
    """Store a copy with all labels and, unless a manager has made it, with the managedFields of the original."""
    original = api.get(path)
    for entry in original["metadata"]["managedFields"]:
        entry["time"] = CREATED
    original["metadata"]["creationTimestamp"] = CREATED
    api.put(path, original)
    copy = deepcopy(original)
    *_root, namespace, _plural, name = to.split("/")
    entry = {"manager": manager, "operation": "Update", "time": created, "fieldsV1": {}}
    fields = [entry] if manager else copy["metadata"]["managedFields"]
    metadata = {"name": name, "namespace": namespace, "managedFields": fields, "creationTimestamp": created}
    api.put(to, {**copy, "metadata": {**copy["metadata"], **metadata, "uid": name + namespace}})


@pytest.mark.parametrize("manager", ["", "kubectl-client-side-apply"])
@pytest.mark.parametrize("inventory", [True, False])
@pytest.mark.parametrize("to", ["/api/v1/namespaces/old/configmaps/istio", f"{SYSTEM}/configmaps/istio-backup"])
def test_copies_stay(api: ApiServer, install: Run, manager: str, inventory: bool, to: str) -> None:
    install(settings(), settings("values"))
    copied(api, f"{SYSTEM}/configmaps/istio", to, manager=manager)
    if not inventory:
        api.remove(INVENTORY)
    assert deleted(install(settings())) == [("ConfigMap", "values")]
    assert not install(settings())["changed"]
    assert "/".join(("ConfigMap", to.split("/")[4], to.split("/")[6])) in paths(api)


@pytest.mark.parametrize("purge", [True, False])
def test_copies_in_other_namespaces_outlive_the_control_plane(
    api: ApiServer, install: Run, on_api: Run, purge: bool
) -> None:
    install(settings())
    copied(api, f"{SYSTEM}/configmaps/istio", "/api/v1/namespaces/old/configmaps/istio")
    copied(api, f"{SYSTEM}/configmaps/istio", "/api/v1/namespaces/new/configmaps/istio", manager="kubectl-create")
    gone = on_api("control_plane", state="absent", purge=purge, wait=False)
    assert ("ConfigMap", "istio") in deleted(gone)
    assert {one for one in paths(api) if one.startswith("ConfigMap/")} == {"ConfigMap/old/istio", "ConfigMap/new/istio"}


def test_a_kind_that_istioctl_does_not_prune_goes(api: ApiServer, install: Run) -> None:
    install(settings(), policy())
    assert deleted(install(settings())) == [("NetworkPolicy", "istiod")]
    assert not install(settings())["changed"]


def test_what_istioctl_has_installed_meanwhile_goes(api: ApiServer, install: Run) -> None:
    install(settings())
    labels = api.get(f"{SYSTEM}/configmaps/istio")["metadata"]["labels"]
    api.put(f"{SYSTEM}/configmaps/old", settings("old", labels), manager="istio-operator")
    assert deleted(install(settings())) == [("ConfigMap", "old")]


def test_what_another_revision_has_taken_over_stays(api: ApiServer, install: Run) -> None:
    install(settings(), settings("shared"))
    api.change(f"{SYSTEM}/configmaps/shared", metadata={"labels": {"istio.io/rev": "newer"}})
    assert deleted(install(settings())) == []
    assert "ConfigMap/istio-system/shared" in paths(api)


def test_crds_and_the_namespace_are_not_listed(api: ApiServer, install: Run) -> None:
    install(settings())
    assert list(api.get(INVENTORY)["data"]) == ["ConfigMap.v1"]
    assert api.get(INVENTORY)["metadata"]["labels"]["meshops.istio/inventory"] == "control_plane"


def test_a_removal_leaves_what_is_shared_and_no_inventory(api: ApiServer, install: Run, on_api: Run) -> None:
    install(settings(), policy(), settings("reader", BASE))
    gone = on_api("control_plane", state="absent", wait=False)
    assert deleted(gone) == [("ConfigMap", "istio"), ("NetworkPolicy", "istiod")]
    assert {one for one in paths(api) if "istio-system" in one} == {
        "ConfigMap/istio-system/reader",
        "Namespace//istio-system",
    }
    assert not on_api("control_plane", state="absent", wait=False)["changed"]


def test_a_purge_takes_the_inventory_and_what_it_lists(api: ApiServer, install: Run, on_api: Run) -> None:
    install(settings(), policy(), settings("reader", BASE))
    on_api("control_plane", state="absent", purge=True, wait=False)
    assert {one for one in paths(api) if "istio-system" in one} == {"Namespace//istio-system"}


def test_an_annotated_object_is_kept_without_the_control_plane(api: ApiServer, install: Run, on_api: Run) -> None:
    install(settings(), settings("mine"))
    api.change(f"{SYSTEM}/configmaps/mine", metadata={"annotations": {"meshops.istio/prune": "disabled"}})
    assert not install(settings())["changed"]
    on_api("control_plane", state="absent", wait=False)
    assert "ConfigMap/istio-system/mine" in paths(api)
