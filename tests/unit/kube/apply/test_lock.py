# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock: one holder at a time, also after kills, lost answers and interruptions.

All of them share the Lease and its clock, hence one file of over 400 lines.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply import lock
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.lock import Lock
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import NotReady
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer, Request, faulty, status
from ansible_collections.meshops.istio.tests.support.kube.manifests import config_map, namespace, path_of
from ansible_collections.meshops.istio.tests.support.messages import has_facts

LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
LEASE = f"{LEASES}/mesh"
MANAGER = "meshops.istio/test"
CONFIG_MAP = Kind("v1", "ConfigMap")


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_PAUSE", 0.01)


def locked(cluster: Cluster, *, within: float = 5.0, progress: Any = silent) -> AbstractContextManager[Any]:
    deadline = time.monotonic() + within
    return lock.locked(cluster, Lock("mesh"), manager="meshops.istio/test", deadline=deadline, progress=progress)


def check(cluster: Cluster) -> None:
    """What each attempt to write asks first."""
    assert cluster.fence
    cluster.fence()


def other_lease(api: ApiServer, *, age: float, holder: str = "another-host-1") -> None:
    """The lock as somebody else has left it, `age` seconds ago by the server's clock."""
    renewed = (datetime.now(UTC) - timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%SZ")
    # The holder's own clock is wrong.
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 12, "renewTime": "2037-01-01T00:00:00.000000Z"}
    managed = [{"manager": "x", "operation": "Update", "time": renewed, "fieldsV1": {}}]
    metadata = {"name": "mesh", "namespace": "default", "managedFields": managed}
    api.put(LEASE, {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec})


def holder(api: ApiServer) -> str:
    return str(api.get(LEASE)["spec"]["holderIdentity"])


def eventually(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + 10
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.01)


# --- taken and given back ------------------------------------------------------------------------------------------


def test_a_free_lock_is_taken_and_leaves_no_trace(api: ApiServer, cluster: Cluster) -> None:
    with locked(cluster):
        check(cluster)
        spec = api.get(LEASE)["spec"]
        assert spec["leaseDurationSeconds"] == lock.DURATION
        assert datetime.fromisoformat(spec["renewTime"]).tzinfo
    assert api.objects == []


def test_it_is_given_back_when_the_work_fails(api: ApiServer, cluster: Cluster) -> None:
    with pytest.raises(RuntimeError), locked(cluster):
        raise RuntimeError
    assert api.objects == []


def test_it_is_renewed_while_it_is_held(api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "DURATION", 0.04)
    with locked(cluster):
        first = api.get(LEASE)["spec"]["renewTime"]
        eventually(lambda: api.get(LEASE)["spec"]["renewTime"] > first)


def test_one_at_a_time(api: ApiServer) -> None:
    inside, most, guard = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal inside, most
        with locked(Cluster.connect({"host": api.url, "api_key": "x"}, user_agent="test"), within=30):
            with guard:
                inside += 1
                most = max(most, inside)
            time.sleep(0.01)
            with guard:
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert api.objects == []


# --- held by another -----------------------------------------------------------------------------------------------


def test_another_holder_is_waited_for_and_named(api: ApiServer, cluster: Cluster) -> None:
    other_lease(api, age=1)
    lines: list[str] = []

    def progress(line: str) -> None:
        lines.append(line)
        if len(lines) == 3:
            api.remove(LEASE)

    with locked(cluster, progress=progress):
        assert holder(api) != "another-host-1"
    assert all(has_facts(line, "waiting for Lease & another-host-1") for line in lines)


def test_who_waits_too_long_is_told_for_whom(api: ApiServer, cluster: Cluster) -> None:
    other_lease(api, age=1)
    with pytest.raises(NotReady) as caught, locked(cluster, within=0.1):
        pytest.fail("it is held by another")
    assert has_facts(caught.value.message, "timed out waiting for Lease & another-host-1 & has ended")
    assert caught.value.code == "locked"
    assert holder(api) == "another-host-1"


