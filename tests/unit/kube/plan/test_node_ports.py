# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Node ports that cannot be had: refused before the first write, where the API server itself says so only at it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import Refused
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.planning import make_plan, prepare
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer, Request, status
from ansible_collections.meshops.istio.tests.support.kube.manifests import namespace, obj
from ansible_collections.meshops.istio.tests.support.messages import has_facts

Object = dict[str, Any]

MANAGER = "meshops.istio/test"
SERVICES = "/api/v1/services"


def service(name: str, *node_ports: int, space: str = "shop", protocol: str = "TCP", **spec: Any) -> Object:
    ports = [
        {"name": f"port-{number}", "port": number, "protocol": protocol, "nodePort": node_port}
        for number, node_port in enumerate(node_ports, start=80)
    ]
    return obj("v1", "Service", name, space, spec={"type": "NodePort", "ports": ports, **spec})


def applied(cluster: Cluster, *objects: Object) -> None:
    for one in objects:
        cluster.apply(prepare(one), manager=MANAGER)


def refusal(api: ApiServer, cluster: Cluster, *objects: Object) -> Refused:
    before = list(api.writes)
    with pytest.raises(Refused) as caught:
        make_plan(cluster, Unit(MANAGER, objects))
    assert api.writes == before
    return caught.value


def test_a_port_that_another_service_has(api: ApiServer, cluster: Cluster) -> None:
    applied(cluster, service("front", 30080, space="blog"))
    error = refusal(api, cluster, namespace("new"), service("gateway", 30080, space="new"))
    assert error.code == "node_port_taken"
    assert has_facts(
        error.message, "Service new/gateway (port port-80) & node port 30080 & Service blog/front (port port-80)"
    )


def test_a_port_that_one_plan_asks_for_twice(api: ApiServer, cluster: Cluster) -> None:
    error = refusal(api, cluster, service("one", 30080), service("two", 30080))
    assert has_facts(error.message, "Service shop/two (port port-80) & node port 30080 & Service shop/one")


def test_the_port_of_a_load_balancers_health_check_is_taken_too(api: ApiServer, cluster: Cluster) -> None:
    applied(cluster, service("front", 30080, healthCheckNodePort=30900))
    assert "Service shop/front (port health check)" in refusal(api, cluster, service("gateway", 30900)).message


@pytest.mark.parametrize("number", [80, 29999, 32768, 65535])
def test_a_port_that_is_out_of_range(api: ApiServer, cluster: Cluster, number: int) -> None:
    applied(cluster, service("front", 30080))
    error = refusal(api, cluster, service("front", number))
    assert (error.code, error.details["node_port"]) == ("node_port_range", number)
    assert has_facts(error.message, "Service shop/front & out of the range 30000 to 32767")


def test_where_other_ports_are_out_of_it_the_range_is_another(api: ApiServer, cluster: Cluster) -> None:
    applied(cluster, service("front", 8080))
    assert len(make_plan(cluster, Unit(MANAGER, [service("gateway", 8081)])).changes) == 1


def test_what_a_service_has_already_it_keeps_and_nobody_is_asked(api: ApiServer, cluster: Cluster) -> None:
    applied(cluster, service("front", 30080), service("other", 30081))
    make_plan(cluster, Unit(MANAGER, [service("front", 30080), service("other", 30081, type="LoadBalancer")]))
    assert SERVICES not in [request.path for request in api.requests]


def test_another_protocol_is_another_port(cluster: Cluster) -> None:
    applied(cluster, service("front", 30080))
    assert make_plan(cluster, Unit(MANAGER, [service("gateway", 30080, protocol="UDP")])).changes


def test_who_may_not_look_leaves_it_to_the_server(api: ApiServer, cluster: Cluster) -> None:
    def forbidden(request: Request) -> Any:
        return status(403, "Forbidden", "services is forbidden") if request.path == SERVICES else None

    api.fault = forbidden
    assert make_plan(cluster, Unit(MANAGER, [service("gateway", 30080)])).changes


def test_a_port_of_zero_asks_for_none(api: ApiServer, cluster: Cluster) -> None:
    plan = make_plan(cluster, Unit(MANAGER, [service("gateway", 0, healthCheckNodePort=0)]))
    [created] = plan.changes
    assert created.desired is not None
    assert created.desired["spec"] == {
        "type": "NodePort",
        "ports": [{"name": "port-80", "port": 80, "protocol": "TCP"}],
    }
    assert not any(request.path == SERVICES for request in api.requests)
