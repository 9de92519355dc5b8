# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who owns which field: whether anything is owed is told from an object as the API server returned it.

The recorded objects are what a real one made of objects.yaml; of these, every field is changed and removed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects import managed_fields
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of, read_manifests
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.planning import prepare

Object = dict[str, Any]
Path_ = tuple[str | int, ...]

DATA = Path(__file__).parent / "data"
MANAGER = "meshops.istio/recorded"
IDENTITY = {("apiVersion",), ("kind",), ("metadata",), ("metadata", "name"), ("metadata", "namespace")}

RECORDED = [
    (prepare(desired), live)
    for desired, live in zip(
        read_manifests((DATA / "objects.yaml").read_text(), "objects.yaml"),
        json.loads((DATA / "recorded.json").read_text()),
        strict=True,
    )
]
DOUBTFUL = {"StatefulSet recorded/store", "Shape recorded/defaults"}
"""Those with defaults where no field tells that they are one: in something atomic, or as the key of a list's item."""

CERTAIN = [pair for pair in RECORDED if str(key_of(pair[0])) not in DOUBTFUL]
each_recorded = pytest.mark.parametrize(("desired", "live"), CERTAIN, ids=[str(key_of(pair[0])) for pair in CERTAIN])


def settled(desired: Object, live: Object) -> bool:
    return managed_fields.in_sync(desired, live, managed_fields.owned_by(live, MANAGER) or {})


def recorded(kind: str, name: str = "web") -> tuple[Object, Object]:
    """An object as it is written, and as the server returned it."""
    return next(deepcopy(pair) for pair in RECORDED if (pair[0]["kind"], pair[0]["metadata"]["name"]) == (kind, name))


def paths(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Where the values within a value stand, lists and mappings included."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in pairs:
        yield (*path, name)
        yield from paths(child, (*path, name))


def at(obj: Any, path: Path_) -> Any:
    for name in path:
        obj = obj[name]
    return obj


def another(value: Any) -> Any:
    """A value of the same type that is not the same."""
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, (int, float)) else f"{value}x"


# --- nothing is owed, and every difference is noticed --------------------------------------------------------------


@each_recorded
def test_nothing_is_owed_where_an_object_is_as_the_server_made_it(desired: Object, live: Object) -> None:
    assert settled(desired, live)


def test_only_a_dry_run_can_tell_some_defaults_from_changes() -> None:
    assert {str(key_of(desired)) for desired, live in RECORDED if not settled(desired, live)} == DOUBTFUL


@each_recorded
def test_every_other_value_is_noticed(desired: Object, live: Object) -> None:
    for path in paths(desired):
        if path not in IDENTITY and not isinstance(at(desired, path), (dict, list)):
            other = deepcopy(desired)
            at(other, path[:-1])[path[-1]] = another(at(desired, path))
            assert not settled(other, live), path


@each_recorded
def test_every_value_that_somebody_else_changed_is_noticed(desired: Object, live: Object) -> None:
    for path in paths(desired):
        value = at(desired, path)
        if path not in IDENTITY and not isinstance(value, (dict, list)):
            other = deepcopy(live)
            try:
                # Where the items of a list stand elsewhere, or a zero value was dropped, there is nothing to change.
                there = at(other, path)
            except (KeyError, IndexError):
                continue
            at(other, path[:-1])[path[-1]] = another(there)
            assert not settled(desired, other), path


@each_recorded
def test_every_value_that_is_no_longer_wanted_is_noticed(desired: Object, live: Object) -> None:
    for path in paths(desired):
        # Nobody owns an empty list: without it an object is the same.
        if path not in IDENTITY and at(desired, path) != []:
            less = deepcopy(desired)
            del at(less, path[:-1])[path[-1]]
            assert not settled(less, live), path


@each_recorded
def test_every_list_and_mapping_that_is_emptied_is_noticed(desired: Object, live: Object) -> None:
    for path in paths(desired):
        value = at(desired, path)
        if path not in IDENTITY and isinstance(value, (dict, list)) and value:
            emptied = deepcopy(desired)
            at(emptied, path[:-1])[path[-1]] = type(value)()
            assert not settled(emptied, live), path


