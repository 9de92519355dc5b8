# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one way through: what a run writes, what it only says, and what it does when it is disturbed."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply import execute
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.lock import Lock
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.reconcile import Outcome, reconcile
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.settings import Settings
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import MeshError, NotReady, Refused
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.plan import Plan
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.status import status as status_of
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer, Request, status
from ansible_collections.meshops.istio.tests.support.kube.manifests import (
    config_map,
    deployment,
    namespace,
    path_of,
    secret,
    validating_webhook,
    written_by,
)
from ansible_collections.meshops.istio.tests.support.messages import has_facts

Object = dict[str, Any]

MANAGER = "meshops.istio/test"
LOCK = Lock("mesh")
LEASE = "/apis/coordination.k8s.io/v1/namespaces/default/leases"


def run(cluster: Cluster, *objects: Object, **more: Any) -> Outcome:
    unit_options = {name: more.pop(name) for name in ("stale", "previous_managers", "awaited") if name in more}
    options = {"check": False, "diff": False, "wait": False, "timeout": 30.0, "progress": silent, **more}
    return reconcile(cluster, Unit(MANAGER, objects, **unit_options), Settings(**options))


def told(outcome: Outcome) -> list[str]:
    return [f"{change['action']} {change['kind']} {change['name']}" for change in outcome.changes]


def state(api: ApiServer) -> list[Object]:
    """What is stored, without what differs between equal clusters."""
    kept = []
    for obj in api.objects:
        metadata = {name: value for name, value in obj["metadata"].items() if name not in ("uid", "resourceVersion")}
        kept.append({**obj, "metadata": metadata})
    return sorted(kept, key=lambda obj: (obj["kind"], obj["metadata"]["name"]))


# --- what a run does -----------------------------------------------------------------------------------------------


def test_a_run_writes_its_changes_and_a_second_one_nothing(api: ApiServer, cluster: Cluster) -> None:
    objects = [namespace(), config_map(), secret(password="YQ=="), deployment()]
    first = run(cluster, *objects, lock=LOCK)
    assert first.changed
    assert told(first) == [
        "create Namespace shop",
        "create ConfigMap web",
        "create Secret web",
        "create Deployment web",
    ]
    assert (first.diff, len(first.digest)) == ([], 64)
    written = len(api.writes)
    second = run(cluster, *objects, lock=LOCK)
    assert (second.changed, second.changes, len(api.writes)) == (False, [], written)


def test_check_mode_says_what_a_run_would_do_and_writes_nothing(api: ApiServer, cluster: Cluster) -> None:
    api.put(path_of(config_map("old")), config_map("old"))
    wanted = [config_map("old", a="2"), config_map("new")]
    rehearsed = run(cluster, *wanted, check=True, diff=True, lock=LOCK)
    assert api.writes == []
    done = run(cluster, *wanted, diff=True, lock=LOCK)
    assert (rehearsed.changed, rehearsed.changes, rehearsed.diff) == (done.changed, done.changes, done.diff)
    assert rehearsed.digest == done.digest
    assert [diff["prepared"].splitlines()[0] for diff in done.diff] == [
        "+ ConfigMap shop/new (create)",
        "~ ConfigMap shop/old (update)",
    ]


def test_only_changes_take_the_lock(api: ApiServer, cluster: Cluster) -> None:
    run(cluster, config_map(), lock=LOCK)
    leases = [request.method for request in api.requests if request.path.startswith(LEASE)]
    assert leases == ["GET", "POST", "DELETE"]
    api.requests.clear()
    run(cluster, config_map(), lock=LOCK)
    run(cluster, config_map(a="2"), lock=LOCK, check=True)
    assert not any(request.path.startswith(LEASE) for request in api.requests)


def test_what_another_run_did_meanwhile_is_not_done_again(api: ApiServer, cluster: Cluster) -> None:
    other = Cluster.connect({"host": api.url, "api_key": "x"}, user_agent="other")

    def meanwhile(request: Request) -> None:
        if request.method == "POST" and request.path == LEASE:
            other.apply(config_map(), manager=MANAGER)

    api.fault = meanwhile
    assert not run(cluster, config_map(), lock=LOCK).changed


def test_stale_objects_go_after_all_else(api: ApiServer, cluster: Cluster) -> None:
    api.put(path_of(config_map("old")), config_map("old"), MANAGER)

    def stale(_cluster: Cluster) -> list[Object]:
        return [one for one in api.objects if one["kind"] == "ConfigMap"]

    outcome = run(cluster, config_map("new"), stale=stale)
    assert told(outcome) == ["create ConfigMap new", "delete ConfigMap old"]
    assert [write.split()[0] for write in api.writes] == ["PATCH", "DELETE"]


