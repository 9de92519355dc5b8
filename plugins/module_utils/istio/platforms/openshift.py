# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What OpenShift needs beside a mesh: its profile, Routes for gateways' hosts, SCCs for namespaces, and projects."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...kube.api.cluster import Access
from ...kube.errors import ApiError, InvalidInput, NotReady, Refused
from ...kube.objects.field_managers import PREVIOUS
from ...kube.objects.objects import Kind
from ...kube.plan.permissions import refuse_denied
from ...kube.plan.plan import Plan
from ...kube.plan.unit import Unit
from ..control_plane.configuration import Options
from ..traffic.shared.unit import served_kind
from .detection import OPENSHIFT

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

Object = dict[str, Any]

MANAGER = "meshops.istio/openshift"
LABEL = "meshops.istio/openshift"
ROUTE = Kind("route.openshift.io/v1", "Route")
PROJECT = Kind("project.openshift.io/v1", "Project")
PROJECT_REQUEST = Kind("project.openshift.io/v1", "ProjectRequest")

_PROFILES = {"": "openshift", "default": "openshift", "ambient": "openshift-ambient"}
_GATEWAY = Kind("networking.istio.io/v1", "Gateway")
_SERVICE = Kind("v1", "Service")
_ROLE_BINDING = Kind("rbac.authorization.k8s.io/v1", "RoleBinding")
_WILDCARD = "*."
_CONFLICT = 409
_PAUSE = 0.2  # seconds between two looks at the projects


def fitted(options: Options, cluster: Cluster) -> Options:
    """The options as OpenShift needs them, where the cluster is one and they do not say a platform.

    The profiles `default` and `ambient` become OpenShift's own, with the CNI; any other gets the platform's values.
    """
    if options.platform or not cluster.serves(OPENSHIFT):
        return options
    if options.profile in _PROFILES:
        return replace(options, profile=_PROFILES[options.profile])
    return options if options.profile.startswith("openshift") else replace(options, platform="openshift")


@dataclass(frozen=True)
class Way:
    """How a host is reached: by which Gateway, whether by TLS, and whether plain HTTP is sent there."""

    gateway: str
    tls: bool
    redirect: bool


def routes(cluster: Cluster, name: str, namespace: str) -> tuple[list[Object], list[str]]:
    """A Route for each host of the Gateways of the gateway Service `name`, and remarks on hosts that have none.

    Raises Refused where the cluster has no Routes, InvalidInput where there is no such Service.
    """
    if not cluster.serves(ROUTE):
        raise Refused("The cluster does not know Routes: it is no OpenShift.", code="not_openshift")
    service = cluster.get(_SERVICE, name, namespace)
    if service is None:
        raise InvalidInput(f"There is no gateway Service {namespace}/{name}, which Routes could lead to.")
    pods = (service.get("spec") or {}).get("selector") or {}
    ports = {int(port["port"]): port.get("name") or port["port"] for port in service["spec"].get("ports") or ()}
    found: dict[str, Way] = {}
    remarks: list[str] = []
    for gateway in sorted(cluster.list(served_kind(cluster, _GATEWAY)), key=_name_of):
        selector = (gateway.get("spec") or {}).get("selector") or {}
        if selector and selector.items() <= pods.items():
            remarks += _collect(gateway, found)
    made = []
    for host, way in found.items():
        number = 443 if way.tls else 80
        if number in ports:
            made.append(_route(host, way, name, namespace, ports[number]))
        else:
            remarks.append(f"{host} has no Route: the Service {namespace}/{name} has no port {number}.")
    return made, remarks


def _collect(gateway: Object, found: dict[str, Way]) -> Iterator[str]:
    """Add the hosts of a Gateway to what was found; yields remarks."""
    own = _name_of(gateway)
    for server in gateway["spec"].get("servers") or ():
        protocol = str((server.get("port") or {}).get("protocol", "")).upper()
        tls = server.get("tls") or {}
        by_tls = protocol in ("HTTPS", "TLS")
        for entry in server.get("hosts") or ():
            host = str(entry).rpartition("/")[2]
            if host == "*" or protocol not in ("HTTP", "HTTP2", "GRPC", "HTTPS", "TLS"):
                yield f"{host} of the Gateway {own} has no Route: a Route needs a host, and speaks HTTP or TLS."
                continue
            there = found.get(host)
            plain = not by_tls or (there is not None and not there.tls)
            encrypted = by_tls or (there is not None and there.tls)
            if there is not None and there.tls != by_tls and not tls.get("httpsRedirect") and not there.redirect:
                yield f"{host} has one Route, by which plain HTTP is sent to HTTPS: OpenShift allows no second one."
            redirect = encrypted and (plain or bool(tls.get("httpsRedirect")) or (there is not None and there.redirect))
            # A server that only redirects is not a way of its own; its Route is the one by TLS.
            found[host] = Way(there.gateway if there else own, encrypted, redirect)


