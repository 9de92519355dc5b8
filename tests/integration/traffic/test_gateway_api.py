# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubernetes' Gateway API: a gateway that Istio makes a workload for, and routes by it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.integration.traffic.conftest import door_of
from ansible_collections.meshops.istio.tests.integration.traffic.shop import MESH, Shop
from ansible_collections.meshops.istio.tests.integration.traffic.traffic import Door, eventually, tally
from ansible_collections.meshops.istio.tests.support.lab import Lab
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

COUNT = 300
FIFTH = (25, 95)


@pytest.fixture
def front(run: Run, run_module: Run, lab: Lab, shop: Shop, gateway_api: str) -> Iterator[Door]:
    """A gateway of its own, in a cluster that has the Gateway API meanwhile."""
    result = run_module("gateway_api", kubeconfig=lab.kubeconfig, src=[gateway_api])
    assert result.get("managed"), result
    try:
        shop.set_services(("hello-v1", "hello-v2"))
        eventually(shop.classes, lambda found: "istio" in found)
        run("gateway", api="kubernetes", name="front", servers=[{"port": 80, "hosts": ["*.test"]}])
        info = run_module("ingress_info", kubeconfig=lab.kubeconfig, name="front-istio", namespace=MESH)
        yield door_of(info, "http-80")
    finally:
        run("gateway", name="front", state="absent")
        run("traffic_route", name="hello", state="absent")
        for change in result["changes"]:
            shop.cluster.delete(Kind(change["api_version"], change["kind"]), change["name"])


@pytest.mark.step("002.5", "the same by Kubernetes' Gateway API, whose CRDs are brought along")
def test_weights_and_a_header(run: Run, front: Door, seen: Seen) -> None:
    both = [{"host": "hello-v1", "weight": 80}, {"host": "hello-v2", "weight": 20}]
    http = [{"match": [{"headers": {"end-user": "jason"}}], "to": [{"host": "hello-v2"}]}, {"to": both}]
    run("traffic_route", api="kubernetes", name="hello", hosts=["hello.test"], gateways=["front"], http=http)
    eventually(lambda: front.ask("/hello").status, lambda status: status == 200)
    found = tally(answer.version for answer in front.ask_often(COUNT, "/hello"))
    seen(f"{found} of {COUNT}")
    assert FIFTH[0] <= found["v2"] <= FIFTH[1], found
    assert {front.ask("/hello", end_user="jason").version for _time in range(10)} == {"v2"}
    assert front.ask("/hello", name="other.test").status == 404
