# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an application no longer contains: found again by its inventory, and told from what others have."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply import apply
from ansible_collections.meshops.istio.tests.support.kube import api_server
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer, Request, status
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.unit.modules.test_application import acts, config_map, path_of, there

SHOP = {"name": "shop", "namespace": "shop", "wait": False}
INVENTORY = path_of("meshops-istio.application.shop")
CLAIMS = "/api/v1/namespaces/shop/persistentvolumeclaims"
CREATED = "2026-01-01T10:00:00Z"
Object = dict[str, Any]


def claim(name: str = "orders") -> Object:
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": {"a": "b"}}


def cluster_object(api_version: str, kind: str, name: str) -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, "spec": {"a": "b"}}


def copy_of(api: ApiServer, path: str, to: str, *, managed: bool, **metadata: Any) -> None:
    """Store a copy of an object, as a backup that is restored elsewhere or `kubectl apply` makes it."""
    copied = deepcopy(api.get(path))
    *_root, namespace, _plural, name = to.split("/")
    entry = {"manager": "kubectl-client-side-apply", "operation": "Update", "fieldsV1": {}}
    fields = copied["metadata"]["managedFields"] if managed else [entry]
    copied["metadata"] = {
        **copied["metadata"],
        "name": name,
        "namespace": namespace,
        "managedFields": fields,
        "uid": "another",
        **metadata,
    }
    api.put(to, copied)


def of_an_earlier_release(api: ApiServer) -> None:
    """Leave the application as a release without inventories does."""
    api.remove(INVENTORY)


def dated(api: ApiServer, path: str, *, created: str, applied: str) -> None:
    """Set when an object was created and applied."""
    obj = api.get(path)
    for entry in obj["metadata"]["managedFields"]:
        entry["time"] = applied
    obj["metadata"]["creationTimestamp"] = created
    api.put(path, obj)


def written(api: ApiServer) -> list[str]:
    """The writes but for those of the lock, as method and path."""
    return [one for one in api.writes if "/leases" not in one]


# --- the inventory -------------------------------------------------------------------------------------------------


def test_the_inventory_lists_what_is_applied_and_nothing_of_its_content(api: ApiServer, on_api: Run) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"password": "hush"}}
    on_api("application", **SHOP, definition=[config_map("a"), config_map("b", currency="EUR"), secret])
    inventory = api.get(INVENTORY)
    assert inventory["data"] == {"ConfigMap.v1": "shop/a\nshop/b", "Secret.v1": "shop/db"}
    assert inventory["metadata"]["labels"]["meshops.istio/inventory"] == "application"


def test_it_is_written_before_the_objects_and_narrowed_after_the_deletions(api: ApiServer, on_api: Run) -> None:
    on_api("application", **SHOP, definition=[config_map("a")])
    assert written(api) == [f"PATCH {INVENTORY}", f"PATCH {path_of('a')}"]
    api.requests.clear()
    on_api("application", **SHOP, definition=[config_map("b")])
    assert written(api) == [
        f"PATCH {INVENTORY}",
        f"PATCH {path_of('b')}",
        f"DELETE {path_of('a')}",
        f"PATCH {INVENTORY}",
    ]
    api.requests.clear()
    on_api("application", **SHOP, state="absent")
    assert written(api) == [f"DELETE {path_of('b')}", f"DELETE {INVENTORY}"]


def test_a_run_without_changes_reads_the_inventory_once_and_writes_nothing(api: ApiServer, on_api: Run) -> None:
    definition = [config_map("a"), config_map("b")]
    on_api("application", **SHOP, definition=definition)
    api.requests.clear()
    assert not on_api("application", **SHOP, definition=definition)["changed"]
    assert [one.path for one in api.requests if one.path == INVENTORY] == [INVENTORY]
    assert len(api.requests) == 3
    assert api.writes == []


def test_a_run_that_was_killed_right_after_the_inventory_loses_nothing(api: ApiServer, on_api: Run) -> None:
    on_api("application", **SHOP, definition=[config_map("a")])
    refused = status(403, "Forbidden", "no more")
    api.fault = lambda one: refused if one.writes and one.path == path_of("b") else None
    assert on_api("application", **SHOP, definition=[config_map("b")])["failed"]
    api.fault = lambda _one: None
    assert acts(on_api("application", **SHOP, state="absent")) == [("delete", "shop/a")]
    assert INVENTORY.rpartition("/")[2] not in str(there(api))


def test_the_namespace_that_a_manifest_brings_is_created_before_the_inventory(api: ApiServer, on_api: Run) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bank"}}
    bank = {"name": "bank", "namespace": "bank", "wait": False}
    on_api("application", **bank, definition=[namespace, config_map("a")])
    assert [one.rpartition("/")[2] for one in written(api)] == ["bank", "meshops-istio.application.bank", "a"]
    gone = on_api("application", **bank, state="absent")
    assert sorted(acts(gone)) == [("delete", "/bank"), ("delete", "bank/a")]


