# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carrying out a plan: in which order, what is taken over, what is deleted, and where it stops.

Order, takeover and deletion are seen in the same writes, hence one file of over 400 lines.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply import apply, write
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.apply import apply_changes, delete_stale
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import NotReady, Refused
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan import takeover
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.change import Change
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.planning import make_plan
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer, Request, status
from ansible_collections.meshops.istio.tests.support.kube.manifests import (
    cluster_role,
    config_map,
    definition,
    deployment,
    namespace,
    obj,
    path_of,
    shape,
    validating_webhook,
    written_by,
)
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern

Object = dict[str, Any]

MANAGER = "meshops.istio/test"
LONG = 30.0
"""Seconds that no test gets to see."""


def carry_out(cluster: Cluster, unit: Unit, *, gates: bool = True, **more: Any) -> None:
    options = {"deadline": time.monotonic() + LONG, "progress": silent, **more}
    apply_changes(cluster, make_plan(cluster, unit), gates=gates, **options)


def prune(cluster: Cluster, unit: Unit, **more: Any) -> None:
    options = {"awaited": False, "deadline": time.monotonic() + LONG, "progress": silent, **more}
    delete_stale(cluster, make_plan(cluster, unit), **options)


def written(api: ApiServer) -> list[str]:
    """The names of what was written, in that order."""
    return [write.rpartition("/")[2] for write in api.writes]


