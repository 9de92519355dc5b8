# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Ready: Services and the Gateway API."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.status import State, Status, status
from ansible_collections.meshops.istio.tests.support.kube.readiness import Object, false, make, true
from ansible_collections.meshops.istio.tests.support.messages import has_facts


def gateway(kind: str = "Gateway", **fields: Any) -> Object:
    return make("gateway.networking.k8s.io/v1", kind, **fields)


HERE = {"parentRef": {"name": "gw"}, "conditions": [true("Accepted"), true("ResolvedRefs")]}


@pytest.mark.parametrize(
    ("obj", "state", "message"),
    [
        # Service
        pytest.param(make("v1", "Service", spec={"type": "NodePort"}), "current", "ready", id="service"),
        pytest.param(make("v1", "Service", spec={"ports": []}), "current", "ready", id="service-without-selector"),
        pytest.param(
            make("v1", "Service", spec={"type": "ExternalName", "externalName": "example.com"}),
            "current",
            "ready",
            id="service-of-another-name",
        ),
        pytest.param(
            make("v1", "Service", spec={"type": "LoadBalancer"}),
            "in_progress",
            "no cluster IP yet",
            id="service-without-cluster-ip",
        ),
        pytest.param(
            make("v1", "Service", spec={"type": "LoadBalancer", "clusterIP": "10.0.0.1"}),
            "current",
            "ready",
            id="service-address-not-asked-for",
        ),
        # Gateway API
        pytest.param(gateway(), "current", "programmed", id="gateway-without-status"),
        pytest.param(gateway(conditions=[true("Accepted"), true("Programmed")]), "current", "programmed", id="gateway"),
        pytest.param(
            gateway(conditions=[true("Accepted"), false("Programmed", "Pending", "Waiting for controller")]),
            "in_progress",
            "Pending: Waiting for controller",
            id="gateway-pending",
        ),
        pytest.param(
            gateway(conditions=[true("Accepted"), false("Programmed", "AddressNotAssigned")]),
            "current",
            "programmed",
            id="gateway-address-not-asked-for",
        ),
        pytest.param(
            gateway(generation=2, conditions=[true("Accepted", observedGeneration=1)]),
            "in_progress",
            "not observed & generation",
            id="gateway-not-seen",
        ),
        pytest.param(
            gateway("GatewayClass", conditions=[false("Accepted", "InvalidParameters")]),
            "in_progress",
            "InvalidParameters",
            id="gatewayclass-not-accepted",
        ),
        pytest.param(gateway("HTTPRoute", parents=[HERE]), "current", "accepted", id="route"),
        pytest.param(gateway("HTTPRoute"), "current", "accepted", id="route-without-status"),
        pytest.param(
            gateway(
                "HTTPRoute",
                parents=[HERE, {"conditions": [true("Accepted"), false("ResolvedRefs", "BackendNotFound", "no web")]}],
            ),
            "in_progress",
            "BackendNotFound: no web",
            id="route-without-backend",
        ),
    ],
)
def test_status(obj: Object, state: State, message: str) -> None:
    found = status(obj)
    assert found.state == state
    assert has_facts(found.message, message)


@pytest.mark.parametrize(
    ("obj", "waiting", "addressed"),
    [
        pytest.param(
            make("v1", "Service", spec={"type": "LoadBalancer", "clusterIP": "10.0.0.1"}),
            "no address from the load balancer yet",
            {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
            id="service",
        ),
        pytest.param(
            gateway(conditions=[true("Accepted"), false("Programmed", "AddressNotAssigned")]),
            "no address yet",
            {"addresses": [{"value": "192.0.2.1"}]},
            id="gateway",
        ),
    ],
)
def test_an_address_is_waited_for_on_request(obj: Object, waiting: str, addressed: Object) -> None:
    assert status(obj, load_balancer=True) == Status("in_progress", waiting)
    assert status({**obj, "status": addressed}, load_balancer=True).state == "current"


def test_a_service_of_another_type_needs_no_address() -> None:
    assert status(make("v1", "Service", spec={"type": "ClusterIP"}), load_balancer=True).state == "current"