@pytest.mark.parametrize(("age", "free"), [(10, False), (15, True), (3600, True)])
def test_it_is_free_again_soon_after_its_holder_was_killed(
    api: ApiServer, cluster: Cluster, age: float, free: bool
) -> None:
    other_lease(api, age=age)
    if free:
        with locked(cluster, within=0.2):
            assert holder(api) != "another-host-1"
    else:
        with pytest.raises(NotReady), locked(cluster, within=0.2):
            pytest.fail("its holder may be alive")


def test_a_server_that_does_not_tell_the_time_is_watched(
    api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "DURATION", -0.9)  # so that one watches for a tenth of a second
    monkeypatch.setattr(Cluster, "now", None)
    other_lease(api, age=3600)
    lines: list[str] = []
    with locked(cluster, progress=lines.append):
        assert lines


def test_who_renews_in_the_last_moment_keeps_it(api: ApiServer, cluster: Cluster) -> None:
    other_lease(api, age=60)

    def renews(request: Any) -> None:
        if request.method == "DELETE" and holder(api) == "another-host-1":
            other_lease(api, age=0)

    api.fault = renews
    with pytest.raises(NotReady), locked(cluster, within=0.2):
        pytest.fail("its holder is alive")
    assert holder(api) == "another-host-1"


# --- interruptions -------------------------------------------------------------------------------------------------


def test_a_lost_answer_does_not_lock_oneself_out(api: ApiServer, cluster: Cluster) -> None:
    cluster.version()
    lost = iter([Answer(loses=True)])
    api.fault = lambda request: next(lost, None) if request.method == "POST" else None
    with locked(cluster):
        assert api.objects
    assert api.objects == []


def test_a_lost_race_is_waited_out(api: ApiServer, cluster: Cluster) -> None:
    faster = iter([True])

    def races(request: Any) -> None:
        if request.method == "POST" and next(faster, False):
            other_lease(api, age=60, holder="faster")

    api.fault = races
    with locked(cluster):
        assert holder(api) != "faster"


