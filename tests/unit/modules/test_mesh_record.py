# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""mesh_record and the part prune of mesh: what the variables no longer declare is found, and removed if asked for."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.kube.manifests import path_of
from ansible_collections.meshops.istio.tests.support.memory_cluster import deployment, injector, pod
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease

SHOP = {"name": "shop", "namespace": "shop"}
SETTINGS = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"colour": "blue"}}
RECORD = "/api/v1/namespaces/default/configmaps/meshops-istio.mesh.default"


@pytest.fixture
def record(on_api: Run) -> Run:
    """Run mesh_record for a control plane in the namespace `default`."""

    def run(name: str = "mesh_record", /, **options: Any) -> dict[str, Any]:
        found = on_api(name, **{"namespace": "default", **options})
        assert not found.get("failed"), found["msg"]
        return found

    return run


def deploy(on_api: Run) -> None:
    assert not on_api("application", **SHOP, definition=[SETTINGS]).get("failed")


def names(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["kind"], one["namespace"], one["name"]) for one in found["left_over"]]


def test_a_second_run_writes_nothing(record: Run, api: ApiServer) -> None:
    first = record(applications=[SHOP], namespaces=["shop"])
    assert [(one["action"], one["name"]) for one in first["changes"]] == [("create", "meshops-istio.mesh.default")]
    done = len(api.writes)
    assert not record(applications=[SHOP], namespaces=["shop"])["changed"]
    assert len(api.writes) == done


def test_a_mesh_without_parts_has_no_record(record: Run, api: ApiServer) -> None:
    assert not record()["changed"]
    assert api.writes == []


def test_what_is_no_longer_declared_is_left_over_until_it_is_gone(record: Run, on_api: Run, api: ApiServer) -> None:
    deploy(on_api)
    record(applications=[SHOP])
    found = record()
    assert names(found) == [("application", "shop", "shop")]
    assert not found["changed"]
    on_api("application", **SHOP, state="absent")
    gone = record()
    assert gone["left_over"] == []
    assert [one["action"] for one in gone["changes"]] == ["delete"]


def test_what_was_never_declared_is_not_left_over(record: Run, on_api: Run) -> None:
    deploy(on_api)
    on_api("injection", namespaces=["shop"])
    assert record()["left_over"] == []


def test_only_the_chosen_parts_are_compared(record: Run, on_api: Run) -> None:
    deploy(on_api)
    record(applications=[SHOP], namespaces=["shop"])
    assert record(parts=["namespaces"])["left_over"] == []
    assert names(record()) == [("application", "shop", "shop")]


@pytest.mark.parametrize(
    ("other", "left", "reason"),
    [
        ({"site": "team-b"}, [], ""),
        ({"namespace": "shop", "revision": "two"}, [], ""),
        ({"revision": "blue"}, [("application", "shop", "shop")], "blue"),
    ],
    ids=["site", "mesh", "revision"],
)
def test_what_another_site_declares_is_not_removed(
    other: dict[str, Any], left: list[Any], reason: str, record: Run, on_api: Run
) -> None:
    deploy(on_api)
    record(applications=[SHOP])
    record(applications=[SHOP], **other)
    found = record()
    assert names(found) == left
    assert [reason in one["reason"] for one in found["left_over"]] == [True for _one in left]


def test_a_namespace_is_left_over_while_it_has_our_label(record: Run, on_api: Run, api: ApiServer) -> None:
    on_api("injection", namespaces=["shop"])
    record(namespaces=["shop"])
    assert names(record()) == [("namespace", "", "shop")]
    on_api("injection", namespaces=["shop"], mode="revision", revision="two")
    assert record()["left_over"] == []


def test_a_record_that_was_copied_counts_for_nothing(record: Run, on_api: Run, api: ApiServer) -> None:
    deploy(on_api)
    record(applications=[SHOP])
    copied = api.get(RECORD)
    path = RECORD.replace("/default/", "/shop/")
    api.put(path, {**copied, "metadata": {**copied["metadata"], "namespace": "shop"}})
    assert record(namespace="shop")["left_over"] == []