@each_recorded
def test_every_field_that_is_added_is_noticed(desired: Object, live: Object) -> None:
    for path in [(), *paths(desired)]:
        if isinstance(at(desired, path), dict) and path != ("metadata",):
            for value in ("new", {"new": "new"}, ["new"], {}, "", 0, False):
                more = deepcopy(desired)
                at(more, path)["unheardOf"] = value
                assert not settled(more, live), (path, value)


@each_recorded
def test_every_item_that_is_added_or_moved_is_noticed(desired: Object, live: Object) -> None:
    for path in paths(desired):
        items = at(desired, path)
        if isinstance(items, list) and items:
            more = deepcopy(desired)
            at(more, path).append({"name": "new"} if isinstance(items[0], dict) else another(items[0]))
            assert not settled(more, live), path
        if isinstance(items, list) and items[::-1] != items:
            turned = deepcopy(desired)
            at(turned, path).reverse()
            assert not settled(turned, live), path


# --- what is the same to Kubernetes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "live"),
    [("2Gi", "2048Mi"), ("2", "2000m"), (2, "2"), (0.5, "500m"), ("1e3", "1k"), ("128Mi", "134217728"), ("0", "0")],
)
def test_quantities_are_the_same_however_they_are_written(written: object, live: str) -> None:
    desired, there = recorded("Deployment")
    for obj, value in ((desired, written), (there, live)):
        obj["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] = value
    assert settled(desired, there)


@pytest.mark.parametrize(("written", "live"), [("2Gi", "2G"), ("1", "1m"), ("1", "01x"), ("1.5", "2"), ("", "0")])
def test_quantities_that_differ_are_not_the_same(written: str, live: str) -> None:
    desired, there = recorded("Deployment")
    for obj, value in ((desired, written), (there, live)):
        obj["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] = value
    assert not settled(desired, there)


@pytest.mark.parametrize(
    ("kind", "path", "rewritten"),
    [
        ("ConfigMap", ("data", "divisor"), "1"),
        ("ConfigMap", ("metadata", "annotations", "limits"), "1024Mi"),
        ("Deployment", ("spec", "template", "metadata", "annotations", "sizeLimit"), "1"),
        ("Deployment", ("spec", "template", "spec", "nodeSelector", "requests"), "1024Mi"),
        ("Shape", ("spec", "requests", "cpu"), "1"),
    ],
)
def test_texts_and_custom_resources_are_no_quantities(kind: str, path: Path_, rewritten: str) -> None:
    desired, live = recorded(kind)
    at(desired, path[:-1])[path[-1]] = rewritten
    assert not settled(desired, live)


@pytest.mark.parametrize("port", [{"port": 80, "targetPort": "http"}, {"port": 53, "targetPort": 5353}])
def test_the_protocol_of_a_port_may_be_left_out(port: Object) -> None:
    desired, live = recorded("Service")
    one = next(item for item in desired["spec"]["ports"] if item.items() >= port.items())
    entry = managed_fields.held_by(live, {MANAGER})[0]
    key = json.dumps({"port": one["port"], "protocol": "TCP"}, separators=(",", ":"))
    one.pop("protocol", None)
    entry["fieldsV1"]["f:spec"]["f:ports"][f"k:{key}"].pop("f:protocol", None)
    assert settled(desired, live)


def test_a_default_may_be_written_out() -> None:
    desired, live = recorded("Deployment")
    env = {one["name"]: one for one in desired["spec"]["template"]["spec"]["containers"][0]["env"]}
    env["NODE"]["valueFrom"]["fieldRef"]["apiVersion"] = "v1"
    assert settled(desired, live)
    env["NODE"]["valueFrom"]["fieldRef"]["apiVersion"] = "v2"
    assert not settled(desired, live)


def test_an_empty_list_owes_nothing_where_there_is_none() -> None:
    desired, live = recorded("Deployment")
    desired["spec"]["template"]["spec"]["ephemeralContainers"] = []
    assert settled(desired, live)
    live["spec"]["template"]["spec"]["ephemeralContainers"] = [{"name": "debug"}]
    assert not settled(desired, live)


def test_what_others_own_beside_is_not_compared() -> None:
    desired, live = recorded("Deployment")
    live["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "7"
    live["spec"]["template"]["spec"]["containers"].append({"name": "istio-proxy", "image": "auto"})
    live["spec"]["template"]["spec"]["containers"][0]["env"].insert(0, {"name": "FOREIGN", "value": "1"})
    assert settled(desired, live)


def test_an_object_that_nobody_applied_is_owed() -> None:
    desired, live = recorded("Deployment")
    live["metadata"]["managedFields"] = []
    assert managed_fields.owned_by(live, MANAGER) is None
    assert not settled(desired, live)


def test_an_object_of_nothing_but_a_name_owes_nothing() -> None:
    bare = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mesh"}}
    assert managed_fields.in_sync(bare, {**bare, "spec": {"finalizers": ["kubernetes"]}}, {})
    assert not managed_fields.in_sync(bare, bare, {"f:metadata": {"f:labels": {"f:mesh": {}}}})


# --- take-over -----------------------------------------------------------------------------------------------------


def entry(manager: str, operation: str, owned: Object, **more: str) -> Object:
    return {"manager": manager, "operation": operation, "apiVersion": "apps/v1", "fieldsV1": owned, **more}


def spec_of(*names: str) -> Object:
    return {"f:spec": {f"f:{name}": {} for name in names}}


def owned_by_many() -> Object:
    managed = [
        entry("istio-operator", "Apply", spec_of("replicas", "paused"), time="2026-01-01T00:00:00Z"),
        entry("kubectl-edit", "Update", spec_of("replicas"), time="2026-01-03T00:00:00Z"),
        entry("helm", "Update", spec_of("strategy"), time="2026-01-02T00:00:00Z"),
        entry("helm", "Update", {"f:status": {}}, subresource="status"),
    ]
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "managedFields": managed}}


def test_fields_of_previous_managers_are_taken_over_as_if_applied() -> None:
    obj = owned_by_many()
    handed = managed_fields.taken_over(obj, MANAGER, {"istio-operator", "helm"})
    [ours] = [one for one in handed if one["manager"] == MANAGER]
    assert ours["operation"] == "Apply"
    assert ours["fieldsV1"] == spec_of("replicas", "paused", "strategy")
    assert ours["time"] == "2026-01-02T00:00:00Z"
    # Others keep what they own, and so do previous managers what they report of a status.
    assert [(one["manager"], one.get("subresource")) for one in handed if one is not ours] == [
        ("kubectl-edit", None),
        ("helm", "status"),
    ]


def test_string_data_of_a_secret_is_taken_over_as_data() -> None:
    managed = [
        entry("istio-operator", "Apply", {"f:stringData": {"f:old": {}}, "f:data": {"f:user": {}}}),
        entry(MANAGER, "Apply", {"f:data": {"f:password": {}}}),
    ]
    obj = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web", "managedFields": managed}}
    [ours] = managed_fields.taken_over(obj, MANAGER, {"istio-operator"})
    assert ours["fieldsV1"] == {"f:data": {"f:old": {}, "f:password": {}, "f:user": {}}}


def test_a_takeover_leaves_no_fields_to_previous_managers() -> None:
    obj = owned_by_many()
    previous_managers = {"istio-operator", "helm"}
    assert len(managed_fields.held_by(obj, previous_managers)) == 2
    obj["metadata"]["managedFields"] = managed_fields.taken_over(obj, MANAGER, previous_managers)
    assert managed_fields.held_by(obj, previous_managers) == []
    assert managed_fields.owned_by(obj, MANAGER) == spec_of("replicas", "paused", "strategy")


def test_a_takeover_keeps_the_fields_of_the_unit() -> None:
    obj = owned_by_many()
    obj["metadata"]["managedFields"].append(entry(MANAGER, "Apply", {"f:spec": {"f:template": {"f:metadata": {}}}}))
    handed = managed_fields.taken_over(obj, MANAGER, {"helm"})
    ours = next(one for one in handed if one["manager"] == MANAGER)
    assert ours["fieldsV1"] == {"f:spec": {"f:strategy": {}, "f:template": {"f:metadata": {}}}}


def test_only_what_was_applied_counts_as_owned() -> None:
    obj = owned_by_many()
    assert managed_fields.owned_by(obj, "helm") is None
    assert managed_fields.others(obj, {"istio-operator", "helm"}) == spec_of("replicas")


def test_abandoned_fields_are_removed_and_all_others_kept() -> None:
    obj = {
        "metadata": {"annotations": {"last-applied": "{}"}, "labels": {"app": "web", "old": "1", "theirs": "2"}},
        "spec": {
            "args": ["--old"],
            "finalizers": ["keep", "old", "theirs"],
            "ports": [{"port": 80, "protocol": "TCP", "name": "old"}, {"port": 81, "protocol": "TCP"}, {"port": 82}],
        },
    }
    http, admin, other = (f'k:{{"port":{port},"protocol":"TCP"}}' for port in (80, 81, 82))
    abandoned = {
        "f:metadata": {
            "f:annotations": {".": {}, "f:last-applied": {}},
            "f:labels": {".": {}, "f:app": {}, "f:old": {}, "f:theirs": {}},
        },
        "f:spec": {
            "f:args": {},
            "f:finalizers": {'v:"keep"': {}, 'v:"old"': {}, 'v:"theirs"': {}, 'v:"gone"': {}},
            "f:ports": {http: {".": {}, "f:name": {}, "f:port": {}}, admin: {".": {}}, other: {".": {}}},
            "f:replicas": {},
        },
    }
    kept = {"metadata": {"labels": {"app": "web"}}, "spec": {"finalizers": ["keep"], "ports": [{"port": 80}]}}
    elsewhere = {
        "f:metadata": {"f:labels": {"f:theirs": {}}},
        "f:spec": {"f:finalizers": {'v:"theirs"': {}}, "f:ports": {other: {".": {}}}},
    }
    managed_fields.without(obj, abandoned, kept, elsewhere)
    assert obj == {
        "metadata": {"labels": {"app": "web", "theirs": "2"}},
        "spec": {"finalizers": ["keep", "theirs"], "ports": [{"port": 80, "protocol": "TCP"}, {"port": 82}]},
    }


def test_what_is_laid_over_an_object_leaves_the_rest() -> None:
    obj = {
        "metadata": {"labels": {"app": "old", "theirs": "1"}},
        "spec": {
            "args": ["--old"],
            "finalizers": ["theirs"],
            "ports": [{"port": 80, "protocol": "TCP", "theirs": 1}, {"port": 81, "protocol": "TCP"}],
        },
    }
    desired = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"args": ["--new"], "finalizers": ["ours"], "ports": [{"port": 82}, {"port": 80, "name": "http"}]},
    }
    http, admin = (f'k:{{"port":{port},"protocol":"TCP"}}' for port in (80, 81))
    structure: Object = {"f:spec": {"f:finalizers": {'v:"theirs"': {}}, "f:ports": {http: {}, admin: {}}}}
    assert managed_fields.overlaid(obj, desired, structure) == {
        "metadata": {"labels": {"app": "web", "theirs": "1"}},
        "spec": {
            "args": ["--new"],
            "finalizers": ["ours", "theirs"],
            "ports": [
                {"port": 82},
                {"port": 80, "protocol": "TCP", "theirs": 1, "name": "http"},
                {"port": 81, "protocol": "TCP"},
            ],
        },
    }


