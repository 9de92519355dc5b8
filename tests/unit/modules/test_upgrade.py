# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of an upgrade in a mesh in memory: their order, their end, and what becomes of a run that ends in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.injection.injectors import Injectors
from ansible_collections.meshops.istio.plugins.module_utils.istio.model.ownership import UPGRADE_RECORD
from ansible_collections.meshops.istio.plugins.module_utils.istio.model.proxies import proxy_of, revision_of
from ansible_collections.meshops.istio.plugins.module_utils.istio.upgrade import gate
from ansible_collections.meshops.istio.plugins.module_utils.istio.upgrade.record import Plane, Record
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput, MeshError, Refused
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.kinds import CONFIG_MAP, NAMESPACE, POD
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind, key_of
from ansible_collections.meshops.istio.plugins.module_utils.tasks import upgrade_steps
from ansible_collections.meshops.istio.plugins.module_utils.tasks.upgrade import DEFINITION
from ansible_collections.meshops.istio.tests.support.memory_cluster import (
    MemoryCluster,
    deployment,
    injector,
    namespace,
    pod,
)

Object = dict[str, Any]

SYSTEM = "istio-system"
OLD, NEW = Plane("default", "1.29.1"), Plane("1-30-4", "1.30.4")
READY = {
    "replicas": 1,
    "updatedReplicas": 1,
    "readyReplicas": 1,
    "availableReplicas": 1,
    "conditions": [{"type": "Available", "status": "True"}],
}
MOVES = 16
"""How many moves an upgrade has in this mesh."""


def owned(plane: Plane, component: str) -> dict[str, str]:
    return {
        "istio.io/rev": plane.revision,
        "operator.istio.io/component": component,
        "install.operator.istio.io/owning-resource-namespace": SYSTEM,
    }


def istiod(plane: Plane) -> Object:
    image = {"name": "discovery", "image": f"docker.io/istio/pilot:{plane.version}"}
    spec = {"replicas": 1, "template": {"spec": {"containers": [image]}}}
    labels = {"app": "istiod", **owned(plane, "Pilot")}
    return deployment(f"istiod-{plane.revision}", SYSTEM, labels=labels, spec=spec, status=READY)


def gateway(plane: Plane) -> Object:
    return deployment("istio-ingressgateway", SYSTEM, labels=owned(plane, "IngressGateways"), status=READY)


def tag(plane: Plane) -> Object:
    made = injector(plane.revision, name="istio-revision-tag-default")
    made["metadata"]["labels"]["istio.io/tag"] = "default"
    made["webhooks"] = injector("default")["webhooks"]
    return made


def webhook(plane: Plane) -> Object:
    """The injector of a revision; that of the one without a name is deactivated, because the tag replaces it."""
    made = injector(plane.revision, webhooks=[] if plane.revision == "default" else None)
    made["metadata"]["labels"] |= owned(plane, "Pilot")
    return made


def sidecar(place: str, plane: Plane) -> Object:
    return pod("web-1-x", place, owner=("ReplicaSet", "web-1"), proxy=plane.version, revision=plane.revision)


def app(place: str, **labels: str) -> list[Object]:
    return [namespace(place, **labels), deployment("web", place, status=READY), sidecar(place, OLD)]


