# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where an upgrade stands is read from the cluster, at each point where a run may have ended."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.model.ownership import UPGRADE_RECORD
from ansible_collections.meshops.istio.plugins.module_utils.istio.upgrade import record as records
from ansible_collections.meshops.istio.plugins.module_utils.istio.upgrade.record import Plane, Record
from ansible_collections.meshops.istio.plugins.module_utils.istio.upgrade.state import (
    Mesh,
    choose,
    final_labels,
    next_step,
    remaining,
    unrestored,
)
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import Refused
from ansible_collections.meshops.istio.tests.support.memory_cluster import (
    MemoryCluster,
    deployment,
    injector,
    make,
    namespace,
    pod,
)

Object = dict[str, Any]

READY = {
    "replicas": 1,
    "updatedReplicas": 1,
    "readyReplicas": 1,
    "availableReplicas": 1,
    "conditions": [{"type": "Available", "status": "True"}],
}
OLD, NEW = Plane("default", "1.29.1"), Plane("1-31-0", "1.31.0")


def istiod(plane: Plane) -> Object:
    image = {"name": "discovery", "image": f"docker.io/istio/pilot:{plane.version}"}
    name = "istiod" if plane.revision == "default" else f"istiod-{plane.revision}"
    labels = {"app": "istiod", "istio.io/rev": plane.revision, "operator.istio.io/component": "Pilot"}
    spec = {"replicas": 1, "template": {"spec": {"containers": [image]}}}
    return deployment(name, "istio-system", labels=labels, spec=spec, status=READY)


def gateway(plane: Plane) -> Object:
    labels = {"operator.istio.io/component": "IngressGateways", "istio.io/rev": plane.revision}
    return deployment("istio-ingressgateway", "istio-system", labels=labels, status=READY)


def tag(revision: str) -> Object:
    made = injector(revision, name="istio-revision-tag-default")
    made["metadata"]["labels"]["istio.io/tag"] = "default"
    made["webhooks"] = injector("default")["webhooks"]
    return made


def off(revision: str) -> Object:
    """An injector that a default tag replaces."""
    return injector(revision, webhooks=[])


def shop(plane: Plane, name: str = "shop", **labels: str) -> list[Object]:
    sidecar = pod("web-1-x", name, owner=("ReplicaSet", "web-1"), proxy=plane.version, revision=plane.revision)
    return [namespace(name, **labels), deployment("web", name, status=READY), sidecar]


def mesh(*objects: Object, record: Record | None = None) -> Mesh:
    cluster = MemoryCluster(*objects)
    if record is not None:
        cluster.put(dict(record.unit("istio-system").objects[0]))
    return Mesh.read(cluster, "istio-system")


def before() -> list[Object]:
    return [istiod(OLD), gateway(OLD), off("default"), tag("default"), *shop(OLD, istio_injection="enabled")]


def test_an_upgrade_moves_what_the_only_other_revision_has() -> None:
    found = choose(mesh(*before()), NEW)
    assert found == Record(OLD, NEW, ("default",), {"shop": {"istio-injection": "enabled"}})


def left(*objects: Object) -> dict[str, list[str]]:
    record = choose(mesh(*before()), NEW)
    assert record is not None
    return remaining(mesh(*objects, record=record), record, [])


def test_the_second_control_plane_comes_first() -> None:
    assert next_step(left(*before())) == "control_plane"


def test_the_next_step_is_that_of_the_namespaces_until_their_proxies_are_moved() -> None:
    planes = [istiod(OLD), istiod(NEW), gateway(OLD), off("default"), tag("default"), injector(NEW.revision)]
    labelled = shop(OLD, **{"istio.io/rev": NEW.revision})
    assert left(*planes, *shop(OLD, istio_injection="enabled"))["namespaces"] == ["shop"]
    assert left(*planes, *labelled)["namespaces"] == ["shop"]
    moved = left(*planes, *shop(NEW, **{"istio.io/rev": NEW.revision}))
    assert (moved["namespaces"], next_step(moved)) == ([], "gateways")


