# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OpenShift: profile of the mesh, Routes for gateways' hosts, SCCs for namespaces, and projects."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...kube.api.cluster import Access
from ...kube.api.unserved import refuse_unserved
from ...kube.errors import ApiError, InvalidInput, NotReady, Refused
from ...kube.objects.field_managers import PREVIOUS
from ...kube.objects.kinds import ROLE_BINDING, SERVICE
from ...kube.objects.objects import Kind, Object
from ...kube.plan.permissions import refuse_denied
from ...kube.plan.plan import Plan
from ...kube.plan.unit import Unit
from ..control_plane.configuration import Options
from ..traffic.shared.unit import served_kind
from .detection import OPENSHIFT

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

MANAGER = "meshops.istio/openshift"
LABEL = "meshops.istio/openshift"
ROUTE = Kind("route.openshift.io/v1", "Route")
PROJECT = Kind("project.openshift.io/v1", "Project")
PROJECT_REQUEST = Kind("project.openshift.io/v1", "ProjectRequest")

_PROFILES = {"": "openshift", "default": "openshift", "ambient": "openshift-ambient"}
_GATEWAY = Kind("networking.istio.io/v1", "Gateway")
_WILDCARD = "*."
_CONFLICT = 409
_PAUSE = 0.2  # seconds between two lists of the projects


def with_platform(options: Options, cluster: Cluster) -> Options:
    """Return the options for OpenShift, if the cluster is one and they set no platform.

    The profiles `default` and `ambient` become OpenShift's, with the CNI; others get the platform's values.
    """
    if options.platform or not cluster.serves(OPENSHIFT):
        return options
    if options.profile in _PROFILES:
        return replace(options, profile=_PROFILES[options.profile])
    return options if options.profile.startswith("openshift") else replace(options, platform="openshift")


@dataclass(frozen=True)
class HostRoute:
    """The route of a host: its Gateway, whether it uses TLS, and whether HTTP is redirected to it."""

    gateway: str
    tls: bool
    redirect: bool


def routes(cluster: Cluster, name: str, namespace: str) -> tuple[list[Object], list[str]]:
    """Return a Route for each host of the Gateways of the gateway Service `name`, and warnings about hosts without one.

    Raises Refused if the cluster does not serve Routes, InvalidInput if the Service is not found.
    """
    remedy = "Use an OpenShift cluster, or disable routes."
    refuse_unserved(cluster, [ROUTE], remedy, task="Cannot create Routes", code="not_openshift")
    service = cluster.get(SERVICE, name, namespace)
    if service is None:
        raise InvalidInput(
            f"Cannot create Routes: Service {namespace}/{name} not found. Install the gateway first, or correct its name."
        )
    pods = (service.get("spec") or {}).get("selector") or {}
    ports = {int(port["port"]): port.get("name") or port["port"] for port in service["spec"].get("ports") or ()}
    found: dict[str, HostRoute] = {}
    warnings: list[str] = []
    for gateway in sorted(cluster.list(served_kind(cluster, _GATEWAY)), key=_name_of):
        selector = (gateway.get("spec") or {}).get("selector") or {}
        if selector and selector.items() <= pods.items():
            warnings += _collect(gateway, found)
    made = []
    for host, one in found.items():
        number = 443 if one.tls else 80
        if number in ports:
            made.append(_route(host, one, name, namespace, ports[number]))
        else:
            warnings.append(f"No Route for {host}: port {number} not found in Service {namespace}/{name}.")
    return made, warnings


def _collect(gateway: Object, found: dict[str, HostRoute]) -> Iterator[str]:
    """Add the hosts of a Gateway to `found`; yield warnings."""
    own = _name_of(gateway)
    for server in gateway["spec"].get("servers") or ():
        protocol = str((server.get("port") or {}).get("protocol", "")).upper()
        tls = server.get("tls") or {}
        by_tls = protocol in ("HTTPS", "TLS")
        for entry in server.get("hosts") or ():
            host = str(entry).rpartition("/")[2]
            if host == "*" or protocol not in ("HTTP", "HTTP2", "GRPC", "HTTPS", "TLS"):
                yield f"No Route for {host} of Gateway {own}: a Route needs a host name, and supports HTTP and TLS only."
                continue
            there = found.get(host)
            plain = not by_tls or (there is not None and not there.tls)
            encrypted = by_tls or (there is not None and there.tls)
            if there is not None and there.tls != by_tls and not tls.get("httpsRedirect") and not there.redirect:
                yield (
                    f"The Route for {host} redirects HTTP to HTTPS: OpenShift does not allow a second Route for the same"
                    " host."
                )
            redirect = encrypted and (plain or bool(tls.get("httpsRedirect")) or (there is not None and there.redirect))
            # A server that only redirects needs no Route of its own.
            found[host] = HostRoute(there.gateway if there else own, encrypted, redirect)


