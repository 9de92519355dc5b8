# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stages of a plan: one plan, one digest, one deadline, and nothing over what has changed meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.reconcile import Outcome, reconcile
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.settings import Settings
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import MeshError, NotReady, Refused
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.change import Change, created, patched
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.plan import Plan, Stage
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.kube.manifests import config_map, path_of

MANAGER = "meshops.istio/test"
FIRST, SECOND = config_map("first", a="2"), config_map("second", a="2")


def in_two_stages(between: Callable[[], None] = lambda: None, **stage: Any) -> Callable[[Plan], Iterator[Stage]]:
    """Write FIRST, then `between` takes the gate's place, then the rest."""

    def stages(plan: Plan) -> Iterator[Stage]:
        first = [change for change in plan.changes if change.key.name == "first"]
        yield Stage(first, gate=between, **stage)
        yield Stage([change for change in plan.changes if change not in first])

    return stages


def run(cluster: Cluster, unit: Unit, **settings: Any) -> Outcome:
    return reconcile(cluster, unit, Settings(**{"timeout": 30.0, "wait": False, **settings}))


@pytest.fixture
def stored(api: ApiServer) -> ApiServer:
    """Both objects are there, with other data."""
    for one in (config_map("first", a="1"), config_map("second", a="1")):
        api.put(path_of(one), one, MANAGER)
    return api


def data(api: ApiServer) -> list[str]:
    return [api.get(path_of(one))["data"]["a"] for one in (FIRST, SECOND)]


def test_all_stages_are_written_and_reported_as_one_run(stored: ApiServer, cluster: Cluster) -> None:
    seen: list[list[str]] = []
    unit = Unit(MANAGER, [FIRST, SECOND], stages=in_two_stages(lambda: seen.append(data(stored))))
    checked = run(cluster, unit, check=True, diff=True)
    assert (seen, stored.writes) == ([], [])
    done = run(cluster, unit, diff=True, expected_digest=checked.digest)
    assert (seen, data(stored)) == ([["2", "1"]], ["2", "2"])
    assert (done.changes, done.diff) == (checked.changes, checked.diff)
    written = len(stored.writes)
    assert (run(cluster, unit).changed, len(stored.writes)) == (False, written)


@pytest.mark.parametrize("gone", [False, True])
def test_what_changes_between_two_stages_is_refused(stored: ApiServer, cluster: Cluster, gone: bool) -> None:
    def meddle() -> None:
        if gone:
            stored.remove(path_of(SECOND))
        else:
            stored.change(path_of(SECOND), data={"a": "9"})

    with pytest.raises(Refused, match="ConfigMap shop/second has changed") as caught:
        run(cluster, Unit(MANAGER, [FIRST, SECOND], stages=in_two_stages(meddle)))
    assert caught.value.code == "plan_changed"
    assert {write.rpartition("/")[2] for write in stored.writes} == {"first"}


def test_what_a_controller_notes_between_two_stages_is_no_change(stored: ApiServer, cluster: Cluster) -> None:
    unit = Unit(MANAGER, [FIRST, SECOND], stages=in_two_stages(lambda: stored.change(path_of(SECOND), status={"x": 1})))
    run(cluster, unit)
    assert data(stored) == ["2", "2"]


def test_the_deadline_holds_over_all_stages(stored: ApiServer, cluster: Cluster) -> None:
    begun = time.monotonic()
    with pytest.raises(NotReady, match="wait_timeout"):
        run(cluster, Unit(MANAGER, [FIRST, SECOND], stages=in_two_stages(pause=600)), timeout=5)
    assert (data(stored), time.monotonic() - begun < 60) == (["2", "1"], True)


def test_a_gate_that_fails_restores_what_its_stage_wrote(stored: ApiServer, cluster: Cluster) -> None:
    def say_no() -> None:
        raise MeshError("no")

    def changes(_cluster: Cluster) -> list[Change]:
        change = patched(stored.get(path_of(FIRST)), {"data": {"a": "2"}})
        return [change] if change else []

    def stages(plan: Plan) -> Iterator[Stage]:
        back = patched(plan.changes[0].after or {}, {"data": {"a": "1"}})
        yield Stage(plan.changes, gate=say_no, restore=[back] if back else [])

    with pytest.raises(MeshError, match=r"^no$"):
        run(cluster, Unit(MANAGER, [], changes=changes, stages=stages))
    assert (data(stored)[0], len(stored.writes)) == ("1", 2)


def test_a_patch_goes_over_no_other_value_than_was_planned(stored: ApiServer, cluster: Cluster) -> None:
    live = stored.get(path_of(FIRST))
    stored.change(path_of(FIRST), data={"a": "9"})
    change = patched(live, {"data": {"a": "2"}})
    with pytest.raises(Refused, match="ConfigMap shop/first has changed"):
        run(cluster, Unit(MANAGER, [], changes=lambda _cluster: [change] if change else []))
    assert data(stored)[0] == "9"


def test_objects_that_a_unit_does_not_own_are_created_and_deleted(stored: ApiServer, cluster: Cluster) -> None:
    live, new = stored.get(path_of(FIRST)), config_map("new", a="1")
    deletion = Change("delete", key_of(live), live, None)
    outcome = run(cluster, Unit(MANAGER, [], changes=lambda _cluster: [deletion, created(new)]))
    assert sorted((one["action"], one["name"]) for one in outcome.changes) == [("create", "new"), ("delete", "first")]
    assert sorted(one["metadata"]["name"] for one in stored.objects) == ["new", "second"]
