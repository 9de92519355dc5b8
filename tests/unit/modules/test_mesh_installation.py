# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order in which the parts of a mesh are applied, what waits for what, and what a failure says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import MeshError, NotReady
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Object, key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.change import Change
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.plan import Plan
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.plugins.module_utils.tasks.mesh_installation import Installation
from ansible_collections.meshops.istio.plugins.module_utils.tasks.mesh_plan import PlannedPart
from ansible_collections.meshops.istio.tests.support.memory_cluster import make
from ansible_collections.meshops.istio.tests.support.messages import has_facts

PILOT = {"operator.istio.io/component": "Pilot"}
ISTIOD = [make(kind, "istiod", "istio-system", labels=PILOT) for kind in ("Deployment", "Service")]
GATEWAY = make("Service", "istio-ingressgateway", "istio-system")
RESTART = {"action": "restart", "api_version": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "web"}
PATIENCE = 20.0


def plan(*created: Object, updated: Object | None = None) -> Plan:
    changes = [Change("create", key_of(obj), None, obj, desired=obj) for obj in created]
    if updated is not None:
        changes.append(Change("update", key_of(updated), updated, updated, desired=updated))
    return Plan(Unit("test", []), [*created, *([updated] if updated else [])], {}, changes)


class Part:
    """A part that writes at once, and then ends, fails, or waits for an event."""

    def __init__(self, order: list[str], title: str, planned: Plan, ends: Callable[[], object]) -> None:
        self.planned, self.params, self.cluster = planned, {"wait": False}, SimpleNamespace()
        self.anew = False
        self._order, self._title, self._ends = order, title, ends

    def progress(self, line: str) -> None:
        self._order.append(line)

    def apply(self, *, anew: bool, approved: bool, applied: Callable[[Plan], None]) -> dict[str, Any]:
        self.anew = anew
        self._order.append(f"begin {self._title}")
        applied(self.planned)
        self._ends()
        self._order.append(f"end {self._title}")
        return {"changed": True, "changes": [change.summary for change in self.planned.changes]}


