# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Azure's load balancer by named options: the annotations that its controller reads."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.gateways.service import apply_ingress
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern, has_facts
from ansible_collections.meshops.istio.tests.unit.istio.gateways.test_service import gateway

PREFIX = "service.beta.kubernetes.io/"


def service(azure: dict[str, Any], *, ports: list[dict[str, Any]] | None = None, **entry: Any) -> dict[str, Any]:
    """The Service of a gateway whose entry says this of Azure."""
    rendered = gateway("istio-ingressgateway", **({"ports": ports} if ports else {}))
    apply_ingress([rendered], [{"azure": azure, **entry}])
    return rendered


def annotated(azure: dict[str, Any], **entry: Any) -> dict[str, str]:
    """Its annotations, without the prefix that all of Azure's have."""
    return {
        key.removeprefix(PREFIX): value for key, value in service(azure, **entry)["metadata"]["annotations"].items()
    }


def test_an_internal_load_balancer_in_a_subnet() -> None:
    assert annotated({"internal": True, "subnet": "apps", "health_probe": "default"}) == {
        "azure-load-balancer-internal": "true",
        "azure-load-balancer-internal-subnet": "apps",
    }


def test_a_public_address_of_another_resource_group() -> None:
    given = {"public_address": "entry", "resource_group": "network", "dns_label": "shop", "health_probe": "default"}
    assert annotated(given) == {
        "azure-pip-name": "entry",
        "azure-load-balancer-resource-group": "network",
        "azure-dns-label-name": "shop",
    }


def test_who_may_reach_it_and_for_how_long() -> None:
    given = {"service_tags": ["AzureFrontDoor.Backend", "Internet"], "idle_timeout": 30, "health_probe": "default"}
    assert annotated(given, source_ranges=["203.0.113.0/24"]) == {
        "azure-allowed-service-tags": "AzureFrontDoor.Backend,Internet",
        "azure-load-balancer-tcp-idle-timeout": "30",
    }
    assert service(given, source_ranges=["203.0.113.0/24"])["spec"]["loadBalancerSourceRanges"] == ["203.0.113.0/24"]


def test_an_address_is_said_as_azure_reads_it() -> None:
    given = {"internal": True, "health_probe": "default"}
    assert annotated(given, address="10.0.0.7")["azure-load-balancer-ipv4"] == "10.0.0.7"
    assert "loadBalancerIP" not in service(given, address="10.0.0.7")["spec"]


def test_azure_asks_the_proxy_itself_unless_told_otherwise() -> None:
    asked = annotated({"idle_timeout": 30})
    for port in (80, 443):
        assert asked[f"port_{port}_health-probe_protocol"] == "http"
        assert asked[f"port_{port}_health-probe_port"] == "15021"
        assert asked[f"port_{port}_health-probe_request-path"] == "/healthz/ready"


def test_azure_may_only_open_a_connection() -> None:
    assert {key: value for key, value in annotated({"health_probe": "tcp"}).items() if "_80_" in key} == {
        "port_80_health-probe_protocol": "tcp"
    }


def test_a_gateway_of_local_traffic_is_asked_by_kubernetes() -> None:
    assert annotated({"internal": True}, external_traffic_policy="Local") == {"azure-load-balancer-internal": "true"}


def test_an_excluded_port_has_neither_rule_nor_probe() -> None:
    found = annotated({"excluded_ports": ["status-port"]})
    assert found["port_15021_no_lb_rule"] == "true"
    assert not [key for key in found if key.startswith("port_15021_health")]


def test_an_annotation_of_ones_own_wins() -> None:
    own = {f"{PREFIX}azure-load-balancer-tcp-idle-timeout": 12}
    found = annotated({"idle_timeout": 30, "health_probe": "default"}, annotations=own)
    assert found == {"azure-load-balancer-tcp-idle-timeout": "12"}


@pytest.mark.parametrize(
    ("azure", "entry", "said"),
    [
        ({"subnet": "apps"}, {}, "azure.subnet & internal load balancer & azure.internal"),
        ({"internal": True, "dns_label": "shop"}, {}, "azure.dns_label & azure.internal & conflict"),
        ({"public_address": "entry"}, {"address": "203.0.113.7"}, "address & azure.public_address & conflict"),
        ({"dns_label": "Shop!"}, {}, "azure.dns_label 'Shop!' & invalid & 3 to 63"),
        ({"idle_timeout": 3}, {}, "azure.idle_timeout 3 & from 4 to 100 minutes"),
        ({"excluded_ports": ["status"]}, {}, "port status & not found & status-port, http2, https"),
        ({"internal": True}, {"type": "NodePort"}, "azure & type NodePort & set type to LoadBalancer"),
    ],
)
def test_what_contradicts_itself_is_refused(azure: dict[str, Any], entry: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=facts_pattern("ingress & gateway istio-ingressgateway")) as refused:
        service(azure, **entry)
    assert has_facts(refused.value.message, said)


def test_a_gateway_without_its_status_port_cannot_be_asked() -> None:
    with pytest.raises(InvalidInput, match=facts_pattern("port 15021 & not found & 'tcp'")):
        service({"internal": True}, ports=[{"name": "http2", "port": 80}])
