# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules about sidecars: labels, restarts, and what they say of both."""

from __future__ import annotations

from typing import Any

from ansible_collections.meshops.istio.tests.unit.istio.memory import (
    MemoryCluster,
    deployment,
    injector,
    namespace,
    pod,
)
from ansible_collections.meshops.istio.tests.unit.modules.running import Run


def cluster() -> MemoryCluster:
    """A namespace in the mesh with a workload that lacks its sidecar, and a bare pod that does."""
    web = pod("web-5d-x", owner=("ReplicaSet", "web-5d"))
    bank = pod("bank-7c-x", owner=("ReplicaSet", "bank-7c"), proxy="1.28.0")
    labelled = namespace("shop", istio_injection="enabled")
    workloads = [deployment("web"), deployment("bank")]
    return MemoryCluster(labelled, namespace("bare"), injector(), *workloads, web, bank, pod("shell"))


def labels_of(memory: MemoryCluster, name: str) -> dict[str, Any]:
    from ansible_collections.meshops.istio.plugins.module_utils.istio.sidecars import NAMESPACES

    found = memory.get(NAMESPACES, name)
    assert found is not None
    return dict(found["metadata"].get("labels") or {})


def test_namespaces_are_labelled_once(on: Run) -> None:
    memory = cluster()
    planned = on(memory, "injection", namespaces=["bare"], check=True, diff=True)
    assert (planned["changed"], memory.writes) == (True, [])
    assert "istio-injection: enabled" in planned["diff"][0]["prepared"]
    done = on(memory, "injection", namespaces=["bare"])
    assert (done["plan_digest"], labels_of(memory, "bare")) == (planned["plan_digest"], {"istio-injection": "enabled"})
    written = list(memory.writes)
    assert (on(memory, "injection", namespaces=["bare"])["changed"], memory.writes) == (False, written)


def test_a_revision_takes_the_other_labels_place_and_absent_takes_all(on: Run) -> None:
    memory = cluster()
    on(memory, "injection", namespaces=["shop"], mode="revision", revision="canary")
    assert labels_of(memory, "shop") == {"istio.io/rev": "canary"}
    on(memory, "injection", namespaces=["shop"], state="absent")
    assert labels_of(memory, "shop") == {}


def test_a_namespace_that_does_not_exist_is_refused_or_made(on: Run) -> None:
    memory = cluster()
    refused = on(memory, "injection", namespaces=["bare", "none"])
    assert (refused["code"], refused["details"], memory.writes) == ("namespace_missing", {"namespaces": ["none"]}, [])
    made = on(memory, "injection", namespaces=["none"], create_namespaces=True)
    assert [change["action"] for change in made["changes"]] == ["create"]


def test_a_revision_without_its_name_is_refused(on: Run) -> None:
    assert on(cluster(), "injection", namespaces=["shop"], mode="revision")["code"] == "invalid_input"


def test_info_tells_what_lacks_its_sidecar(on: Run) -> None:
    told = on(cluster(), "injection_info", namespaces=["shop"])
    assert [(one["name"], one["pods"], one["without_sidecar"]) for one in told["namespaces"]] == [("shop", 3, 2)]
    assert {(one["kind"], one["name"], one["restartable"]) for one in told["workloads"]} >= {
        ("Deployment", "web", True),
        ("Pod", "shell", False),
    }


def test_just_what_needs_it_is_restarted(on: Run) -> None:
    memory = cluster()
    planned = on(memory, "restart", namespaces=["shop"], check=True, diff=True)
    assert (planned["changed"], memory.writes) == (True, [])
    assert planned["diff"] == [{"prepared": "~ Deployment shop/web (restart): sidecars 1 missing\n"}]
    done = on(memory, "restart", namespaces=["shop"], wait=False)
    assert done["restarted"] == [{"kind": "Deployment", "namespace": "shop", "name": "web"}]
    assert [(one["kind"], one["name"]) for one in done["reported"]] == [("Pod", "shell")]
    assert [(verb, key.name, manager) for verb, key, manager in memory.writes] == [
        ("patch", "web", "meshops.istio/restart")
    ]


def test_nothing_is_restarted_at_zero_at_a_time(on: Run) -> None:
    assert on(cluster(), "restart", max_unavailable=0)["code"] == "invalid_input"
