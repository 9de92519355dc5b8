# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Apply `ingress` entries to the rendered Services of ingress gateways.

An entry is a map with `name` (default istio-ingressgateway), `namespace` (needed if the name is ambiguous), `labels`
(see `configuration`), `type`, `node_ports` (port name to number), `annotations`, `source_ranges`, `address`,
`external_traffic_policy` and `azure` (see `azure_load_balancer`); unset fields stay as rendered.

This changes the rendered Service, not an IstioOperator, which cannot set these for one gateway:
`values.gateways.istio-ingressgateway` applies to every ingress gateway, and `components.ingressGateways` and `ports`
are lists that replace each other. The result is that of the gateway's `k8s.service` and `k8s.serviceAnnotations`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...kube.errors import InvalidInput
from ..model import labels
from ..model.gateway_workloads import Name, name_of
from ..model.labels import component_of
from . import azure_load_balancer

DEFAULT_GATEWAY = "istio-ingressgateway"
TYPES = ("ClusterIP", "LoadBalancer", "NodePort")
POLICIES = ("Cluster", "Local")
_FIELDS = frozenset(
    {"type", "node_ports", "annotations", "source_ranges", "address", "external_traffic_policy", "azure"}
)
_LOAD_BALANCER_ONLY = (
    "loadBalancerIP",
    "loadBalancerSourceRanges",
    "loadBalancerClass",
    "allocateLoadBalancerNodePorts",
)


def apply_ingress(objects: Iterable[dict[str, Any]], entries: Sequence[Mapping[str, Any]]) -> None:
    """Change the Services of ingress gateways among `objects` according to the entries.

    Raises InvalidInput for a gateway or port that is not found, a duplicate gateway, an ambiguous name, and conflicting
    settings.
    """
    services = {
        name_of(obj): obj for obj in objects if obj["kind"] == "Service" and component_of(obj) == labels.INGRESS
    }
    seen: set[Name] = set()
    for entry in entries:
        settings = {key: value for key, value in entry.items() if value not in (None, "", [], {})}
        name = settings.pop("name", DEFAULT_GATEWAY)
        namespace = settings.pop("namespace", "")
        settings.pop("labels", None)  # handled by the configuration
        unknown = sorted(set(settings) - _FIELDS)
        if unknown:
            raise InvalidInput(
                f"ingress of gateway {name} is invalid: unknown setting '{unknown[0]}'. Use {', '.join(sorted(_FIELDS))}.",
                gateway=name,
            )
        if (namespace, name) in seen:
            raise InvalidInput(
                f"ingress is invalid: gateway {name} has more than one entry. Merge the entries.", gateway=name
            )
        seen.add((namespace, name))
        if not settings:
            continue
        one = _find(services, namespace, name)
        if one in seen - {(namespace, name)}:
            raise InvalidInput(
                f"ingress is invalid: gateway {'/'.join(one)} has more than one entry. Merge the entries.",
                gateway=name,
                namespace=one[0],
            )
        seen.add(one)
        _apply(services[one], name, settings)


def _find(services: Iterable[Name], namespace: str, name: str) -> Name:
    """Return the gateway of this name and namespace (any if empty). Raises InvalidInput for none and for several."""
    there = sorted("/".join(one) for one in services)
    found = [one for one in services if one[1] == name and namespace in ("", one[0])]
    if not found:
        raise InvalidInput(
            f"Gateway {f'{namespace}/' if namespace else ''}{name} of ingress not found in this configuration, which has"
            f" {', '.join(there) or 'no ingress gateway'}. Correct the name, or add the gateway by giving it labels.",
            gateway=name,
            gateways=there,
        )
    if len(found) > 1:
        raise InvalidInput(
            f"Gateway {name} of ingress is ambiguous: this configuration has it in the namespaces"
            f" {', '.join(sorted(one[0] for one in found))}. Set namespace in the entry.",
            code="several_gateways",
            gateway=name,
            gateways=there,
        )
    return found[0]