@pytest.fixture
def cut_off(api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """A holder that could not renew for a while, and another who has taken the lock since."""
    monkeypatch.setattr(lock._Held, "keep", lambda self: None)
    context = locked(cluster)
    context.__enter__()
    api.remove(LEASE)
    other_lease(api, age=0, holder="successor")
    monkeypatch.setattr(lock, "DURATION", 0.0)
    yield lambda: check(cluster)
    context.__exit__(None, None, None)
    assert holder(api) == "successor"


def test_who_was_cut_off_stops_and_leaves_the_lock_to_its_successor(cut_off: Callable[[], None]) -> None:
    with pytest.raises(NotReady) as caught:
        cut_off()
    assert caught.value.code == "lock_lost"
    assert has_facts(caught.value.message, "Lease & taken over by another run & run it again")
    with pytest.raises(NotReady):
        cut_off()


def test_who_was_suspended_before_the_answer_has_lost_it(
    api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock._Held, "keep", lambda self: None)
    created, clock, asleep = Cluster.create, lock._clock, [0.0]

    def suspended(self: Cluster, *arguments: Any, **more: Any) -> Any:
        made = created(self, *arguments, **more)
        api.remove(LEASE)  # another run has waited for it, had its turn, and has ended
        asleep[0] = 60.0
        return made

    monkeypatch.setattr(Cluster, "create", suspended)
    monkeypatch.setattr(lock, "_clock", lambda: clock() + asleep[0])
    with locked(cluster), pytest.raises(NotReady) as caught:
        check(cluster)
    assert caught.value.code == "lock_lost"


def test_who_was_only_slow_goes_on(api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock._Held, "keep", lambda self: None)
    with locked(cluster):
        monkeypatch.setattr(lock, "DURATION", 0.0)
        before = api.get(LEASE)["spec"]["renewTime"]
        check(cluster)
        assert api.get(LEASE)["spec"]["renewTime"] > before


def test_a_conflict_alone_does_not_lose_it(api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock._Held, "keep", lambda self: None)
    with locked(cluster):
        monkeypatch.setattr(lock, "DURATION", 0.0)
        conflicts = iter([status(409, "Conflict", "has been modified")])
        api.fault = lambda request: next(conflicts, None) if request.method == "PATCH" else None
        check(cluster)
        check(cluster)


def test_an_unreachable_server_at_the_release_of_the_lock_is_no_error(api: ApiServer, cluster: Cluster) -> None:
    with locked(cluster):
        cluster.deadline = time.monotonic()
        api.fault = faulty(*[Answer(closes=True)] * 9)


# --- what it fences ------------------------------------------------------------------------------------------------


def lose(api: ApiServer) -> None:
    """Give the lock to another run."""
    api.remove(LEASE)
    other_lease(api, age=0, holder="successor")


WRITES: dict[str, Callable[[Cluster], object]] = {
    "apply": lambda cluster: cluster.apply(config_map(a="2"), manager=MANAGER),
    "create": lambda cluster: cluster.create(config_map("new"), manager=MANAGER),
    "patch": lambda cluster: cluster.merge_patch(CONFIG_MAP, "web", "shop", {"data": {"a": "2"}}, manager=MANAGER),
    "take-over": lambda cluster: cluster.set_managed_fields(
        Key(*CONFIG_MAP, "shop", "web"), cluster_version(cluster), [], manager=MANAGER
    ),
    "delete": lambda cluster: cluster.delete(CONFIG_MAP, "web", "shop"),
}


def cluster_version(cluster: Cluster) -> str:
    found = cluster.get(CONFIG_MAP, "web", "shop")
    assert found
    return str(found["metadata"]["resourceVersion"])


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_no_attempt_is_made_once_it_is_lost(
    api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, write: Callable[[Cluster], object]
) -> None:
    monkeypatch.setattr(lock._Held, "keep", lambda self: None)
    api.put(path_of(config_map()), config_map())
    attempts: list[str] = []

    def lost_meanwhile(request: Request) -> Answer | None:
        if not request.writes or "/leases" in request.path:
            return None
        attempts.append(request.method)
        lose(api)
        monkeypatch.setattr(lock, "DURATION", 0.0)
        return status(503, "ServiceUnavailable")

    with locked(cluster):
        api.fault = lost_meanwhile
        with pytest.raises(NotReady) as caught:
            write(cluster)
        with pytest.raises(NotReady):
            write(cluster)
    assert caught.value.code == "lock_lost"
    assert len(attempts) == 1
    assert api.get(path_of(config_map()))["data"] == {"a": "1"}
    # After the lock writes are free again.
    api.fault = lambda _request: None
    cluster.apply(config_map(a="3"), manager=MANAGER)


@contextlib.contextmanager
def interrupted(cluster: Cluster) -> Iterator[None]:
    """A run with the lock that ends by an interrupt."""
    with contextlib.suppress(KeyboardInterrupt), locked(cluster):
        yield
        raise KeyboardInterrupt


def test_what_is_still_tried_when_the_run_has_ended_is_not_written(api: ApiServer, cluster: Cluster) -> None:
    begun, ended = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    def slow(request: Request) -> Answer | None:
        if not request.writes or "/leases" in request.path:
            return None
        begun.set()
        assert ended.wait(10)
        return status(503, "ServiceUnavailable")

    def write() -> None:
        try:
            cluster.apply(config_map(), manager=MANAGER)
        except NotReady as error:
            failures.append(error)

    api.fault = slow
    thread = threading.Thread(target=write)
    with interrupted(cluster):
        thread.start()
        assert begun.wait(10)
    ended.set()
    thread.join(10)
    assert len(failures) == 1
    # Nor does an interrupted run begin anything else.
    with pytest.raises(NotReady):
        cluster.apply(config_map(), manager=MANAGER)
    assert api.objects == []


def test_an_interrupted_run_gives_back_the_locks_of_all_its_threads(api: ApiServer, cluster: Cluster) -> None:
    holding, over = threading.Event(), threading.Event()
    own = cluster.without_limits()

    def hold() -> None:
        with locked(own):
            holding.set()
            over.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert holding.wait(10)
    lock.release_held()
    assert api.objects == []
    with pytest.raises(NotReady):
        own.apply(config_map(), manager=MANAGER)
    over.set()
    thread.join(10)


def test_an_interrupt_gives_it_back_within_a_second_or_leaves_it(api: ApiServer, cluster: Cluster) -> None:
    cluster.version()
    with interrupted(cluster):
        api.fault = lambda _request: Answer(hangs=True)
        begun = time.monotonic()
    assert time.monotonic() - begun < 2
    api.fault = lambda _request: None
    assert len(api.objects) == 1


def test_the_lock_is_retried_until_the_timeout_while_the_server_is_unreachable(
    api: ApiServer, cluster: Cluster
) -> None:
    with locked(cluster), cluster.time_limit(30):
        held: Any = cluster.fence
        held.__self__._renewed -= lock.DURATION
        away = iter([Answer(closes=True)] * 3)
        api.fault = lambda _request: next(away, None)
        cluster.apply(config_map(), manager=MANAGER)
    assert [one["kind"] for one in api.objects] == ["ConfigMap"]


# --- its place -----------------------------------------------------------------------------------------------------

SHOP = Lock("mesh", "shop")


def names(api: ApiServer) -> list[str]:
    return [one["metadata"]["namespace"] for one in api.objects if one["kind"] == "Lease"]


def in_shop(cluster: Cluster) -> AbstractContextManager[Any]:
    return lock.locked(cluster, SHOP, manager=MANAGER, deadline=time.monotonic() + 0.3, progress=silent)


def test_it_is_in_its_own_namespace_where_that_exists(api: ApiServer, cluster: Cluster) -> None:
    with in_shop(cluster):
        assert names(api) == ["default"]
    api.put(path_of(namespace()), namespace())
    with in_shop(cluster):
        assert names(api) == ["shop"]


def test_who_may_not_look_at_namespaces_has_it_in_its_own(api: ApiServer, cluster: Cluster) -> None:
    forbidden = status(403, "Forbidden", "no")
    places = ("/api/v1/namespaces/shop", LEASE)
    api.fault = lambda request: forbidden if request.path in places else None
    with in_shop(cluster):
        assert names(api) == ["shop"]


def test_a_run_from_before_the_namespace_is_waited_for(api: ApiServer, cluster: Cluster) -> None:
    api.put(path_of(namespace()), namespace())
    other_lease(api, age=1)
    with pytest.raises(NotReady, match="another-host-1"), in_shop(cluster):
        pytest.fail("it is held in default")
    assert names(api) == ["default"]


def test_a_namespace_that_comes_while_it_is_taken_is_where_it_goes(api: ApiServer, cluster: Cluster) -> None:
    def created(request: Request) -> None:
        if request.method == "POST" and path_of(namespace()) not in [path_of(one) for one in api.objects]:
            api.put(path_of(namespace()), namespace())

    api.fault = created
    with in_shop(cluster):
        assert names(api) == ["shop"]


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("application", "shop"), "meshops-istio-application-shop"),
        (("application", "x" * 63), r"meshops-istio-application-x+-[0-9a-f]{10}"),
        (("gateway", "Shop_1"), r"meshops-istio-gateway-shop-1-[0-9a-f]{10}"),
    ],
)
def test_its_name_is_a_dns_label(parts: tuple[str, ...], name: str) -> None:
    found = Lock.of(*parts).name
    assert re.fullmatch(name, found)
    assert len(found) <= lock.LONGEST_NAME


def test_other_things_have_other_names() -> None:
    assert len({Lock.of("gateway", name).name for name in ("a_b", "a-b", "A-b", "a" * 70, "a" * 71)}) == 5
