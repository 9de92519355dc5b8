# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""traffic_route: subsets and routes are written one after the other."""

from __future__ import annotations

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.inspection import distribution
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.plan import Plan
from ansible_collections.meshops.istio.tests.support.mesh_api import Mesh
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.unit.istio.traffic.routes.conftest import CANARY, SUBSETS


def written(mesh: Mesh) -> list[str]:
    """The writes since the last look, but for the lock's: what was done to a kind, and the subsets of a rule."""
    done = []
    for request in mesh.requests:
        if request.writes and "/leases" not in request.path:
            subsets = ((request.body or {}).get("spec") or {}).get("subsets") or ()
            verb = "delete" if request.method == "DELETE" else "apply"
            done.append(" ".join([verb, request.path.split("/")[-2], *(subset["name"] for subset in subsets)]))
    mesh.requests.clear()
    return done


def test_subsets_come_before_the_routes_to_them_and_go_after_them(mesh: Mesh, run: Run) -> None:
    unhurried = {"pause": 0.01}
    run("traffic_route", **CANARY, **unhurried)
    assert written(mesh) == ["apply destinationrules v1 v2", "apply virtualservices"]
    other = {**CANARY, "subsets": [SUBSETS[1], {"name": "v3", "labels": {"version": "v3"}}]}
    run("traffic_route", **{**other, "http": [{"to": [{"subset": "v3"}]}]}, **unhurried)
    assert written(mesh) == [
        "apply destinationrules v2 v3 v1",
        "apply virtualservices",
        "apply destinationrules v2 v3",
    ]
    run("traffic_route", name="reviews", state="absent", **unhurried)
    assert written(mesh) == ["delete virtualservices", "delete destinationrules"]


def test_the_proxies_have_each_step_before_the_next(mesh: Mesh, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    awaited: list[tuple[list[str], list[str]]] = []

    def wait(_cluster: object, plan: Plan, **_options: object) -> str:
        awaited.append(([change.key.kind for change in plan.changes], written(mesh)))
        return ""

    monkeypatch.setattr(distribution, "wait_for_proxies", wait)
    run("traffic_route", **CANARY, pause=0.01)
    assert awaited == [
        (["DestinationRule"], ["apply destinationrules v1 v2"]),
        (["VirtualService", "DestinationRule"], ["apply virtualservices"]),
    ]
    run("traffic_route", **CANARY, pause=0.01)
    assert len(awaited) == 2


def test_weights_alone_need_one_step(mesh: Mesh, run: Run) -> None:
    run("traffic_route", **CANARY)
    written(mesh)
    to = [{"subset": "v1", "weight": 50}, {"subset": "v2", "weight": 50}]
    run("traffic_route", **{**CANARY, "http": [{"to": to}]}, pause=600)
    assert written(mesh) == ["apply virtualservices"]
