# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a site has made and no longer declares, by its record and what the cluster says of it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.inspection.left_over import search
from ansible_collections.meshops.istio.plugins.module_utils.istio.model.record import Record, place_of, records
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.kinds import CONFIG_MAP
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.inventory import Inventory
from ansible_collections.meshops.istio.tests.support.memory_cluster import MemoryCluster

Object = dict[str, Any]
MESH = "istio-system"
DEFAULT = Record(MESH)


def applied(obj: Object, manager: str, at: str = "2026-11-20T10:00:00Z", operation: str = "Apply") -> Object:
    """An object as a manager has written it."""
    labels: Object = {f"f:{name}": {} for name in obj["metadata"].get("labels") or ()}
    entry = {"manager": manager, "operation": operation, "time": at, "fieldsV1": {"f:metadata": {"f:labels": labels}}}
    return {**obj, "metadata": {**obj["metadata"], "managedFields": [entry], "creationTimestamp": at}}


def recorded(record: Record, **declared: list[str]) -> Object:
    (config_map,) = record.unit(declared, None).objects
    return applied(dict(config_map), "meshops.istio/mesh_record")


def inventory(module: str, name: str, namespace: str, at: str) -> Object:
    listing = Inventory(module, name, namespace).listing([Key("v1", "Service", namespace, "web")])
    assert listing is not None
    return applied(listing, f"meshops.istio/{module}" + (f"/{name}" if name else ""), at)


def tag(name: str, revision: str) -> Object:
    labels = {"istio.io/tag": name, "istio.io/rev": revision}
    webhook = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration"}
    return applied({**webhook, "metadata": {"name": name, "labels": labels}}, "meshops.istio/revision_tag")


def found(*objects: Object, record: Record = DEFAULT, **declared: list[str]) -> list[tuple[str, str, str]]:
    return [(one.part, one.name, one.since) for one in search(MemoryCluster(*objects), record, declared).found]


def test_addons_are_left_over_where_none_are_declared() -> None:
    objects = [recorded(DEFAULT, addons=["grafana", "kiali"]), inventory("addons", "", MESH, "2026-11-02T08:00:00Z")]
    assert found(*objects) == [("addons", name, "2026-11-02T08:00:00Z") for name in ("grafana", "kiali")]
    assert found(*objects, addons=["kiali"]) == []
    assert found(objects[0]) == []


def test_a_tag_that_points_at_another_revision_is_not_left_over() -> None:
    listed = recorded(DEFAULT, revision_tags=["prod", "stage"])
    assert [name for _part, name, _since in found(listed, tag("prod", "default"), tag("stage", "blue"))] == ["prod"]


@pytest.mark.parametrize(
    ("manager", "labels", "left"),
    [
        ("meshops.istio/injection", {"istio-injection": "enabled"}, True),
        ("kubectl-label", {"istio-injection": "enabled"}, False),
        ("meshops.istio/injection", {"istio.io/rev": "blue"}, False),
        ("meshops.istio/injection", {}, False),
    ],
    ids=["ours", "theirs", "of another revision", "without label"],
)
def test_a_namespace_is_left_over_by_our_label(manager: str, labels: dict[str, str], left: bool) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": labels}}
    names = found(recorded(DEFAULT, namespaces=["shop"]), applied(namespace, manager, operation="Update"))
    assert bool(names) == left


def test_a_namespace_of_a_revision_is_left_over_by_that_revision() -> None:
    blue = Record(MESH, "blue")
    labels = {"istio.io/rev": "blue"}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": labels}}
    ours = applied(namespace, "meshops.istio/injection", operation="Update")
    assert [name for _part, name, _since in found(recorded(blue, namespaces=["shop"]), ours, record=blue)] == ["shop"]


def test_without_permission_for_the_records_of_others_an_application_is_kept_with_the_reason() -> None:
    application = inventory("application", "cart", "shop", "2026-11-20T10:00:00Z")
    cluster = MemoryCluster(recorded(DEFAULT, applications=["shop/cart"]), application)
    cluster.forbid(CONFIG_MAP, "")
    (left,) = search(cluster, DEFAULT, {}).found
    assert "permission" in left.reason


def test_what_is_not_compared_stays_recorded() -> None:
    cluster = MemoryCluster(recorded(DEFAULT, applications=["shop/cart"], namespaces=["shop"]))
    result = search(cluster, DEFAULT, {"namespaces": ["books"]}, ["namespaces"])
    assert result.recorded == {
        "addons": [],
        "applications": ["shop/cart"],
        "namespaces": ["books"],
        "revision_tags": [],
    }


def test_records_are_found_by_their_name_and_place() -> None:
    team = Record(MESH, "blue", "team-a")
    mine, copied = recorded(team, namespaces=["shop"]), recorded(DEFAULT, namespaces=["shop"])
    copied["metadata"]["namespace"] = "backup"
    assert (place_of(mine), place_of(copied)) == (team, None)
    assert list(records(MemoryCluster(mine, copied))) == [team]


def test_a_site_with_an_invalid_name_is_refused() -> None:
    with pytest.raises(InvalidInput):
        Record(MESH, "", "Team A")