def test_a_plan_made_in_check_mode_is_carried_out_as_it_was_made(api: ApiServer, cluster: Cluster) -> None:
    unit = Unit(MANAGER, [namespace(), config_map()])
    planned = reconcile(cluster, unit, Settings(timeout=30, check=True, wait=False))
    made = len(api.requests)
    done = reconcile(cluster, unit, Settings(timeout=30, wait=False), planned.plan)
    assert (done.changes, done.digest) == (planned.changes, planned.digest)
    assert {request.method for request in api.requests[made:]} == {"PATCH"}


# --- waiting -------------------------------------------------------------------------------------------------------


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What was waited for, each time."""
    calls: list[list[str]] = []

    def wait_ready(_cluster: Cluster, keys: list[Any], **_more: Any) -> None:
        calls.append([str(key) for key in keys])

    monkeypatch.setattr(execute, "wait_ready", wait_ready)
    return calls


def test_what_changes_is_waited_for_and_what_is_known_to_be_ready_is_not(
    api: ApiServer, cluster: Cluster, waited: list[list[str]]
) -> None:
    ready = {
        "observedGeneration": 1,
        "replicas": 1,
        "updatedReplicas": 1,
        "readyReplicas": 1,
        "availableReplicas": 1,
        "conditions": [{"type": "Available", "status": "True"}],
    }
    objects = [deployment("one"), deployment("two"), deployment("three"), config_map()]
    run(cluster, *objects)
    for name in ("one", "two"):
        api.change(path_of(deployment(name)), "controller", status=ready)
    run(cluster, *objects, wait=True)
    run(cluster, deployment("one", replicas=2), *objects[1:], wait=True)
    run(cluster, *objects, wait=True, check=True)
    run(cluster, *objects, wait=True, awaited=lambda one: one["metadata"]["name"] == "two")
    # What has no status is never waited for.
    assert waited == [
        ["Deployment shop/three"],
        ["Deployment shop/one", "Deployment shop/three"],
    ]


def test_nothing_is_deleted_where_the_new_is_not_ready(
    api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait_ready(*_args: Any, **_more: Any) -> None:
        raise NotReady("Deployment shop/web is not ready after 1 s.")

    monkeypatch.setattr(execute, "wait_ready", wait_ready)
    api.put(path_of(config_map("old")), config_map("old"))
    with pytest.raises(NotReady):
        run(
            cluster,
            deployment(),
            stale=lambda _cluster: [written_by(MANAGER, config_map("old"))],
            wait=True,
            lock=LOCK,
        )
    assert [one["kind"] for one in api.objects] == ["ConfigMap", "Deployment"]


def test_conditions_are_awaited_last_with_or_without_changes(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    def wait_ready(_cluster: Cluster, keys: list[Any], *, expect: Any = None, **_more: Any) -> None:
        order.extend(f"{'condition' if expect else 'ready'} {key.name}" for key in keys)

    monkeypatch.setattr(execute, "wait_ready", wait_ready)
    conditions = [([key_of(config_map("flag"))], status_of)]
    how = {"wait": True, "conditions": conditions, "applied": lambda _plan: order.append("applied")}
    run(cluster, deployment(), **how)
    assert order == ["applied", "ready web", "condition flag"]
    order.clear()
    run(cluster, config_map(), **{**how, "applied": None})
    run(cluster, config_map(), **{**how, "applied": None})
    assert order == ["condition flag", "condition flag"]


def test_what_is_being_deleted_is_waited_for_and_created_anew(
    api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    going = config_map(a="old")
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    api.put(path_of(going), going)
    monkeypatch.setattr(execute, "wait_gone", lambda _cluster, _keys, **_more: api.remove(path_of(going)))
    assert told(run(cluster, config_map())) == ["create ConfigMap web"]
    assert api.get(path_of(going))["data"] == {"a": "1"}


# --- refusals ------------------------------------------------------------------------------------------------------


def refused(api: ApiServer, cluster: Cluster, *objects: Object, **more: Any) -> MeshError:
    with pytest.raises(Refused) as caught:
        run(cluster, *objects, lock=LOCK, **more)
    assert api.writes == []
    return caught.value


def test_a_plan_that_has_become_another_is_refused(api: ApiServer, cluster: Cluster) -> None:
    api.put(path_of(config_map()), config_map())
    digest = run(cluster, config_map(a="2"), check=True).digest
    error = refused(api, cluster, config_map(a="3"), expected_digest=digest)
    assert error.code == "plan_changed"
    assert "has changed since it was approved" in error.message
    assert digest[:12] in error.message
    run(cluster, config_map(a="2"), expected_digest=digest, lock=LOCK)
    assert api.get(path_of(config_map()))["data"] == {"a": "2"}


def test_a_plan_that_changes_while_the_lock_is_waited_for_is_refused(api: ApiServer, cluster: Cluster) -> None:
    api.put(path_of(config_map()), config_map(a="1"))
    digest = run(cluster, config_map(a="2"), check=True).digest

    def meanwhile(request: Request) -> None:
        if request.method == "POST" and request.path == LEASE:
            api.change(path_of(config_map()), data={"a": "9"})

    api.fault = meanwhile
    with pytest.raises(Refused, match="has changed since it was approved"):
        run(cluster, config_map(a="2"), expected_digest=digest, lock=LOCK)
    assert api.get(path_of(config_map()))["data"] == {"a": "9"}


def test_a_check_may_refuse_a_plan(api: ApiServer, cluster: Cluster) -> None:
    def check(plan: Plan) -> None:
        raise Refused(f"{len(plan.changes)} changes are too many.")

    assert refused(api, cluster, config_map(), checks=check).message == "1 changes are too many."


def test_missing_permissions_come_before_all_else(api: ApiServer, cluster: Cluster) -> None:
    api.forbidden = lambda attributes: attributes["verb"] == "delete"
    api.fault = lambda request: status(422, "Invalid", "no") if "dryRun" in request.query else None
    error = refused(api, cluster, config_map())
    assert error.details["missing"] == ["delete leases.coordination.k8s.io in namespace default"]


def test_what_the_server_would_refuse_is_refused_in_check_mode_too(api: ApiServer, cluster: Cluster) -> None:
    api.fault = lambda request: status(422, "Invalid", "no") if "dryRun" in request.query else None
    for check in (True, False):
        assert has_facts(
            refused(api, cluster, config_map(), check=check).message, "API server & ConfigMap shop/web: no."
        )


# --- disturbances --------------------------------------------------------------------------------------------------

FAULTS = [
    Answer(429, {"kind": "Status", "message": "too many requests"}, {"Retry-After": "0"}),
    Answer(500, {"kind": "Status", "reason": "InternalError", "message": "leader changed"}),
    Answer(503, b"<html>unavailable</html>"),
    Answer(closes=True),
    Answer(loses=True),
]


@pytest.mark.parametrize("seed", range(4))
def test_faults_lose_nothing_and_do_nothing_twice(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.002)))
    states = []
    for disturbed in (False, True):
        with ApiServer() as api:
            cluster = Cluster.connect({"host": api.url, "api_key": "x"}, user_agent="test")
            cluster.version()
            for name in ("old", "taken"):
                cluster.apply(config_map(name, a="1", b="2"), manager="istio-operator")
            if disturbed:
                dice = random.Random(seed)
                api.fault = lambda request, dice=dice: dice.choice(FAULTS) if dice.random() < 0.25 else None  # type: ignore[misc]
            objects = [namespace(), *(config_map(f"web-{n}") for n in range(10)), deployment(), validating_webhook()]
            stale = [one for one in api.objects if one["metadata"]["name"] == "old"]
            outcome = run(
                cluster,
                *objects,
                config_map("taken", a="1"),
                previous_managers=frozenset({"istio-operator"}),
                stale=lambda _cluster, stale=stale: stale,
                lock=LOCK,
            )
            assert outcome.changed
            api.fault = lambda request: None
            # The lock's release is not insisted on: it runs out by itself.
            states.append([one for one in state(api) if one["kind"] != "Lease"])
    assert states[0] == states[1]


@pytest.mark.parametrize("fault", [Answer(hangs=True), Answer(503, b""), Answer(closes=True)])
def test_a_server_that_goes_away_ends_the_run_in_time(api: ApiServer, cluster: Cluster, fault: Answer) -> None:
    cluster.version()
    api.fault = lambda request: fault if request.method == "PATCH" else None
    started = time.monotonic()
    with pytest.raises(MeshError) as caught:
        run(cluster, config_map(), deployment(), timeout=1.0, lock=LOCK)
    assert time.monotonic() - started < 1.0 + 2
    assert caught.value.message.endswith(".")
    assert api.objects == []