def plan(on_api: Run, made: MadeRelease, *, check: bool = True, **options: Any) -> dict[str, Any]:
    return on_api(
        "mesh",
        check=check,
        parts=["record", "prune"],
        release={"version": "1.29.1", "source": [str(made.root)]},
        **{"record": {"namespace": "default"}, **options},
    )


def test_a_plan_lists_what_it_prunes_and_what_it_keeps(record: Run, on_api: Run, made: MadeRelease) -> None:
    deploy(on_api)
    on_api("injection", namespaces=["shop"])
    record(applications=[SHOP], namespaces=["shop"])
    kept = plan(on_api, made)
    assert (names(kept), kept["changes"], kept["due"]) == (
        [("application", "shop", "shop"), ("namespace", "", "shop")],
        [],
        [],
    )
    pruned = plan(on_api, made, prune=["applications", "namespaces"])
    assert [(one["action"], one["kind"], one["name"]) for one in pruned["changes"]] == [
        ("delete", "ConfigMap", "settings"),
        ("update", "Namespace", "shop"),
    ]
    assert (names(pruned), pruned["due"]) == ([], ["prune"])
    assert pruned["plan_digest"] != kept["plan_digest"]
    done = plan(on_api, made, check=False, prune=["applications", "namespaces"])
    assert not done.get("failed"), done["msg"]
    assert done["changes"] == pruned["changes"]
    again = plan(on_api, made, check=False, prune=["applications", "namespaces"])
    assert (again["changed"], again["left_over"], again["due"]) == (False, [], [])


def test_an_object_with_pruning_disabled_is_kept(record: Run, on_api: Run, made: MadeRelease) -> None:
    marked = {**SETTINGS, "metadata": {"name": "settings", "annotations": {"meshops.istio/prune": "disabled"}}}
    assert not on_api("application", **SHOP, definition=[marked]).get("failed")
    record(applications=[SHOP])
    assert "settings" not in [one["name"] for one in plan(on_api, made, prune=["applications"])["changes"]]


def test_a_namespace_leaves_the_mesh_by_a_variable(on_api: Run, made: MadeRelease) -> None:
    on_api("injection", namespaces=["shop"])
    found = plan(on_api, made, uninject_namespaces=["shop"])
    assert [(one["action"], one["kind"], one["name"]) for one in found["changes"]] == [("update", "Namespace", "shop")]


def test_a_namespace_cannot_be_in_and_out(on_api: Run, made: MadeRelease, api: ApiServer) -> None:
    found = plan(on_api, made, uninject_namespaces=["shop"], injection={"namespaces": ["shop"]})
    assert has_facts(found["msg"], "namespace shop & injected & leave")
    assert (found["code"], api.writes) == ("invalid_input", [])


def test_the_record_is_a_change_only_where_it_is_the_only_one(on_api: Run, made: MadeRelease) -> None:
    options = {"record": {"namespace": "default", "namespaces": ["shop"]}, "injection": {"namespaces": ["shop"]}}
    alone = on_api("mesh", check=True, parts=["record"], **options)
    assert [(one["action"], one["name"]) for one in alone["changes"]] == [("create", "meshops-istio.mesh.default")]
    both = on_api("mesh", check=True, parts=["record", "injection"], **options)
    assert [one["kind"] for one in both["changes"]] == ["Namespace"]
    assert both["due"] == ["record", "injection"]
    assert on_api("mesh", parts=["record", "injection"], **options)["changes"] == both["changes"]


def test_workloads_that_leave_the_mesh_are_restarted_in_the_same_run(on_api: Run, api: ApiServer) -> None:
    on_api("injection", namespaces=["shop"])
    sidecar = pod("web-5d-x", owner=("ReplicaSet", "web-5d"), proxy="1.29.1")
    for obj in (injector(), deployment("web"), sidecar):
        api.put(path_of(obj), obj)
    options = {"parts": ["restart", "prune"], "restart": {"wait": False}, "uninject_namespaces": ["shop"]}
    done = on_api("mesh", **options)
    assert not done.get("failed"), done["msg"]
    assert [(one["action"], one["kind"], one["name"]) for one in done["changes"]] == [
        ("update", "Namespace", "shop"),
        ("restart", "Deployment", "web"),
    ]