def test_the_namespace_of_the_inventory_has_to_exist(api: ApiServer, on_api: Run) -> None:
    bank = {"name": "bank", "namespace": "bank"}
    elsewhere = {**config_map("a"), "metadata": {"name": "a", "namespace": "shop"}}
    refused = on_api("application", **bank, definition=[elsewhere])
    assert (refused["code"], api.writes) == ("namespace_missing", [])


def test_a_unit_of_an_earlier_release_gets_its_inventory_once(api: ApiServer, on_api: Run) -> None:
    on_api("application", **SHOP, definition=[config_map("a")])
    of_an_earlier_release(api)
    again = on_api("application", **SHOP, definition=[config_map("a")])
    assert acts(again) == [("create", "shop/meshops-istio.application.shop")]
    assert not on_api("application", **SHOP, definition=[config_map("a")])["changed"]


def test_an_inventory_that_was_copied_with_its_namespace_is_none(api: ApiServer, on_api: Run) -> None:
    on_api("application", **SHOP, definition=[config_map("a"), config_map("b")])
    copy_of(api, INVENTORY, INVENTORY.replace("/shop/", "/default/"), managed=True)
    there_too = {**SHOP, "namespace": "default"}
    assert acts(on_api("application", **there_too, definition=[config_map("a")])) == [("create", "default/a")]
    assert {"shop/a", "shop/b"} <= there(api)


def test_a_foreign_config_map_of_its_name_is_never_deleted(api: ApiServer, on_api: Run) -> None:
    api.put(INVENTORY, {**config_map("x"), "metadata": {"name": INVENTORY.rpartition("/")[2], "namespace": "shop"}})
    assert not on_api("application", **SHOP, state="absent")["changed"]


def test_what_has_gone_by_itself_is_no_change_and_forgotten_by_the_next_write(api: ApiServer, on_api: Run) -> None:
    on_api("application", **SHOP, definition=[config_map("a"), config_map("b")])
    api.remove(path_of("b"))
    api.requests.clear()
    assert not on_api("application", **SHOP, definition=[config_map("a")])["changed"]
    assert api.writes == []
    on_api("application", **SHOP, definition=[config_map("a", currency="EUR")])
    assert api.get(INVENTORY)["data"] == {"ConfigMap.v1": "shop/a"}


# --- kinds ---------------------------------------------------------------------------------------------------------