def test_tags_and_labels_follow_the_gateways() -> None:
    planes = [istiod(OLD), istiod(NEW), gateway(NEW), off("default"), tag("default"), injector(NEW.revision)]
    found = left(*planes, *shop(NEW, **{"istio.io/rev": NEW.revision}))
    assert next_step(found) == "tags"
    assert found["tags"] == ["tag default", "labels of namespace shop"]


def test_nothing_is_left_when_all_belongs_to_the_new_revision() -> None:
    planes = [istiod(NEW), gateway(NEW), tag(NEW.revision), injector(NEW.revision)]
    assert next_step(left(*planes, *shop(NEW, istio_injection="enabled"))) == ""


def test_a_namespace_that_came_later_is_moved_too() -> None:
    record = Record(OLD, NEW, ("default",), {"shop": {"istio-injection": "enabled"}})
    found = choose(mesh(*before(), *shop(OLD, "late", istio_injection="enabled"), record=record), NEW)
    assert found is not None
    assert sorted(found.namespaces) == ["late", "shop"]


def test_a_cluster_that_has_the_wanted_control_plane_only_needs_nothing() -> None:
    assert choose(mesh(istiod(NEW), injector(NEW.revision)), NEW) is None


@pytest.mark.parametrize(
    ("objects", "wanted", "code"),
    [
        ([], NEW, "nothing_to_upgrade"),
        ([istiod(Plane("a", "1.31.0"))], Plane("b", "1.31.0"), "not_newer"),
        ([istiod(Plane("a", "1.31.0"))], Plane("b", "1.30.4"), "not_newer"),
        ([istiod(OLD), istiod(Plane("1-31-0", "1.30.4"))], NEW, "revision_taken"),
        ([istiod(OLD), istiod(Plane("other", "1.28.3"))], NEW, "several_revisions"),
    ],
)
def test_what_cannot_be_upgraded_is_refused(objects: list[Object], wanted: Plane, code: str) -> None:
    with pytest.raises(Refused) as refused:
        choose(mesh(*objects), wanted)
    assert refused.value.code == code


def test_a_downgrade_and_one_of_several_revisions_can_be_chosen() -> None:
    found = choose(mesh(istiod(OLD), istiod(NEW)), Plane("back", "1.28.3"), NEW.revision, downgrade=True)
    assert found is not None
    assert found.old == NEW
    with pytest.raises(Refused) as refused:
        choose(mesh(istiod(OLD)), NEW, "elsewhere")
    assert refused.value.code == "revision_missing"


def test_a_second_upgrade_waits_for_the_first() -> None:
    record = Record(OLD, Plane("1-30-4", "1.30.4"))
    there = [istiod(OLD), istiod(record.new)]
    with pytest.raises(Refused) as refused:
        choose(mesh(*there, record=record), NEW)
    assert refused.value.code == "upgrade_under_way"
    complete = choose(mesh(istiod(record.new), record=record), NEW)
    assert complete is not None
    assert complete.old == record.new


def test_a_label_with_the_name_of_the_old_revision_is_renamed_and_a_tag_stays() -> None:
    record = Record(Plane("1-29-1", "1.29.1"), NEW, ("prod",))
    assert final_labels({"istio.io/rev": "1-29-1"}, record) == {"istio.io/rev": "1-31-0"}
    assert final_labels({"istio.io/rev": "prod"}, record) == {"istio.io/rev": "prod"}


def test_a_namespace_that_is_gone_has_no_labels_to_restore() -> None:
    record = Record(OLD, NEW, (), {"gone": {"istio-injection": "enabled"}})
    assert unrestored(mesh(istiod(NEW)), record) == []


def test_the_record_is_read_as_it_was_written() -> None:
    record = Record(OLD, NEW, ("default",), {"shop": {"istio-injection": "enabled"}}, "2026-12-01T03:00:00+00:00")
    assert records.parse(dict(record.unit("istio-system").objects[0])) == record


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"from": {"revision": "a"}, "to": {}}'])
def test_a_record_that_is_none_is_named(text: str) -> None:
    config_map = make("ConfigMap", UPGRADE_RECORD, "istio-system", data={"upgrade": text})
    with pytest.raises(Refused) as refused:
        records.parse(config_map)
    assert UPGRADE_RECORD in refused.value.message