class World:
    """A mesh in memory, and the moves of an upgrade in it; `fuse` moves more, and the run is killed."""

    def __init__(self, *objects: Object) -> None:
        self.cluster = MemoryCluster(*objects)
        self.namespace = SYSTEM
        self.changes: list[dict[str, str]] = []
        self.done: list[str] = []
        self.fuse = -1
        self.bad: set[str] = set()

    def _move(self, what: str) -> None:
        if self.fuse == 0:
            raise KeyboardInterrupt
        self.fuse -= 1
        self.done.append(what)
        self.changes.append({"action": what})

    def remember(self, record: Record) -> None:
        wanted = dict(record.unit(SYSTEM).objects[0])
        if self.cluster.get(CONFIG_MAP, UPGRADE_RECORD, SYSTEM) != wanted:
            self._move("record")
            self.cluster.put(wanted)

    def forget(self) -> None:
        live = self.cluster.get(CONFIG_MAP, UPGRADE_RECORD, SYSTEM)
        if live:
            self._move("forget")
            self.cluster.remove(key_of(live))

    def refuse(self, plane: Plane) -> None:
        if plane.version == "1.30.99":
            raise InvalidInput("Istio 1.30.99 not found")

    def install(self, plane: Plane, *, gateways: bool, moves_from: str) -> None:
        wanted = [istiod(plane), webhook(plane)]
        live = self.cluster.get(Kind("apps/v1", "Deployment"), "istio-ingressgateway", SYSTEM) or {}
        owner = live["metadata"]["labels"]["istio.io/rev"]
        assert gateways or owner != plane.revision, "it would prune its gateways"
        assert not gateways or owner in (plane.revision, moves_from)
        wanted += [gateway(plane)] if gateways else []
        for obj in wanted:
            key = key_of(obj)
            if self.cluster.get(key.of, key.name, key.namespace) != obj:
                self._move(f"{plane.revision}: {obj['kind']} {obj['metadata']['name']}")
                self.cluster.put(obj)

    def remove(self, plane: Plane) -> None:
        used = [one for one in self.cluster.list(POD) if proxy_of(one) and revision_of(one) == plane.revision]
        assert not used, "its proxies would lose it"
        for obj in (webhook(plane), istiod(plane)):
            key = key_of(obj)
            if self.cluster.get(key.of, key.name, key.namespace):
                self._move(f"remove {obj['kind']} {plane.revision}")
                self.cluster.remove(key)

    def point(self, name: str, plane: Plane) -> None:
        assert name == "default"
        self._move(f"tag {plane.revision}")
        self.cluster.put(tag(plane))

    def label(self, names: Sequence[str], wanted: Mapping[str, str]) -> None:
        for name in names:
            live = self.cluster.get(NAMESPACE, name)
            assert live is not None
            labels = {"team": name, **wanted}
            if live["metadata"]["labels"] != labels:
                self._move(f"label {name}")
                self.cluster.put({**live, "metadata": {**live["metadata"], "labels": labels}})

    def restart(self, names: Sequence[str]) -> None:
        planes = {plane.revision: plane for plane in (OLD, NEW)}
        for name in names:
            live = self.cluster.get(POD, "web-1-x", name)
            place = self.cluster.get(NAMESPACE, name)
            assert live is not None
            assert place is not None
            found = Injectors.read(self.cluster).of_pod(place, live)
            if found is not None and found.revision != revision_of(live):
                self._move(f"restart {name}")
                self.cluster.put(sidecar(name, planes[found.revision]))

    def state(self) -> list[str]:
        """What belongs to whom."""
        pods = sorted(f"{one['metadata']['namespace']} {revision_of(one)}" for one in self.cluster.list(POD))
        spaces = sorted(
            f"{one['metadata']['name']} {one['metadata']['labels']}" for one in self.cluster.list(NAMESPACE)
        )
        kinds = (Kind("apps/v1", "Deployment"), Kind(*key_of(tag(OLD)).of))
        others = sorted(
            f"{one['kind']} {one['metadata']['name']} {one['metadata'].get('labels', {}).get('istio.io/rev')}"
            for kind in kinds
            for one in self.cluster.list(kind)
        )
        return [*pods, *spaces, *others]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Two namespaces: one with `istio-injection`, one with the name of the old revision's tag."""
    made = World(istiod(OLD), webhook(OLD), gateway(OLD), tag(OLD))
    for obj in [
        *app("cart", team="cart", istio_injection="enabled"),
        *app("shop", team="shop", istio_injection="enabled"),
    ]:
        made.cluster.put(obj)

    def failure(_cluster: Any, plane: Plane, names: Sequence[str], **_more: Any) -> str:
        return "the proxy is not in sync" if plane == NEW and made.bad & set(names) else ""

    monkeypatch.setattr(gate, "failure", failure)
    monkeypatch.setattr(upgrade_steps, "Moves", lambda _task: made)
    monkeypatch.setattr(MemoryCluster, "now", None)
    return made


