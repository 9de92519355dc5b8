# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Analysis as data: levels, tolerated codes, and no silence where it could not run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Access
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.memory_cluster import MemoryCluster, namespace
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease

MESSAGES = [
    {"code": "IST0118", "level": "Info", "origin": "Service shop/web", "message": "a port without a protocol"},
    {"code": "IST0103", "level": "Warning", "origin": "Pod shop/batch-1", "message": "no sidecar"},
]


class Mesh(MemoryCluster):
    """A cluster with Istio's kinds."""

    context = "shop"

    def serves(self, kind: Kind) -> bool:
        return True


def mesh() -> Mesh:
    return Mesh(namespace("shop"))


def options(made: MadeRelease, **more: Any) -> dict[str, Any]:
    return {"version": "1.29.1", "source": [str(made.root)], "namespaces": ["shop"], **more}


@pytest.mark.parametrize(
    ("more", "ok"),
    [
        ({}, True),
        ({"fail_on": "warning"}, False),
        ({"fail_on": "info"}, False),
        ({"fail_on": "info", "tolerate": ["IST0103", "IST0118"]}, True),
        ({"fail_on": "warning", "tolerate": ["ist0103=Pod shop/batch-*"]}, True),
        ({"fail_on": "warning", "tolerate": ["IST0103=Pod bank/*"]}, False),
    ],
)
def test_it_fails_from_a_level_on_apart_from_what_is_tolerated(
    more: dict[str, Any], ok: bool, on: Run, made: MadeRelease
) -> None:
    made.write("output", json.dumps(MESSAGES))
    told = on(mesh(), "analysis_info", **options(made, **more))
    assert (told["ok"], bool(told.get("failed"))) == (ok, not ok)
    assert [one["level"] for one in told["messages"]] == ["warning", "info"]


def test_manifests_are_analyzed_as_if_they_were_applied(on: Run, made: MadeRelease) -> None:
    made.write("output", "[]")
    on(mesh(), "analysis_info", **options(made, definition=["{apiVersion: v1, kind: Service, metadata: {name: web}}"]))
    assert "/0.yaml" in made.calls[-1]


@pytest.mark.parametrize(
    ("cluster", "namespaces", "code"),
    [
        (MemoryCluster(namespace("shop")), ["shop"], "no_istio"),
        (mesh(), ["shop", "none"], "namespace_missing"),
    ],
)
def test_there_is_no_verdict_on_what_is_not_there(
    cluster: MemoryCluster,
    namespaces: list[str],
    code: str,
    on: Run,
    made: MadeRelease,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if code == "no_istio":
        monkeypatch.setattr(cluster, "serves", lambda _kind: False)
    assert on(cluster, "analysis_info", **options(made, namespaces=namespaces))["code"] == code


def test_there_is_no_verdict_on_what_is_hidden(on: Run, made: MadeRelease) -> None:
    cluster = mesh()
    # What istioctl may not list it waits for, however long.
    cluster.denied_accesses = {Access("list", "", "pods"), Access("list", "networking.istio.io", "sidecars")}
    told = on(cluster, "analysis_info", **options(made))
    assert (told["code"], told["details"]["missing"]) == (
        "forbidden",
        ["list pods", "list sidecars.networking.istio.io"],
    )
    assert made.calls == []


def test_a_tolerance_that_is_no_code_is_refused(on: Run, made: MadeRelease) -> None:
    made.write("output", "[]")
    assert on(mesh(), "analysis_info", **options(made, tolerate=["Pod shop/web"]))["code"] == "invalid_input"