# --- part of an object ---------------------------------------------------------------------------------------------


def test_the_part_that_a_manager_owns_does_not_change_with_what_others_write() -> None:
    _desired, live = recorded("Deployment")
    owned = managed_fields.owned_by(live, MANAGER) or {}
    ours = managed_fields.part(live, owned)
    assert ours["metadata"] == {
        "annotations": {"note": "3"},
        "labels": {"app": "web", "operator.istio.io/component": "Pilot"},
    }
    [container] = ours["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["--port", "8080", "--level=info"]
    assert [one["name"] for one in container["env"]] == ["LEVEL", "EMPTY", "NODE", "POD", "MEMORY", "CPU", "TOKEN"]
    assert "terminationMessagePath" not in container

    live["status"] = {"replicas": 3}
    live["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "7"
    live["spec"]["template"]["spec"]["containers"].insert(0, {"name": "istio-proxy"})
    live["spec"]["template"]["spec"]["containers"][1]["env"].insert(0, {"name": "FOREIGN", "value": "1"})
    assert managed_fields.part(live, owned) == ours


def test_the_part_of_a_set_is_its_items() -> None:
    assert managed_fields.part(["theirs", "ours", "ä"], {'v:"ours"': {}, 'v:"ä"': {}, 'v:"gone"': {}}) == ["ours", "ä"]