def run(world: World, *, version: str = NEW.version, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    given = {"control_plane": {"version": version}, "grace_period": 0, "interval": 0, **options}
    defaults = {name: one.get("default") for name, one in DEFINITION.spec.items()}
    task = SimpleNamespace(
        params={**defaults, **given},
        cluster=world.cluster,
        check_mode=check_mode,
        progress=lambda _line: None,
        time_limit=300,
    )
    world.changes, world.done = [], []
    result = DEFINITION.work(task)  # type: ignore[arg-type]
    assert isinstance(result, dict)
    return result


def test_all_moves_in_their_order_and_a_second_run_changes_nothing(world: World) -> None:
    result = run(world)
    assert result["next"] == ""
    assert [wave["namespaces"] for wave in result["waves"]] == [["cart"], ["shop"]]
    assert len(world.done) == MOVES
    order = [world.done.index(one) for one in ("label cart", "restart cart", "label shop", "restart shop")]
    order += [world.done.index("1-30-4: Deployment istio-ingressgateway"), world.done.index("tag 1-30-4")]
    assert order == sorted(order)
    assert "cart {'team': 'cart', 'istio-injection': 'enabled'}" in world.state()
    again = run(world)
    assert (again["changed"], world.done) == (False, [])


@pytest.mark.parametrize("fuse", range(MOVES))
def test_a_run_that_is_killed_goes_on_to_the_same_end(world: World, fuse: int) -> None:
    world.fuse = fuse
    with pytest.raises(KeyboardInterrupt):
        run(world)
    world.fuse = -1
    assert run(world)["next"] == ""
    killed = world.state()
    assert killed == [
        "cart 1-30-4",
        "shop 1-30-4",
        "cart {'team': 'cart', 'istio-injection': 'enabled'}",
        "shop {'team': 'shop', 'istio-injection': 'enabled'}",
        "Deployment istio-ingressgateway 1-30-4",
        "Deployment istiod-1-30-4 1-30-4",
        "Deployment web None",
        "Deployment web None",
        "MutatingWebhookConfiguration istio-revision-tag-default 1-30-4",
        "MutatingWebhookConfiguration istio-sidecar-injector-1-30-4 1-30-4",
    ]


@pytest.mark.parametrize("fuse", [*range(MOVES), 99])
def test_a_roll_back_at_any_point_brings_everything_back(world: World, fuse: int) -> None:
    before = world.state()
    world.fuse = fuse
    if fuse == 99:
        run(world)
    else:
        with pytest.raises(KeyboardInterrupt):
            run(world)
    world.fuse = -1
    if fuse == 0:
        return  # nothing was written
    run(world, state="rolled_back")
    assert world.state() == before
    with pytest.raises(Refused) as refused:
        run(world, state="rolled_back")
    assert refused.value.code == "nothing_to_roll_back"


def test_a_roll_back_that_is_killed_goes_on(world: World) -> None:
    before = world.state()
    run(world)
    for fuse in (1, 2, 3):
        world.fuse = fuse
        with pytest.raises(KeyboardInterrupt):
            run(world, state="rolled_back")
    world.fuse = -1
    run(world, state="rolled_back")
    assert world.state() == before


def test_a_gate_that_fails_rolls_back_its_wave_only(world: World) -> None:
    world.bad = {"shop"}
    with pytest.raises(MeshError) as failed:
        run(world)
    assert failed.value.code == "gate_failed"
    assert failed.value.details["namespaces"] == ["shop"]
    assert failed.value.details["rolled_back"] is True
    assert "cart 1-30-4" in world.state()
    assert {"shop default", "shop {'team': 'shop', 'istio-injection': 'enabled'}"} <= set(world.state())
    world.bad = set()
    assert run(world)["next"] == ""


def test_gateways_that_fail_the_gate_go_back(world: World) -> None:
    run(world, steps=["control_plane", "namespaces"])
    world.bad = {SYSTEM}
    with pytest.raises(MeshError) as failed:
        run(world)
    assert failed.value.details["rolled_back"] is True
    assert "Deployment istio-ingressgateway default" in world.state()


def test_steps_wait_for_those_before_them(world: World) -> None:
    assert run(world, steps=["gateways"])["next"] == "control_plane"
    assert world.done == []
    assert run(world, steps=["control_plane"])["next"] == "namespaces"
    result = run(world, namespaces=["shop"])
    assert (result["next"], result["remaining"]["namespaces"]) == ("namespaces", ["cart"])
    assert "Deployment istio-ingressgateway default" in world.state()
    assert run(world)["next"] == ""


def test_check_mode_and_no_steps_write_nothing(world: World) -> None:
    checked = run(world, steps=[])
    assert (checked["changed"], checked["next"], world.done) == (False, "control_plane", [])
    assert checked["findings"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"version": ""}, "version"),
        ({"version": "1.29.1"}, "1.29.1"),
        ({"version": "1.28.3"}, "upgrade_allow_downgrade"),
        ({"version": "1.30.99"}, "1.30.99"),
        ({"namespaces": ["nowhere"]}, "nowhere"),
        ({"waves": [["cart"], ["nowhere"]]}, "nowhere"),
        ({"wave_size": "none"}, "none"),
        ({"from_revision": "other"}, "other"),
        ({"state": "rolled_back"}, "no upgrade"),
        ({"max_unavailable": 0}, "max_unavailable"),
        ({"grace_period": -1}, "grace_period"),
        ({"prometheus": {"service": "a/b:1", "query": "up"}}, "threshold"),
        ({"answers": {"url": "http://127.0.0.1:1/", "count": 1, "min_success": 99}}, "0 of 1"),
    ],
)
def test_bad_input_is_refused_before_the_first_write(world: World, options: dict[str, Any], named: str) -> None:
    with pytest.raises(MeshError) as refused:
        run(world, **options)
    assert named in refused.value.message
    assert world.done == []
