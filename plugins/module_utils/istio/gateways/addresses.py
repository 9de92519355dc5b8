# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the addresses, ports and URLs of a gateway from its Service, the nodes and its pods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...kube.errors import InvalidInput
from ...kube.objects.conditions import is_ready
from ...kube.objects.kinds import NODE, POD, SERVICE
from ...kube.objects.objects import Object
from ...kube.objects.selectors import matches
from ..model.labels import labels_of

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

_MINIKUBE = "minikube.k8s.io/name"
_DEFAULT_PORTS = {"http": 80, "https": 443}


def read_ingress(cluster: Cluster, name: str, namespace: str) -> dict[str, Any]:
    """Return the addresses of the gateway with this Service, as `describe` does. Raises InvalidInput if not found."""
    service = cluster.get(SERVICE, name, namespace)
    if service is None:
        there = sorted(one["metadata"]["name"] for one in cluster.list(SERVICE, namespace) if _is_gateway(one))
        raise InvalidInput(
            f"Service {namespace}/{name} not found: the gateways in this namespace are {', '.join(there) or '(none)'}."
            " Correct the name or the namespace.",
            name=name,
            namespace=namespace,
        )
    if (service.get("spec") or {}).get("type") != "NodePort":
        return describe(service)
    nodes, pods = cluster.list_many([(NODE, "", ""), (POD, namespace, "")])
    return describe(service, nodes, pods)


def describe(service: Object, nodes: Iterable[Object] = (), pods: Iterable[Object] = ()) -> dict[str, Any]:
    """Return the addresses of a gateway, as plain data.

    - type: the Service's type.
    - hosts: host names or IP addresses, the best first; `addresses`: those of them that are IP addresses.
    - ports: by name, {port, node_port}; node_port is None if there is none.
    - urls: by port name, for HTTP and HTTPS ports.
    - readiness_url: answers 200 when the gateway is ready; empty for a gateway that is reached from inside the cluster
      only, or whose Service has no port named status-port.
    - pending: true while no address is assigned.

    Addresses in `spec.externalIPs` answer at the Service's ports for every type. A NodePort gateway is reached at the
    nodes: external addresses first, and with `externalTrafficPolicy: Local` only at nodes that run one of its pods. A
    ClusterIP gateway without external addresses is reached from inside the cluster only, by its name.
    """
    spec, metadata = service.get("spec") or {}, service["metadata"]
    kind = spec.get("type") or "ClusterIP"
    ports = {
        port.get("name") or str(port["port"]): {"port": port["port"], "node_port": port.get("nodePort")}
        for port in spec.get("ports") or ()
        if "port" in port
    }
    external = list(spec.get("externalIPs") or ())
    if kind == "LoadBalancer":
        hosts = list(dict.fromkeys([*_assigned(service), *external]))
    elif external:
        hosts = external
    elif kind == "NodePort":
        hosts = _hosts_of_nodes(spec, nodes, pods)
    else:
        hosts = [f"{metadata['name']}.{metadata.get('namespace', 'default')}.svc"]
    outside = "node_port" if kind == "NodePort" and not external else "port"
    inside = kind == "ClusterIP" and not external
    status_port = {} if inside else ports.get("status-port") or {}
    urls = {
        name: _url(scheme, hosts[0], port[outside])
        for name, port in ports.items()
        if hosts and port[outside] and (scheme := _scheme(name, port["port"]))
    }
    return {
        "name": metadata["name"],
        "namespace": metadata.get("namespace", ""),
        "type": kind,
        "hosts": hosts,
        "addresses": [host for host in hosts if _is_address(host)],
        "ports": ports,
        "urls": urls,
        "readiness_url": f"{_url('http', hosts[0], status_port[outside])}/healthz/ready"
        if hosts and status_port.get(outside)
        else "",
        "pending": not hosts,
    }


def why_pending(cluster: Cluster, found: Mapping[str, Any]) -> str:
    """Explain why a gateway is pending, and what to do."""
    service = f"Service {found['namespace']}/{found['name']}"
    if found["type"] != "LoadBalancer":
        return f"{service} has no address yet: no node that serves it is ready. Wait for a node, or check its pods."
    if any(_MINIKUBE in labels_of(node) for node in cluster.list(NODE)):
        return f"{service} has no load balancer address yet: minikube assigns none by itself. Run `minikube tunnel`."
    return (
        f"{service} has no load balancer address yet: the cluster's load balancer has not assigned one. If the cluster has"
        " no load balancer, use the type NodePort."
    )


def _assigned(service: Object) -> list[str]:
    """Return the load balancer's addresses, which are host names on AWS."""
    entries = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [entry.get("ip") or entry.get("hostname") for entry in entries if entry.get("ip") or entry.get("hostname")]


def _hosts_of_nodes(spec: Mapping[str, Any], nodes: Iterable[Object], pods: Iterable[Object]) -> list[str]:
    selector = {"matchLabels": spec.get("selector") or {}}
    ours = [pod for pod in pods if spec.get("selector") and matches(selector, labels_of(pod))]
    hosting = {pod["spec"]["nodeName"] for pod in ours if is_ready(pod) and (pod.get("spec") or {}).get("nodeName")}
    local = spec.get("externalTrafficPolicy") == "Local"
    usable = [node for node in nodes if is_ready(node) and (not local or node["metadata"]["name"] in hosting)]
    # Every node forwards to the gateway; one that runs its pod saves a hop.
    usable.sort(key=lambda node: (node["metadata"]["name"] not in hosting, node["metadata"]["name"]))
    return node_hosts(usable)


def node_hosts(nodes: Sequence[Object]) -> list[str]:
    """Return the addresses of nodes, external ones first."""
    external = [address for node in nodes for address in _addresses(node, "ExternalIP")]
    internal = [address for node in nodes for address in _addresses(node, "InternalIP")]
    return list(dict.fromkeys([*external, *internal]))


def _addresses(node: Object, kind: str) -> list[str]:
    addresses: Sequence[Mapping[str, str]] = (node.get("status") or {}).get("addresses") or ()
    return [entry["address"] for entry in addresses if entry.get("type") == kind and entry.get("address")]


def _scheme(name: str, port: int) -> str | None:
    """Return the scheme of a port; Istio's convention is that a port's name starts with its protocol."""
    protocol = name.partition("-")[0]
    if protocol == "https" or port == 443:
        return "https"
    if protocol in ("http", "http2") or port == 80:
        return "http"
    return None


def _url(scheme: str, host: str, port: int) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" + ("" if port == _DEFAULT_PORTS[scheme] else f":{port}")


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def _is_gateway(service: Object) -> bool:
    names = {port.get("name") for port in (service.get("spec") or {}).get("ports") or ()}
    return "status-port" in names or "gateway" in service["metadata"]["name"]
