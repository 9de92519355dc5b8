# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The topology of routes as a graph: from gateways through routes to Services and their workloads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from ...kube.api.cluster import Cluster
from ...kube.objects.kinds import POD, SERVICE
from ...kube.objects.objects import Object
from ..injection.sidecars import owner_of
from ..model.proxies import has_ended
from ..traffic.routes.checks import gateways_of
from ..traffic.shared.destinations import targets
from ..traffic.shared.fields import each
from ..traffic.shared.hosts import Host
from ..traffic.shared.registry import GATEWAY, HTTP_ROUTE, KUBERNETES_GATEWAY, VIRTUAL_SERVICE
from ..traffic.shared.unit import served_kind
from ..traffic.shared.workloads import in_mesh, selected_by

_HOST = "Host"
"""The kind of a node for a host that is not a Service of the cluster."""

Wanted = Callable[[str], bool]
"""Returns whether a namespace is selected."""


class Topology:
    """A graph. `nodes`: [{id, kind, namespace, name, in_mesh}], in_mesh is None except for workloads; `edges`: [{source,
    target, label}] with ids of nodes.
    """

    def __init__(self) -> None:
        self._nodes: dict[str, Object] = {}
        self._edges: dict[tuple[str, str, str], Object] = {}

    @property
    def nodes(self) -> list[Object]:
        """The nodes, sorted by id."""
        return [self._nodes[one] for one in sorted(self._nodes)]

    @property
    def edges(self) -> list[Object]:
        """The edges, sorted by source and target."""
        return [self._edges[one] for one in sorted(self._edges)]

    def node(self, kind: str, namespace: str, name: str, *, in_mesh: bool | None = None) -> str:
        """Add a node, and return its id."""
        place = f"{namespace}/{name}" if namespace else name
        found = f"{kind} {place}"
        self._nodes[found] = {
            "id": found,
            "kind": kind,
            "namespace": namespace,
            "name": name,
            "in_mesh": in_mesh,
        }
        return found

    def edge(self, source: str, target: str, label: str = "") -> None:
        """Add an edge."""
        self._edges[source, target, label] = {"source": source, "target": target, "label": label}

    @property
    def mermaid(self) -> str:
        """The graph as a Mermaid flowchart, which GitHub and GitLab display."""
        short = {node["id"]: f"n{number}" for number, node in enumerate(self.nodes)}
        lines = ["flowchart LR"]
        for node in self.nodes:
            text = f"{node['kind']}<br/>{node['id'].removeprefix(node['kind']).strip()}"
            text += "<br/>no sidecar" if node["in_mesh"] is False else ""
            lines.append(f'  {short[node["id"]]}["{_quoted(text)}"]')
        for edge in self.edges:
            label = f'|"{_quoted(edge["label"])}"|' if edge["label"] else ""
            lines.append(f"  {short[edge['source']]} -->{label} {short[edge['target']]}")
        return "\n".join(lines) + "\n"


def read(cluster: Cluster, namespaces: Collection[str]) -> Topology:
    """Read the routes, Services and workloads of some namespaces, of all if empty."""
    kinds = [GATEWAY, VIRTUAL_SERVICE, KUBERNETES_GATEWAY, HTTP_ROUTE]
    asked = [(served_kind(cluster, kind), "", "") for kind in kinds]
    gateways, virtual, theirs, http, services, pods = cluster.list_many([*asked, (SERVICE, "", ""), (POD, "", "")])
    topology = Topology()

    def wanted(namespace: str) -> bool:
        return not namespaces or namespace in namespaces

    for gateway in (*gateways, *theirs):
        if wanted(gateway["metadata"]["namespace"]):
            topology.node(gateway["kind"], gateway["metadata"]["namespace"], gateway["metadata"]["name"])
    known = {(one["metadata"]["namespace"], one["metadata"]["name"]): one for one in services}
    shown = {place for place in known if wanted(place[0])}
    for route in (*virtual, *http):
        metadata = route["metadata"]
        if not wanted(metadata["namespace"]):
            continue
        this = topology.node(route["kind"], metadata["namespace"], metadata["name"])
        for kind, place in _parents(route):
            source = topology.node(kind, *place)
            topology.edge(source, this, ", ".join(_hosts(route)))
        for host, label in _destinations(route):
            place = (host.namespace, host.name)
            if place in known:
                shown.add(place)
                topology.edge(this, topology.node(SERVICE.kind, *place), label)
            else:
                topology.edge(this, topology.node(_HOST, "", str(host)), label)
    _workloads(topology, [known[place] for place in shown], [pod for pod in pods if not has_ended(pod)], wanted)
    return topology


def _parents(route: Object) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield kind, namespace and name of the gateways of a route; none for a route of the sidecars only."""
    if route["kind"] == VIRTUAL_SERVICE.kind:
        for name in gateways_of(route) - {"mesh"}:
            namespace, _slash, gateway = name.partition("/")
            yield GATEWAY.kind, (namespace, gateway)
        return
    for parent in route["spec"].get("parentRefs") or ():
        namespace = parent.get("namespace") or route["metadata"]["namespace"]
        yield parent.get("kind") or KUBERNETES_GATEWAY.kind, (namespace, parent["name"])


def _hosts(route: Object) -> list[str]:
    return route["spec"].get("hostnames" if route["kind"] == HTTP_ROUTE.kind else "hosts") or []


def _destinations(route: Object) -> Iterator[tuple[Host, str]]:
    """Yield the hosts to which a route sends requests, each with the subset and its share."""
    namespace = route["metadata"]["namespace"]
    if route["kind"] == HTTP_ROUTE.kind:
        for rule in route["spec"].get("rules") or ():
            backends = rule.get("backendRefs") or ()
            for backend in backends:
                share = _share(backend.get("weight", 1), sum(one.get("weight", 1) for one in backends))
                yield Host(backend["name"], backend.get("namespace") or namespace), share
        return
    for protocol in ("http", "tls", "tcp"):
        for where, rule in each(route["spec"], protocol):
            found = [target for _place, target in targets(rule, where)]
            for target in found:
                share = _share(target.get("weight", 0), sum(one.get("weight", 0) for one in found))
                yield _destination(target["destination"], namespace, share)
            if rule.get("mirror"):
                yield _destination(rule["mirror"], namespace, "mirrored")


def _destination(destination: Mapping[str, Any], namespace: str, share: str) -> tuple[Host, str]:
    words = (destination.get("subset") or "", share)
    return Host.of(destination["host"], namespace), " ".join(word for word in words if word)


def _share(weight: int, whole: int) -> str:
    return f"{100 * weight / whole:.3g} %" if whole and weight != whole else ""


def _workloads(topology: Topology, services: Iterable[Object], pods: list[Object], wanted: Wanted) -> None:
    """Add the workloads of Services, and those of the namespaces that no Service selects."""
    inside: dict[tuple[str, str, str], bool] = {}
    for pod in pods:
        owner = owner_of(pod)
        inside[owner] = inside.get(owner, True) and in_mesh(pod)
    for owner, meshed in inside.items():
        if wanted(owner[1]):
            topology.node(*owner, in_mesh=meshed)
    for service in services:
        metadata = service["metadata"]
        source = topology.node(SERVICE.kind, metadata["namespace"], metadata["name"])
        for owner in {owner_of(pod) for pod in selected_by(service, pods)}:
            topology.edge(source, topology.node(*owner, in_mesh=inside[owner]))


def _quoted(text: str) -> str:
    """Escape a text for Mermaid."""
    return text.replace('"', "#quot;")