def _route(host: str, way: Way, service: str, namespace: str, port: Any) -> Object:
    readable = host.removeprefix(_WILDCARD)
    digest = hashlib.sha256(f"{service}/{host}".encode()).hexdigest()[:8]
    spec: Object = {
        # OpenShift takes a wildcard as any host of the domain, and says that it is one beside it.
        "host": f"wildcard.{readable}" if host.startswith(_WILDCARD) else host,
        "to": {"kind": "Service", "name": service, "weight": 100},
        "port": {"targetPort": port},
        "wildcardPolicy": "Subdomain" if host.startswith(_WILDCARD) else "None",
    }
    if way.tls:
        # The gateway has the certificates, and its own answer to a plain request.
        policy = "Redirect" if way.redirect else "None"
        spec["tls"] = {"termination": "passthrough", "insecureEdgeTerminationPolicy": policy}
    metadata = {
        "name": f"{readable.replace('.', '-')[:40].strip('-')}-{digest}",
        "namespace": namespace,
        "labels": {LABEL: service},
        "annotations": {f"{LABEL}-gateway": way.gateway},
    }
    return {"apiVersion": ROUTE.api_version, "kind": ROUTE.kind, "metadata": metadata, "spec": spec}


def refuse_hosts(cluster: Cluster, plan: Plan) -> None:
    """Raise Refused where the user may not say a Route's host, which OpenShift has a right of its own for."""
    said = [change for change in plan.changes if change.key.kind == ROUTE.kind and change.action != "delete"]
    places = {(change.action, change.key.namespace) for change in said}
    refuse_denied(
        cluster,
        [
            Access(verb, ROUTE.group, "routes", namespace, subresource="custom-host")
            for verb, namespace in sorted(places)
        ],
    )


def told(route: Object) -> Object:
    """What a result says of a Route."""
    return {
        "host": route["spec"]["host"],
        "tls": "tls" in route["spec"],
        "gateway": route["metadata"]["annotations"][f"{LABEL}-gateway"],
    }


def grants(scc: str | None, namespaces: Iterable[str]) -> list[Object]:
    """What lets the pods of namespaces run under an SCC: bindings to the role that OpenShift has for each."""
    return [
        {
            "apiVersion": _ROLE_BINDING.api_version,
            "kind": _ROLE_BINDING.kind,
            "metadata": {"name": f"meshops-istio-scc-{scc}", "namespace": namespace, "labels": {LABEL: "scc"}},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": f"system:openshift:scc:{scc}",
            },
            "subjects": [
                {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "Group",
                    "name": f"system:serviceaccounts:{namespace}",
                }
            ],
        }
        for namespace in namespaces
    ]


def unit(objects: Sequence[Object], service: str, namespace: str, *, scc: bool, routes: bool) -> Unit:
    """What `reconcile` is to make of the cluster. What is no longer wanted goes, of grants and of Routes as they say."""

    def stale(cluster: Cluster) -> list[Object]:
        requests = [(_ROLE_BINDING, "", f"{LABEL}=scc")] if scc else []
        if routes and cluster.serves(ROUTE):
            requests.append((ROUTE, namespace, f"{LABEL}={service}"))
        return [obj for found in cluster.list_many(requests) for obj in found]

    # A Route is admitted by OpenShift's router when it likes to.
    return Unit(MANAGER, objects, retired=PREVIOUS, stale=stale, awaited=lambda obj: obj["kind"] != ROUTE.kind)


def request_projects(cluster: Cluster, names: Iterable[str], *, check: bool, timeout: float) -> list[str]:
    """Ask OpenShift for those of the projects that are not there, and wait until they are; returns their names.

    A request is what users may make who may not create namespaces. Raises Refused where the cluster is no OpenShift or
    the user may not ask, NotReady after `timeout` seconds.
    """
    wanted = list(names)
    # Who may not see a namespace may not ask for it either; the list of projects is that of one's own.
    there = _projects(cluster) if wanted else set()
    missing = [name for name in wanted if name not in there]
    if missing and not cluster.serves(PROJECT_REQUEST):
        raise Refused("The cluster does not know project requests: it is no OpenShift.", code="not_openshift")
    if missing:
        refuse_denied(cluster, [Access("create", PROJECT_REQUEST.group, "projectrequests")])
    for name in missing if not check else ():
        body = {"apiVersion": PROJECT_REQUEST.api_version, "kind": PROJECT_REQUEST.kind, "metadata": {"name": name}}
        try:
            cluster.create(body, manager=MANAGER)
        except ApiError as error:
            if error.status != _CONFLICT:
                raise
            raise Refused(
                f"The project {name} is somebody else's: it is there, and this user may not see it.",
                code="foreign_project",
                project=name,
            ) from error
    if missing and not check:
        _wait_for_projects(cluster, missing, timeout)
    return missing


def _wait_for_projects(cluster: Cluster, names: Sequence[str], timeout: float) -> None:
    """The user's own list of projects knows a new one a moment later, and until then the user may do nothing in it."""
    deadline = time.monotonic() + timeout
    while awaited := set(names) - _projects(cluster):
        if time.monotonic() > deadline:
            raise NotReady(
                f"OpenShift has not made what was asked for within {timeout:.0f} s: the project {', '.join(sorted(awaited))}."
            )
        time.sleep(_PAUSE)


def _projects(cluster: Cluster) -> set[str]:
    return {project["metadata"]["name"] for project in cluster.list(PROJECT)}


def _name_of(obj: Mapping[str, Any]) -> str:
    return f"{obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}"