def _route(host: str, one: HostRoute, service: str, namespace: str, port: Any) -> Object:
    readable = host.removeprefix(_WILDCARD)
    digest = hashlib.sha256(f"{service}/{host}".encode()).hexdigest()[:8]
    spec: Object = {
        # OpenShift expresses a wildcard by any host of the domain and a wildcardPolicy.
        "host": f"wildcard.{readable}" if host.startswith(_WILDCARD) else host,
        "to": {"kind": "Service", "name": service, "weight": 100},
        "port": {"targetPort": port},
        "wildcardPolicy": "Subdomain" if host.startswith(_WILDCARD) else "None",
    }
    if one.tls:
        # The gateway has the certificates.
        policy = "Redirect" if one.redirect else "None"
        spec["tls"] = {"termination": "passthrough", "insecureEdgeTerminationPolicy": policy}
    metadata = {
        "name": f"{readable.replace('.', '-')[:40].strip('-')}-{digest}",
        "namespace": namespace,
        "labels": {LABEL: service},
        "annotations": {f"{LABEL}-gateway": one.gateway},
    }
    return {"apiVersion": ROUTE.api_version, "kind": ROUTE.kind, "metadata": metadata, "spec": spec}


def refuse_hosts(cluster: Cluster, plan: Plan) -> None:
    """Raise Refused if the user lacks OpenShift's permission to set a Route's host (routes/custom-host)."""
    written = [change for change in plan.changes if change.key.kind == ROUTE.kind and change.action != "delete"]
    places = {(change.action, change.key.namespace) for change in written}
    refuse_denied(
        cluster,
        [
            Access(verb, ROUTE.group, "routes", namespace, subresource="custom-host")
            for verb, namespace in sorted(places)
        ],
    )


def route_result(route: Object) -> Object:
    """Return a Route as it is reported in the result."""
    return {
        "host": route["spec"]["host"],
        "tls": "tls" in route["spec"],
        "gateway": route["metadata"]["annotations"][f"{LABEL}-gateway"],
    }


def grants(scc: str | None, namespaces: Iterable[str]) -> list[Object]:
    """Return the RoleBindings that allow the pods of namespaces to use an SCC."""
    return [
        {
            "apiVersion": ROLE_BINDING.api_version,
            "kind": ROLE_BINDING.kind,
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
    """Return the desired state. With `scc` and `routes`, prune RoleBindings and Routes that are not among the objects."""

    def stale(cluster: Cluster) -> list[Object]:
        requests = [(ROLE_BINDING, "", f"{LABEL}=scc")] if scc else []
        if routes and cluster.serves(ROUTE):
            requests.append((ROUTE, namespace, f"{LABEL}={service}"))
        return [obj for found in cluster.list_many(requests) for obj in found]

    # Routes are not awaited: the router may admit them much later.
    return Unit(
        MANAGER, objects, previous_managers=PREVIOUS, stale=stale, awaited=lambda obj: obj["kind"] != ROUTE.kind
    )


def request_projects(cluster: Cluster, names: Iterable[str], *, check: bool, timeout: float) -> list[str]:
    """Request the projects that do not exist, and wait for them; return their names.

    Users without permission to create namespaces may request projects. Raises Refused if the cluster is not OpenShift
    or the user lacks permission, NotReady after `timeout` seconds.
    """
    wanted = list(names)
    # Users may list their own projects, but not get other namespaces.
    there = _projects(cluster) if wanted else set()
    missing = [name for name in wanted if name not in there]
    if missing:
        task = "Cannot request projects"
        refuse_unserved(cluster, [PROJECT_REQUEST], "Use an OpenShift cluster.", task=task, code="not_openshift")
        refuse_denied(cluster, [Access("create", PROJECT_REQUEST.group, "projectrequests")])
    for name in missing if not check else ():
        body = {"apiVersion": PROJECT_REQUEST.api_version, "kind": PROJECT_REQUEST.kind, "metadata": {"name": name}}
        try:
            cluster.create(body, manager=MANAGER)
        except ApiError as error:
            if error.status != _CONFLICT:
                raise
            raise Refused(
                f"Cannot request Project {name}: it already exists, and this user has no access to it. Choose another name,"
                " or ask its owner for access.",
                code="foreign_project",
                project=name,
            ) from error
    if missing and not check:
        _wait_for_projects(cluster, missing, timeout)
    return missing


def _wait_for_projects(cluster: Cluster, names: Sequence[str], timeout: float) -> None:
    """Wait until the user's list of projects has the new ones: until then the user has no permissions in them."""
    deadline = time.monotonic() + timeout
    while awaited := set(names) - _projects(cluster):
        if time.monotonic() > deadline:
            raise NotReady(
                f"Timed out waiting for Project {', '.join(sorted(awaited))} after {timeout:.0f} s: not found in the list"
                " of projects. Increase wait_timeout, or check OpenShift's API server."
            )
        time.sleep(_PAUSE)


def _projects(cluster: Cluster) -> set[str]:
    return {project["metadata"]["name"] for project in cluster.list(PROJECT)}


def _name_of(obj: Mapping[str, Any]) -> str:
    return f"{obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}"
