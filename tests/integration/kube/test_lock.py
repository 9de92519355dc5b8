# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two runs at once, and runs that are killed: one waits, and the next one ends what the killed one began."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.lock import Lock
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import NotReady
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.integration.kube.place import MANAGER, Object, Place, told
from ansible_collections.meshops.istio.tests.support.messages import has_facts

LEASE = Kind("coordination.k8s.io/v1", "Lease")
WORKER = Path(__file__).parent / "worker.py"
PREVIOUS_MANAGERS = frozenset({"istio-operator"})
INSTALLED = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web-%d}\ndata: {a: '1', old: '1'}\n"
WANTED = "".join(
    f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web-{n}}}\ndata: {{a: '2'}}\n" for n in range(4)
)


class Workers:
    """Runs in processes of their own, none of which outlives a test."""

    def __init__(self, folder: Path) -> None:
        self._manifests = folder / "manifests.yaml"
        self._manifests.write_text(WANTED)
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, place: Place, *request: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(WORKER), place.namespace, lock_of(place), str(self._manifests), *request]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    made = Workers(tmp_path)
    yield made
    for process in made.processes:
        process.kill()
        process.communicate()


def lock_of(place: Place) -> str:
    return f"{place.namespace}-lock"


def lease(place: Place) -> Object | None:
    return place.cluster.get(LEASE, lock_of(place), "default")


@pytest.fixture
def place(new_place: Callable[[], Place]) -> Iterator[Place]:
    """A place whose lock is gone afterwards."""
    made = new_place()
    yield made
    made.cluster.delete(LEASE, lock_of(made), "default")


def held(process: subprocess.Popen[str]) -> None:
    """Wait until a worker has the lock."""
    assert process.stdout
    assert process.stdout.readline() == "locked\n"


def test_one_run_waits_for_the_other(place: Place, workers: Workers) -> None:
    holder = workers.start(place, "0")
    held(holder)
    lines: list[str] = []
    with pytest.raises(NotReady) as caught:
        place.run(WANTED, lock=Lock(lock_of(place)), timeout=2.0, progress=lines.append)
    assert caught.value.code == "locked"
    assert lines
    assert all(has_facts(line, f"waiting for Lease & {caught.value.details['holder']}") for line in lines)
    assert "web-0" not in {one["metadata"]["name"] for one in config_maps(place)}
    assert (lease(place) or {})["spec"]["holderIdentity"] == caught.value.details["holder"]


def test_many_runs_at_once_do_not_disturb_each_other(place: Place, workers: Workers) -> None:
    install(place)
    started = [workers.start(place) for _ in range(3)]
    assert [process.wait(60) for process in started] == [0, 0, 0]
    complete(place)


def test_it_is_free_soon_after_its_holder_was_killed(place: Place, workers: Workers) -> None:
    holder = workers.start(place, "0")
    held(holder)
    time.sleep(5)  # it has renewed
    holder.kill()
    killed = time.monotonic()
    holder.wait()
    time.sleep(4)  # and the next run begins some time later
    assert place.run(WANTED, lock=Lock(lock_of(place)), timeout=60.0).changed
    assert 4 <= time.monotonic() - killed < 15 + 1
    assert lease(place) is None


# The lock, a take-over and an apply for each of four objects, and the release.
@pytest.mark.parametrize("request_number", range(1, 10))
def test_a_run_that_is_killed_is_ended_by_the_next(place: Place, workers: Workers, request_number: int) -> None:
    install(place)
    killed = workers.start(place, str(request_number))
    assert killed.wait(60) == -9
    left = lease(place)
    if left:
        place.cluster.delete(LEASE, lock_of(place), "default")  # that it runs out by itself is tested once
    place.run(WANTED, lock=Lock(lock_of(place)), previous_managers=PREVIOUS_MANAGERS)
    complete(place)


def install(place: Place) -> None:
    for number in range(3):
        [obj] = place.objects(INSTALLED % number)
        place.cluster.apply(obj, manager="istio-operator")


def config_maps(place: Place) -> list[Object]:
    """Ours: controllers put some of their own into every namespace."""
    found = place.cluster.list(Kind("v1", "ConfigMap"), place.namespace)
    return [one for one in found if one["metadata"]["name"].startswith("web-")]


def complete(place: Place) -> None:
    """All is as an undisturbed run would have left it, and nothing is owed."""
    found = config_maps(place)
    assert [one["metadata"]["name"] for one in found] == [f"web-{number}" for number in range(4)]
    assert all(one["data"] == {"a": "2"} for one in found)
    for one in found:
        [entry] = one["metadata"]["managedFields"]
        assert (entry["manager"], entry["operation"]) == (MANAGER, "Apply")
        assert entry["fieldsV1"] == {"f:data": {"f:a": {}}}
    assert lease(place) is None
    place.cluster.forget()
    assert told(place.run(WANTED, lock=Lock(lock_of(place)), previous_managers=PREVIOUS_MANAGERS)) == []
    assert place.cluster.writes == []