@pytest.fixture
def established(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was waited for; it is ready at once."""
    waited: list[str] = []

    def wait_ready(_cluster: Cluster, keys: list[Key], **_more: Any) -> None:
        waited.extend(f"established {key.name}" for key in keys)

    def wait_endpoint(_cluster: Cluster, service: Key, **_more: Any) -> None:
        waited.append(f"endpoint {service.name}")

    monkeypatch.setattr(apply, "wait_ready", wait_ready)
    monkeypatch.setattr(apply, "wait_endpoint", wait_endpoint)
    return waited


# --- order ---------------------------------------------------------------------------------------------------------


def test_what_others_stand_on_goes_first(api: ApiServer, cluster: Cluster, established: list[str]) -> None:
    objects = [
        shape(),
        validating_webhook(),
        deployment(),
        config_map(),
        cluster_role(),
        definition(),
        namespace(),
    ]
    carry_out(cluster, Unit(MANAGER, objects))
    assert sorted(written(api)) == sorted(one["metadata"]["name"] for one in objects)
    position = {write.removeprefix("PATCH "): index for index, write in enumerate(api.writes)}
    assert position[path_of(namespace())] < position[path_of(config_map())] < position[path_of(deployment())]
    assert position[path_of(cluster_role())] < position[path_of(deployment())] < position[path_of(validating_webhook())]
    assert max(position[path_of(definition())], position[path_of(validating_webhook())]) < position[path_of(shape())]
    assert position[path_of(definition())] < position[path_of(deployment())]
    assert set(established) == {"established shapes.example.com"}


def test_a_unit_says_what_is_worth_going_first(api: ApiServer, cluster: Cluster) -> None:
    ranks = {"first": -1, "then": 0, "last": 5}
    objects = [config_map(name) for name in ("last", "then", "first")]
    carry_out(cluster, Unit(MANAGER, objects, rank=lambda one: ranks[one["metadata"]["name"]]))
    assert written(api) == ["first", "then", "last"]


def test_a_webhook_and_what_it_watches_do_not_wait_for_each_other(
    api: ApiServer, cluster: Cluster, established: list[str]
) -> None:
    # The rank would have it the other way round.
    objects = [shape(), definition(), validating_webhook(), config_map()]
    carry_out(cluster, Unit(MANAGER, objects, rank=lambda one: 0 if one["kind"] == "Shape" else 1))
    assert written(api).index("guard") < written(api).index("round")


def test_what_waits_for_a_service_holds_nothing_else_back(
    api: ApiServer, cluster: Cluster, established: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rest_is_there = threading.Event()

    def wait_endpoint(_cluster: Cluster, service: Key, **_more: Any) -> None:
        assert rest_is_there.wait(LONG)
        established.append(f"endpoint {service.name}")

    def notice(request: Request) -> None:
        if request.path.endswith("/late") and "dryRun" not in request.query and request.method == "PATCH":
            rest_is_there.set()

    monkeypatch.setattr(apply, "wait_endpoint", wait_endpoint)
    api.fault = notice
    service = Key("v1", "Service", "shop", "istiod")
    unit = Unit(
        MANAGER,
        [deployment("gateway"), deployment("other-gateway"), obj("policy/v1", "PodDisruptionBudget", "late", "shop")],
        gate=lambda one: service if "gateway" in one["metadata"]["name"] else None,
    )
    carry_out(cluster, unit)
    assert sorted(written(api)) == ["gateway", "late", "other-gateway"]
    assert written(api)[0] == "late"
    assert established == ["endpoint istiod"]


def test_without_waiting_there_are_no_gates(api: ApiServer, cluster: Cluster, established: list[str]) -> None:
    service = Key("v1", "Service", "shop", "istiod")
    carry_out(cluster, Unit(MANAGER, [deployment()], gate=lambda _one: service), gates=False)
    assert (written(api), established) == (["web"], [])


@pytest.mark.parametrize("is_new", [True, False])
@pytest.mark.usefixtures("established")
def test_what_needs_a_new_service_starts_when_nodes_can_have_heard_of_it(
    api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, is_new: bool
) -> None:
    pauses: list[float] = []
    service = obj("v1", "Service", "istiod", "shop")
    if not is_new:
        carry_out(cluster, Unit(MANAGER, [service]))
    monkeypatch.setattr(time, "sleep", pauses.append)
    unit = Unit(
        MANAGER,
        [service, deployment()],
        gate=lambda one: key_of(service) if one["kind"] == "Deployment" else None,
    )
    carry_out(cluster, unit)
    assert pauses == ([apply.ROUTED_WITHIN] if is_new else [])


@pytest.mark.usefixtures("established")
def test_a_new_kind_is_asked_for_before_its_controller_does(api: ApiServer, cluster: Cluster) -> None:
    asked_for = threading.Event()
    api.fault = lambda request: asked_for.set() if request.path == "/apis/example.com/v1/shapes" else None
    carry_out(cluster, Unit(MANAGER, [definition()]))
    assert asked_for.wait(LONG)


def test_nobody_waits_for_a_new_kind_that_has_no_objects(
    api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    test_is_over = threading.Event()
    monkeypatch.setattr(apply, "wait_ready", lambda *_arguments, **_more: test_is_over.wait(LONG))
    try:
        carry_out(cluster, Unit(MANAGER, [definition(), deployment()]))
        assert written(api) == ["shapes.example.com", "web"]
    finally:
        test_is_over.set()


@pytest.mark.usefixtures("established")
def test_a_server_that_learns_of_a_kind_late_is_asked_again(
    api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    answers = iter([Answer(404, b"404 page not found\n")] * 3)
    api.fault = lambda request: next(answers, None) if request.path.endswith("/round") else None
    carry_out(cluster, Unit(MANAGER, [definition(), shape()]))
    assert [one["kind"] for one in api.objects] == ["CustomResourceDefinition", "Shape"]


@pytest.mark.usefixtures("established")
def test_a_namespace_that_is_absent_is_not_waited_for(api: ApiServer, cluster: Cluster) -> None:
    absent = status(404, "NotFound", 'namespaces "shop" not found')
    api.fault = lambda request: absent if request.path.endswith("/round") and request.method == "PATCH" else None
    with pytest.raises(Refused, match='Shape shop/round: namespaces "shop" not found'):
        carry_out(cluster, Unit(MANAGER, [definition(), shape()]))


# --- where it stops ------------------------------------------------------------------------------------------------


def test_after_a_refusal_nothing_is_begun(api: ApiServer, cluster: Cluster) -> None:
    refused = status(422, "Invalid", "no")
    api.fault = lambda request: refused if request.path == path_of(config_map()) and request.method != "GET" else None
    with pytest.raises(Refused, match="ConfigMap shop/web: no"):
        carry_out(cluster, Unit(MANAGER, [config_map(), deployment()]))
    assert api.objects == []


def test_who_may_not_write_any_more_does_not(api: ApiServer, cluster: Cluster) -> None:
    def lost() -> None:
        raise NotReady("Another run has taken over.")

    cluster.fence = lost
    stale = written_by(MANAGER, config_map("old"))
    api.put(path_of(stale), stale)
    for attempt in (carry_out, prune):
        with pytest.raises(NotReady):
            attempt(cluster, Unit(MANAGER, [config_map()], stale=lambda _cluster: [stale]))
    assert api.writes == []


def test_progress_is_told(cluster: Cluster) -> None:
    lines: list[str] = []
    carry_out(cluster, Unit(MANAGER, [config_map(f"web-{number}") for number in range(150)]), progress=lines.append)
    assert lines == ["applied 100 of 150 objects", "applied 150 of 150 objects"]


# --- take-over -----------------------------------------------------------------------------------------------------


def installed_by(api: ApiServer, manager: str, one: Object) -> None:
    """Put an object there as `manager` would have applied it."""
    cluster = Cluster.connect({"host": api.url, "api_key": "x"}, user_agent="somebody")
    cluster.apply(one, manager=manager)
    api.requests.clear()


def test_what_retired_managers_alone_wanted_goes(api: ApiServer, cluster: Cluster) -> None:
    installed_by(api, "istio-operator", config_map(a="1", b="2"))
    api.change(path_of(config_map()), "somebody", data={"c": "3"})
    unit = Unit(MANAGER, [config_map(a="1")], previous_managers=frozenset({"istio-operator"}))
    plan = make_plan(cluster, unit)
    assert [change.previous_managers for change in plan.changes] == [unit.previous_managers]
    carry_out(cluster, unit)
    stored = api.get(path_of(config_map()))
    assert stored["data"] == {"a": "1", "c": "3"}
    # The plan has shown just that.
    assert plan.changes[0].after
    assert plan.changes[0].after["data"] == stored["data"]
    assert [entry["manager"] for entry in stored["metadata"]["managedFields"]] == ["somebody", MANAGER]
    assert make_plan(cluster, unit).changes == []


def test_a_takeover_is_retried_after_a_conflict(api: ApiServer, cluster: Cluster) -> None:
    installed_by(api, "istio-operator", config_map(a="1", b="2"))
    unit = Unit(MANAGER, [config_map(a="1")], previous_managers=frozenset({"istio-operator"}))
    plan = make_plan(cluster, unit)
    api.change(path_of(config_map()), "controller", metadata={"annotations": {"seen": "1"}})
    apply_changes(cluster, plan, gates=False, deadline=time.monotonic() + LONG, progress=silent)
    stored = api.get(path_of(config_map()))
    assert (stored["data"], stored["metadata"]["annotations"]) == ({"a": "1"}, {"seen": "1"})


def test_a_takeover_gives_up_after_repeated_conflicts(api: ApiServer, cluster: Cluster) -> None:
    installed_by(api, "istio-operator", config_map())
    number = iter(range(1000))

    def interfere(request: Request) -> Answer | None:
        if request.headers.get("content-type") == "application/json-patch+json":
            api.change(path_of(config_map()), "controller", metadata={"annotations": {"seen": str(next(number))}})
        return None

    api.fault = interfere
    with pytest.raises(NotReady, match=facts_pattern("ConfigMap shop/web & other clients changed it & Run again")):
        carry_out(cluster, Unit(MANAGER, [config_map()], previous_managers=frozenset({"istio-operator"})))


def test_an_interrupted_takeover_is_finished_by_the_next_run(api: ApiServer, cluster: Cluster) -> None:
    installed_by(api, "istio-operator", config_map(a="1", b="2"))
    unit = Unit(MANAGER, [config_map(a="1")], previous_managers=frozenset({"istio-operator"}))
    [change] = make_plan(cluster, unit).changes
    takeover.take_over(cluster, change.before or {}, change.previous_managers, unit)  # and then the process is killed
    assert api.get(path_of(config_map()))["data"] == {"a": "1", "b": "2"}
    carry_out(cluster, unit)
    assert api.get(path_of(config_map()))["data"] == {"a": "1"}
    assert make_plan(cluster, unit).changes == []


# --- late writes ---------------------------------------------------------------------------------------------------


def test_an_update_is_of_the_version_that_was_planned(api: ApiServer, cluster: Cluster) -> None:
    installed_by(api, MANAGER, config_map(a="1"))
    version = api.get(path_of(config_map()))["metadata"]["resourceVersion"]
    carry_out(cluster, Unit(MANAGER, [config_map(a="2")]))
    [applied] = [one for one in api.requests if one.writes]
    assert applied.body["metadata"]["resourceVersion"] == version


def test_an_update_is_made_on_an_object_changed_since_the_plan(api: ApiServer, cluster: Cluster) -> None:
    installed_by(api, MANAGER, config_map(a="1"))
    plan = make_plan(cluster, Unit(MANAGER, [config_map(a="2")]))
    api.change(path_of(config_map()), "controller", metadata={"annotations": {"seen": "1"}})
    apply_changes(cluster, plan, gates=False, deadline=time.monotonic() + LONG, progress=silent)
    stored = api.get(path_of(config_map()))
    assert (stored["data"], stored["metadata"]["annotations"]) == ({"a": "2"}, {"seen": "1"})


@pytest.mark.parametrize("write", [apply_changes, delete_stale])
def test_a_late_write_does_not_undo_what_another_run_has_written(
    api: ApiServer, cluster: Cluster, write: Callable[..., None]
) -> None:
    """The request was on its way when the lock was lost, as that of a process that was stopped."""
    installed_by(api, MANAGER, config_map(a="1"))
    deletes = write is delete_stale
    before = [written_by(MANAGER, one) for one in api.objects]
    unit = Unit(MANAGER, [] if deletes else [config_map(a="old run")], stale=lambda _cluster: before)
    plan = make_plan(cluster, unit)
    allowed = iter([None, None])  # before connecting, and before the body

    def fence() -> None:
        if next(allowed, 0) == 0:
            raise NotReady("Another run has taken over.", code="lock_lost")

    def other_run(request: Request) -> None:
        if request.writes and request.headers["user-agent"] != "other":
            other = Cluster.connect({"host": api.url, "api_key": "x"}, user_agent="other")
            other.apply(config_map(a="new run"), manager=MANAGER)

    api.fault = other_run
    cluster.fence = fence
    more = {"awaited": False} if deletes else {"gates": False}
    with pytest.raises(NotReady):
        write(cluster, plan, deadline=time.monotonic() + LONG, progress=silent, **more)
    assert api.get(path_of(config_map()))["data"]["a"] == "new run"


def test_an_object_that_never_rests_is_applied_all_the_same(
    api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "TRIES", 3)
    installed_by(api, MANAGER, config_map(a="1"))
    number = iter(range(1000))

    def interfere(request: Request) -> None:
        if request.writes:
            api.change(path_of(config_map()), "controller", metadata={"annotations": {"seen": str(next(number))}})

    api.fault = interfere
    carry_out(cluster, Unit(MANAGER, [config_map(a="2")]))
    assert api.get(path_of(config_map()))["data"] == {"a": "2"}


def test_an_object_deleted_since_the_plan_is_created(api: ApiServer, cluster: Cluster) -> None:
    installed_by(api, MANAGER, config_map(a="1"))
    plan = make_plan(cluster, Unit(MANAGER, [config_map(a="2")]))
    api.remove(path_of(config_map()))
    apply_changes(cluster, plan, gates=False, deadline=time.monotonic() + LONG, progress=silent)
    assert api.get(path_of(config_map()))["data"] == {"a": "2"}


# --- deletion ------------------------------------------------------------------------------------------------------


def test_what_could_block_is_deleted_first_and_what_holds_the_rest_last(api: ApiServer, cluster: Cluster) -> None:
    stale = [namespace(), definition(), config_map(), deployment(), shape(), validating_webhook()]
    for one in stale:
        api.put(path_of(one), one, MANAGER)
    cluster.learn([definition()])
    prune(cluster, Unit(MANAGER, [], stale=lambda _cluster: api.objects))
    paths = [write.removeprefix("DELETE ") for write in api.writes]
    assert paths == [path_of(one) for one in reversed(stale)]
    assert api.objects == []


def test_a_successor_of_what_is_stale_is_left_alone(api: ApiServer, cluster: Cluster) -> None:
    api.put(path_of(config_map()), config_map(), MANAGER)
    [old] = api.objects
    api.remove(path_of(config_map()))
    api.put(path_of(config_map()), config_map(a="somebody else's"))
    plan = make_plan(cluster, Unit(MANAGER, [], stale=lambda _cluster: [old]))
    delete_stale(cluster, plan, awaited=False, deadline=time.monotonic() + LONG, progress=silent)
    assert len(api.objects) == 1


def test_what_is_gone_already_is_no_failure(api: ApiServer, cluster: Cluster) -> None:
    lines: list[str] = []
    stale = [written_by(MANAGER, config_map(name)) for name in ("a", "b", "c", "d")]
    prune(cluster, Unit(MANAGER, [], stale=lambda _cluster: stale), progress=lines.append)
    assert api.objects == []
    assert lines == ["deleted ConfigMap shop/a, ConfigMap shop/b, ConfigMap shop/c and others"]


def test_each_wave_is_gone_before_the_next(api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[list[str], list[str]]] = []

    def wait_gone(_cluster: Cluster, keys: list[Key], **_more: Any) -> None:
        seen.append(([key.kind for key in keys], [one["kind"] for one in api.objects]))

    monkeypatch.setattr(apply, "wait_gone", wait_gone)
    for one in (namespace(), deployment(), config_map()):
        api.put(path_of(one), one, MANAGER)
    prune(cluster, Unit(MANAGER, [], stale=lambda _cluster: api.objects), awaited=True)
    assert seen == [
        (["Deployment"], ["Namespace", "ConfigMap"]),
        (["ConfigMap"], ["Namespace"]),
        (["Namespace"], []),
    ]


def test_what_may_not_be_deleted_is_said(api: ApiServer, cluster: Cluster) -> None:
    api.put(path_of(config_map()), config_map(), MANAGER)
    forbidden = status(403, "Forbidden", "you may not")
    api.fault = lambda request: forbidden if request.method == "DELETE" else None
    with pytest.raises(Refused, match="ConfigMap shop/web: you may not"):
        prune(cluster, Unit(MANAGER, [], stale=lambda _cluster: api.objects))


def test_a_deletion_is_retried_after_a_conflict(api: ApiServer, cluster: Cluster) -> None:
    api.put(path_of(config_map()), config_map(), MANAGER)
    conflicts = iter([status(409, "Conflict", "has been modified")])
    api.fault = lambda request: next(conflicts, None) if request.method == "DELETE" else None
    prune(cluster, Unit(MANAGER, [], stale=lambda _cluster: api.objects))
    assert api.objects == []


def test_changes_are_told_as_data() -> None:
    change = Change("create", key_of(config_map()), None, config_map())
    assert change.summary == {
        "action": "create",
        "api_version": "v1",
        "kind": "ConfigMap",
        "namespace": "shop",
        "name": "web",
    }