def _apply(service: dict[str, Any], name: str, settings: Mapping[str, Any]) -> None:
    spec = service["spec"]
    kind = settings.get("type") or spec.get("type") or "ClusterIP"
    _check(name, kind, settings)
    spec["type"] = kind
    if kind != "LoadBalancer":
        for field in _LOAD_BALANCER_ONLY:
            spec.pop(field, None)
    if kind == "ClusterIP":
        spec.pop("externalTrafficPolicy", None)
        for port in spec.get("ports") or ():
            port.pop("nodePort", None)
    if "address" in settings and "azure" not in settings:
        spec["loadBalancerIP"] = settings["address"]
    if "source_ranges" in settings:
        spec["loadBalancerSourceRanges"] = list(settings["source_ranges"])
    if "external_traffic_policy" in settings:
        spec["externalTrafficPolicy"] = settings["external_traffic_policy"]
    _pin(spec.get("ports") or [], settings.get("node_ports") or {}, name)
    given = _of_azure(spec, name, settings) if "azure" in settings else {}
    given |= {key: _text(value) for key, value in (settings.get("annotations") or {}).items()}
    if given:
        metadata = service["metadata"]
        metadata["annotations"] = {**(metadata.get("annotations") or {}), **given}


def _of_azure(spec: Mapping[str, Any], name: str, settings: Mapping[str, Any]) -> dict[str, str]:
    try:
        return azure_load_balancer.annotations_of(
            settings["azure"],
            spec.get("ports") or [],
            address=settings.get("address"),
            local=spec.get("externalTrafficPolicy") == "Local",
        )
    except InvalidInput as error:
        raise InvalidInput(
            f"ingress of gateway {name} is invalid: {error.message}", gateway=name, **error.details
        ) from error


def _check(name: str, kind: str, settings: Mapping[str, Any]) -> None:
    if kind not in TYPES:
        raise InvalidInput(
            f"ingress of gateway {name} is invalid: type '{kind}' must be one of {', '.join(TYPES)}.", gateway=name
        )
    policy = settings.get("external_traffic_policy", POLICIES[0])
    if policy not in POLICIES:
        raise InvalidInput(
            f"ingress of gateway {name} is invalid: external_traffic_policy '{policy}' must be Cluster or Local.",
            gateway=name,
        )
    needs: dict[str, tuple[str, ...]] = {
        "node_ports": ("NodePort", "LoadBalancer"),
        "external_traffic_policy": ("NodePort", "LoadBalancer"),
    }
    needs |= dict.fromkeys(("address", "source_ranges", "azure"), ("LoadBalancer",))
    for setting, kinds in needs.items():
        if setting in settings and kind not in kinds:
            raise InvalidInput(
                f"ingress of gateway {name} is invalid: {setting} is not supported by type {kind}. Set type to"
                f" {' or '.join(kinds)}, or remove {setting}.",
                gateway=name,
            )


def _pin(ports: Sequence[dict[str, Any]], node_ports: Mapping[str, Any], name: str) -> None:
    by_name = {port.get("name", ""): port for port in ports}
    for port_name, number in node_ports.items():
        if port_name not in by_name:
            raise InvalidInput(
                f"ingress of gateway {name} is invalid: port {port_name} of node_ports not found. Choose one of"
                f" {', '.join(by_name)}.",
                gateway=name,
                ports=list(by_name),
            )
        try:
            value = int(number)
        except (TypeError, ValueError):
            value = -1
        if value == 0:  # means that the API server chooses the port
            by_name[port_name].pop("nodePort", None)
            continue
        if not 0 < value < 65536:
            raise InvalidInput(
                f"ingress of gateway {name} is invalid: node port '{number}' must be a port number, in most clusters from"
                " 30000 to 32767.",
                gateway=name,
            )
        by_name[port_name]["nodePort"] = value
    pinned = [port["nodePort"] for port in ports if port.get("nodePort")]
    for number in pinned:
        if pinned.count(number) > 1:
            raise InvalidInput(
                f"ingress of gateway {name} is invalid: node port {number} is used twice. Give each port its own.",
                gateway=name,
            )


def _text(value: Any) -> str:
    """Convert a value of YAML, such as `true` or `30`, to the text that an annotation needs."""
    return str(value).lower() if isinstance(value, bool) else str(value)