class Mesh:
    """Parts to apply; `order` has the beginning and the end of each."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.parts: list[PlannedPart] = []

    def add(
        self, name: str, planned: Plan, *, title: str = "", ends: Callable[[], object] = int, follows: bool = False
    ) -> PlannedPart:
        title = title or name.replace("_", " ")
        part: Any = Part(self.order, title, planned, ends)
        result = {"changes": [change.summary for change in planned.changes], "unready": []}
        self.parts.append(PlannedPart(name, title, part, result, due=True, follows=follows))
        return self.parts[-1]

    def install(self) -> Installation:
        task: Any = SimpleNamespace(params={"plan_digest": None}, progress=lambda _line: None)
        mesh: Any = SimpleNamespace(parts=self.parts)
        installation = Installation(task, mesh)
        installation.run()
        return installation


@pytest.fixture
def mesh() -> Mesh:
    return Mesh()


def test_nothing_waits_for_the_gateways_of_a_new_control_plane(mesh: Mesh) -> None:
    ready = threading.Event()
    mesh.add("control_plane", plan(*ISTIOD, GATEWAY), ends=lambda: ready.wait(PATIENCE))
    mesh.add("injection", plan(make("Namespace", "shop")))
    mesh.add("applications", plan(make("ConfigMap", "web", "shop")), title="application shop", ends=ready.set)
    mesh.install()
    assert mesh.order[0] == "begin control plane"
    assert mesh.order.index("end injection") < mesh.order.index("begin application shop")
    assert "begin application shop" in mesh.order[: mesh.order.index("end control plane")]


@pytest.mark.parametrize(
    "kind",
    [
        ("apps/v1", "Deployment"),
        ("v1", "ConfigMap"),
        ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    ],
    ids=lambda kind: kind[1],
)
def test_an_istiod_that_changes_is_awaited_first(kind: tuple[str, str], mesh: Mesh) -> None:
    begun = threading.Event()
    updated = make(kind[1], "istiod", "istio-system", api=kind[0], labels=PILOT)
    mesh.add("control_plane", plan(*ISTIOD, updated=updated), ends=lambda: begun.wait(0.1))
    mesh.add("injection", plan(make("Namespace", "shop")), ends=begun.set)
    mesh.install()
    assert mesh.order == ["begin control plane", "end control plane", "begin injection", "end injection"]


def test_a_plan_that_is_another_under_the_lock_holds_nothing_up(mesh: Mesh) -> None:
    other = plan(*ISTIOD, updated=make("Deployment", "istiod", "istio-system", api="apps/v1", labels=PILOT))
    plane = mesh.add("control_plane", plan(make("Service", "a", "istio-system"), *ISTIOD))
    part: Any = plane.part
    part.planned.objects.extend(other.objects)

    def apply(**_how: Any) -> dict[str, Any]:
        part.planned = other
        return {"changed": True, "changes": []}

    part.apply = apply
    mesh.add("injection", plan(make("Namespace", "shop")))
    mesh.install()
    assert mesh.order[-1] == "end injection"


def test_restarts_come_last_unless_something_was_to_restart_before(mesh: Mesh) -> None:
    mesh.add("injection", plan(make("Namespace", "shop")))
    restart = mesh.add("restart", plan(), follows=True)
    mesh.add("applications", plan(), title="application shop")
    mesh.install()
    assert mesh.order[-1] == "end restart"
    assert restart.part.anew  # type: ignore[attr-defined]
    mesh.order.clear()
    restart.result["changes"] = [RESTART]
    mesh.install()
    assert mesh.order[-1] == "end application shop"


def test_the_restart_of_a_removal_is_planned_when_the_labels_are_gone(mesh: Mesh) -> None:
    mesh.add("injection", plan(updated=make("Namespace", "shop")))
    restart = mesh.add("injection", plan(), title="restart", follows=True)
    mesh.add("control_plane", plan())
    mesh.install()
    assert restart.part.anew  # type: ignore[attr-defined]
    assert mesh.order.index("end restart") < mesh.order.index("begin control plane")


def test_applications_follow_each_other_and_not_the_addons(mesh: Mesh) -> None:
    other = threading.Event()
    mesh.add("addons", plan(), ends=lambda: other.wait(PATIENCE))
    mesh.add("applications", plan(), title="application a")
    mesh.add("applications", plan(), title="application b", ends=other.set)
    mesh.install()
    assert mesh.order.index("end application a") < mesh.order.index("begin application b")
    assert mesh.order[-1] == "end addons"


def test_a_part_of_unknown_kinds_follows_all_others_and_is_planned_again(mesh: Mesh) -> None:
    mesh.add("addons", plan())
    application = mesh.add("applications", plan(), title="application a")
    application.guesses = True
    mesh.install()
    assert mesh.order.index("end addons") < mesh.order.index("begin application a")
    assert application.part.anew  # type: ignore[attr-defined]


def test_all_failures_are_named_with_what_was_and_was_not_done(mesh: Mesh) -> None:
    begun, failed = threading.Event(), threading.Event()

    def late() -> None:
        failed.wait(PATIENCE)
        raise NotReady("Timed out waiting for Deployment istio-system/istio-ingressgateway: 0/1 replicas.")

    def broken() -> None:
        failed.set()
        raise NotReady("Timed out waiting for Deployment shop/web: ImagePullBackOff")

    mesh.add("control_plane", plan(*ISTIOD, GATEWAY), ends=late)
    mesh.add("injection", plan(make("Namespace", "shop")))
    mesh.add("applications", plan(), title="application a", ends=broken)
    mesh.add("applications", plan(), title="application b", ends=begun.set)
    with pytest.raises(MeshError) as caught:
        mesh.install()
    assert has_facts(caught.value.message, "Application a failed & shop/web & ImagePullBackOff")
    assert has_facts(caught.value.message, "Control plane failed & istio-ingressgateway")
    assert has_facts(caught.value.message, "Applied: injection & Not applied: application b")
    assert (caught.value.code, caught.value.details["part"]) == ("not_ready", "application a")
    assert caught.value.changed
    assert not begun.is_set()


def test_a_namespace_that_another_part_creates_is_planned_again(mesh: Mesh) -> None:
    namespace = make("Namespace", "istio-system")
    mesh.add("control_plane", plan(namespace, *ISTIOD))
    injection = mesh.add("injection", plan(namespace))
    mesh.install()
    assert injection.part.anew  # type: ignore[attr-defined]