KINDS = [
    ("coordination.k8s.io/v1", "Lease"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
    ("v1", "Endpoints"),
    ("apps/v1", "ReplicaSet"),
    ("v1", "ReplicationController"),
    ("networking.k8s.io/v1", "IngressClass"),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"),
    ("apiregistration.k8s.io/v1", "APIService"),
    ("policy/v1", "PodDisruptionBudget"),
]


@pytest.mark.parametrize(("api_version", "kind"), KINDS)
@pytest.mark.parametrize("rest", [[config_map("a")], []])
def test_whatever_kind_was_applied_is_found_again(
    api: ApiServer, on_api: Run, api_version: str, kind: str, rest: list[Object]
) -> None:
    on_api("application", **SHOP, definition=[config_map("a"), cluster_object(api_version, kind, "old")])
    less = {"definition": rest} if rest else {"state": "absent"}
    result = on_api("application", **SHOP, **less)
    assert kind in [change["kind"] for change in result["changes"] if change["action"] == "delete"]
    assert kind not in {one["kind"] for one in api.objects}


ROUTES = "/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes"


def serving(*versions: str, group: str = "gateway.networking.k8s.io", kind: str = "HTTPRoute") -> Any:
    """A discovery that knows one custom kind, in these versions."""
    resource = {
        "resource": f"{kind.lower()}s",
        "responseKind": {"kind": kind},
        "scope": "Namespaced",
        "verbs": ["list", "delete"],
    }
    listed = [{"version": version, "resources": [resource]} for version in versions]
    items = [{"metadata": {"name": group}, "versions": listed}] if versions else []
    body = {"kind": "APIGroupDiscoveryList", "items": items}
    return lambda request: Answer(200, body) if request.path == "/apis" else None


def test_a_custom_kind_is_found_after_its_last_manifest_has_gone(
    api: ApiServer, on_api: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(api_server.KINDS, "gateway.networking.k8s.io/v1/httproutes", "HTTPRoute")
    api.fault = serving("v1")
    route = cluster_object("gateway.networking.k8s.io/v1", "HTTPRoute", "old")
    on_api("application", **SHOP, definition=[config_map("a"), route])
    result = on_api("application", **SHOP, definition=[config_map("a")])
    assert acts(result) == [("delete", "shop/old")]
    assert not on_api("application", **SHOP, definition=[config_map("a")])["changed"]


def test_a_kind_is_read_at_a_version_that_is_served_by_now(
    api: ApiServer, on_api: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("v1beta1", "v1"):
        monkeypatch.setitem(api_server.KINDS, f"gateway.networking.k8s.io/{version}/httproutes", "HTTPRoute")
    api.fault = serving("v1beta1")
    on_api("application", **SHOP, definition=[cluster_object("gateway.networking.k8s.io/v1beta1", "HTTPRoute", "old")])
    stored = api.get(f"{ROUTES.replace('/v1/', '/v1beta1/')}/old")
    api.remove(f"{ROUTES.replace('/v1/', '/v1beta1/')}/old")
    api.put(f"{ROUTES}/old", {**stored, "apiVersion": "gateway.networking.k8s.io/v1"})
    api.fault = serving("v1")
    assert acts(on_api("application", **SHOP, state="absent")) == [("delete", "shop/old")]


def test_a_kind_whose_definition_has_gone_is_no_failure(
    api: ApiServer, on_api: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(api_server.KINDS, "gateway.networking.k8s.io/v1/httproutes", "HTTPRoute")
    api.fault = serving("v1")
    on_api("application", **SHOP, definition=[cluster_object("gateway.networking.k8s.io/v1", "HTTPRoute", "old")])
    api.remove(f"{ROUTES}/old")
    api.fault = serving()
    result = on_api("application", **SHOP, state="absent")
    assert acts(result) == [("delete", "shop/meshops-istio.application.shop")]


def test_a_missing_permission_to_read_listed_objects_is_refused(api: ApiServer, on_api: Run) -> None:
    on_api("application", **SHOP, definition=[config_map("a"), cluster_object("policy/v1", "PodDisruptionBudget", "b")])
    writes = api.writes

    def fault(request: Request) -> Answer | None:
        return status(403, "Forbidden", "may not get") if "poddisruptionbudgets" in request.path else None

    api.fault = fault
    assert "may not get" in on_api("application", **SHOP, definition=[config_map("a")])["msg"]
    assert api.writes == writes


# --- whose it is ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("managed", [False, True])
@pytest.mark.parametrize("to", ["/default/configmaps/a", "/shop/configmaps/copy"])
@pytest.mark.parametrize("earlier", [False, True])
def test_a_copy_is_never_deleted(api: ApiServer, on_api: Run, managed: bool, to: str, earlier: bool) -> None:
    on_api("application", **SHOP, definition=[config_map("a"), config_map("b")])
    dated(api, path_of("a"), created=CREATED, applied=CREATED)
    copied = "2026-01-01T11:00:00Z"
    copy_of(api, path_of("a"), f"/api/v1/namespaces{to}", managed=managed, creationTimestamp=copied)
    if earlier:
        of_an_earlier_release(api)
    assert acts(on_api("application", **SHOP, definition=[config_map("a")])) == [("delete", "shop/b")]
    assert acts(on_api("application", **SHOP, state="absent")) == [("delete", "shop/a")]
    assert "/".join((to.split("/")[1], to.split("/")[3])) in there(api)


@pytest.mark.parametrize("earlier", [False, True])
def test_what_a_controller_owns_is_never_deleted(api: ApiServer, on_api: Run, earlier: bool) -> None:
    on_api("application", **SHOP, definition=[config_map("a")])
    owner = {"kind": "Gateway", "name": "front", "controller": True}
    copy_of(api, path_of("a"), path_of("front-istio"), managed=True, ownerReferences=[owner])
    if earlier:
        of_an_earlier_release(api)
    on_api("application", **SHOP, definition=[config_map("a")])
    on_api("application", **SHOP, state="absent")
    assert "shop/front-istio" in there(api)


def test_an_object_recreated_by_another_client_is_kept(api: ApiServer, on_api: Run) -> None:
    on_api("application", **SHOP, definition=[config_map("a"), config_map("b")])
    labels = api.get(path_of("b"))["metadata"]["labels"]
    api.remove(path_of("b"))
    api.put(path_of("b"), {**config_map("b"), "metadata": {"name": "b", "namespace": "shop", "labels": labels}})
    on_api("application", **SHOP, definition=[config_map("a")])
    on_api("application", **SHOP, state="absent")
    assert "shop/b" in there(api)


def test_all_of_a_unit_of_an_earlier_release_is_found_by_its_labels(api: ApiServer, on_api: Run) -> None:
    elsewhere = {**config_map("c"), "metadata": {"name": "c", "namespace": "default"}}
    lease = cluster_object("coordination.k8s.io/v1", "Lease", "leader")
    on_api("application", **SHOP, definition=[config_map("a"), elsewhere, lease])
    for path in (path_of("a"), path_of("c", "default"), "/apis/coordination.k8s.io/v1/namespaces/shop/leases/leader"):
        dated(api, path, created=CREATED, applied="2026-01-01T09:59:59Z")
    of_an_earlier_release(api)
    gone = on_api("application", **SHOP, state="absent")
    assert sorted(acts(gone)) == [("delete", "default/c"), ("delete", "shop/a"), ("delete", "shop/leader")]


def test_a_run_without_prune_forgets_nothing(api: ApiServer, on_api: Run) -> None:
    on_api("application", **SHOP, definition=[config_map("a"), config_map("b")])
    of_an_earlier_release(api)
    on_api("application", **SHOP, definition=[config_map("a")], prune=False)
    assert not on_api("application", **SHOP, definition=[config_map("a")], prune=False)["changed"]
    assert acts(on_api("application", **SHOP, definition=[config_map("a")])) == [("delete", "shop/b")]


# --- what is kept --------------------------------------------------------------------------------------------------

MARKS = [{"meshops.istio/prune": "disabled"}, {"helm.sh/resource-policy": "keep"}]


@pytest.mark.parametrize("marks", MARKS)
def test_an_annotation_keeps_an_object_until_it_is_gone(api: ApiServer, on_api: Run, marks: dict[str, str]) -> None:
    on_api("application", **SHOP, definition=[config_map("a"), config_map("b")])
    api.change(path_of("b"), metadata={"annotations": marks})
    kept = on_api("application", **SHOP, definition=[config_map("a")])
    assert (kept["changed"], [one["name"] for one in kept["kept"]]) == (False, ["b"])
    assert any(has_facts(warning, "ConfigMap shop/b & annotation") for warning in kept["warnings"])
    assert acts(on_api("application", **SHOP, state="absent")) == [("delete", "shop/a")]
    again = on_api("application", **SHOP, state="absent")
    assert (again["changed"], [one["name"] for one in again["kept"]]) == (False, ["b"])
    api.change(path_of("b"), metadata={"annotations": dict.fromkeys(marks, "no")})
    assert acts(on_api("application", **SHOP, state="absent")) == [("delete", "shop/b")]
    assert "meshops-istio.application.shop" not in str(there(api))


@pytest.mark.parametrize("named", ["orders", "ord*"])
def test_a_claim_is_kept_unless_it_is_asked_for_by_name(api: ApiServer, on_api: Run, named: str) -> None:
    on_api("application", **SHOP, definition=[config_map("a"), claim()])
    kept = on_api("application", **SHOP, definition=[config_map("a")], prune_claims=["another"])
    assert (kept["changed"], [one["name"] for one in kept["kept"]]) == (False, ["orders"])
    gone = on_api("application", **SHOP, definition=[config_map("a")], prune_claims=[named])
    assert (acts(gone), gone["kept"]) == ([("delete", "shop/orders")], [])


@pytest.mark.parametrize("whose", ["its own", "of a StatefulSet"])
def test_a_namespace_is_kept_with_the_claims_in_it(api: ApiServer, on_api: Run, whose: str) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    mine = [claim()] if whose == "its own" else []
    on_api("application", **SHOP, definition=[namespace, config_map("a"), *mine])
    if not mine:
        api.put(f"{CLAIMS}/orders", {**claim(), "metadata": {"name": "orders", "namespace": "shop"}})
    result = on_api("application", **SHOP, state="absent")
    assert acts(result) == [("delete", "shop/a")]
    assert "shop" in [one["name"] for one in result["kept"] if one["kind"] == "Namespace"]
    assert not on_api("application", **SHOP, state="absent")["changed"]
    gone = on_api("application", **SHOP, state="absent", prune_claims=["*"])
    assert ("delete", "/shop") in acts(gone)


def test_a_definition_is_kept_with_the_objects_of_its_kind_that_are_kept(
    api: ApiServer, on_api: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(api_server.KINDS, "example.com/v1/worlds", "World")
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "worlds.example.com"},
        "spec": {
            "group": "example.com",
            "names": {"kind": "World", "plural": "worlds"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True}],
        },
    }
    world = cluster_object("example.com/v1", "World", "earth")
    world["metadata"]["annotations"] = MARKS[0]
    monkeypatch.setattr(apply, "wait_ready", lambda *_arguments, **_options: None)
    api.fault = serving("v1", group="example.com", kind="World")
    on_api("application", **SHOP, definition=[config_map("a"), definition, world])
    result = on_api("application", **SHOP, state="absent")
    assert acts(result) == [("delete", "shop/a")]
    assert {one["kind"] for one in result["kept"]} == {"World", "CustomResourceDefinition"}
