# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Expose addons at the ingress gateway: one Gateway for all of them, and one VirtualService for each host."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...kube.errors import InvalidInput
from ...kube.objects.kinds import SERVICE
from ...kube.objects.objects import Object
from ..gateways.addresses import read_ingress
from ..traffic.gateways import build
from ..traffic.shared.fields import NETWORKING, make, texts
from ..traffic.shared.workloads import pods_with, selected_by
from .pages import PAGES, PATH_ANNOTATION, set_path
from .settings import Manifests, Options

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

NAME = "addons"
"""The name of the Gateway, and the prefix of the VirtualServices' names."""

_PATH = re.compile(r"/[\w./~-]*")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Gate:
    """The gateway that exposes addons: the labels of its pods, the port of its Service, and the certificate's Secret."""

    selector: Mapping[str, str]
    port: int
    secret: str

    @classmethod
    def of(cls, options: Options) -> Gate:
        """Read the option `gateway`."""
        secret = options.get("secret") or ""
        selector = options.get("selector") or {"istio": "ingressgateway"}
        return cls(texts(selector), options.get("port") or (443 if secret else 80), secret)

    @property
    def scheme(self) -> str:
        """http or https."""
        return "https" if self.secret else "http"


@dataclass(frozen=True)
class Exposed:
    """One addon at the gateway; `path` is empty for the root, otherwise it has no trailing slash."""

    addon: str
    host: str
    path: str


def exposed(entries: Iterable[Options], addons: Sequence[str]) -> dict[str, Exposed]:
    """Return where each addon is exposed, from entries of `host`, `path` and `addons` (default: all that have a page).

    Raises InvalidInput for an addon that is not selected, has no page or is exposed twice, and for duplicate URLs.
    """
    found: dict[str, Exposed] = {}
    listed = list(entries)
    named = {addon for entry in listed for addon in entry.get("addons") or ()}
    for number, entry in enumerate(listed):
        where = f"expose[{number}]"
        rest = [addon for addon in addons if addon in PAGES and addon not in named]
        wanted = entry.get("addons") or rest
        if entry.get("path") and len(wanted) != 1:
            raise InvalidInput(
                f"{where}.path is invalid: a path is for exactly one addon, and this entry exposes"
                f" {', '.join(wanted) or 'none'}. Give each addon an entry of its own.",
                option=where,
            )
        for addon in wanted:
            _refuse_unexposable(where, addon, addons)
            if addon in found:
                raise InvalidInput(
                    f"{where} is invalid: the addon {addon} is already exposed by another entry. Remove one of them.",
                    option=where,
                )
            path = entry.get("path") or PAGES[addon].usual
            if not _PATH.fullmatch(path):
                raise InvalidInput(
                    f"{where}.path '{path}' is invalid: a path starts with a slash and contains letters, digits and"
                    " . / ~ - _ only.",
                    option=where,
                )
            found[addon] = Exposed(addon, entry.get("host") or "*", path.rstrip("/"))
    _refuse_shared_places(found.values())
    return found


def _refuse_unexposable(where: str, addon: str, addons: Sequence[str]) -> None:
    if addon not in addons:
        raise InvalidInput(
            f"{where} is invalid: the addon {addon} is not one of the selected addons ({', '.join(addons)}). Add it to"
            " them, or remove it from expose.",
            option=where,
        )
    if addon not in PAGES:
        raise InvalidInput(
            f"{where} is invalid: the addon {addon} has no web page to expose. Choose from {', '.join(sorted(PAGES))}.",
            option=where,
            addon=addon,
        )


def _refuse_shared_places(found: Iterable[Exposed]) -> None:
    places: dict[tuple[str, str], str] = {}
    for one in found:
        other = places.setdefault((one.host, one.path), one.addon)
        if other != one.addon:
            raise InvalidInput(
                f"The addons {other} and {one.addon} conflict: both are exposed at {one.host}{one.path or '/'}. Give one"
                " of them another path or host.",
                option="expose",
            )


def traffic(found: Mapping[str, Exposed], chosen: Manifests, namespace: str, gate: Gate) -> list[Object]:
    """Return the Gateway and the VirtualServices; none if nothing is exposed."""
    hosts = sorted({one.host for one in found.values()})
    if not hosts:
        return []
    tls = {"tls": {"mode": "simple", "secret": gate.secret}} if gate.secret else {}
    server = {"port": gate.port, "protocol": gate.scheme, "hosts": hosts, **tls}
    identity = {"name": NAME, "namespace": namespace}
    made = build.build({**identity, "selector": gate.selector, "servers": [server]})
    for host in hosts:
        # The first matching route wins, so that the root has to come last.
        there = sorted((one for one in found.values() if one.host == host), key=lambda one: (-len(one.path), one.addon))
        routes = [route for one in there for route in _routes(one, chosen[one.addon])]
        spec = {"hosts": [host], "gateways": [NAME], "http": routes}
        made.append(make(NETWORKING, "VirtualService", namespace, _name(host), spec))
    return made


def _name(host: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", host.lower().replace("*", "any")).strip("-")
    return f"{NAME}-{words}"


def _routes(one: Exposed, objects: list[Object]) -> list[Object]:
    page = PAGES[one.addon]
    service = page.service_of(one.addon, objects)
    destination = {"host": service["metadata"]["name"], "port": {"number": page.port_of(service)}}
    route = {"name": one.addon, "route": [{"destination": destination}]}
    if not one.path:
        match: list[Object] = [{"uri": {"prefix": "/"}}]
    else:
        match = [{"uri": {"exact": one.path}}, {"uri": {"prefix": f"{one.path}/"}}]
    if not page.stripped or one.path == page.inside:
        return [{"match": match, **route}]
    # Relative links on the page only work with the trailing slash.
    away = {"name": f"{one.addon}-slash", "match": match[:1], "redirect": {"uri": f"{one.path}/"}}
    rewritten = {"match": match[-1:], "rewrite": {"uri": f"{page.inside}/"}, **route}
    return [away, rewritten] if one.path else [rewritten]


def set_paths(found: Mapping[str, Exposed], chosen: Manifests) -> None:
    """Set the path of each exposed addon in its manifests, and in an annotation of its Service."""
    for one in found.values():
        page, objects = PAGES[one.addon], chosen[one.addon]
        set_path(one.addon, objects, one.path)
        if not page.stripped:
            metadata = page.service_of(one.addon, objects)["metadata"]
            metadata["annotations"] = {**(metadata.get("annotations") or {}), PATH_ANNOTATION: one.path or "/"}


def dashboards(cluster: Cluster, found: Mapping[str, Exposed], chosen: Manifests, gate: Gate) -> dict[str, Object]:
    """Return each addon's page: `service`, `namespace`, `port`, `path`, `cluster_url`, and `url` at the gateway."""
    at = _address(cluster, gate) if found else ("", "")
    pages = {}
    for addon, objects in chosen.items():
        if addon not in PAGES:
            continue
        page, one = PAGES[addon], found.get(addon)
        service = page.service_of(addon, objects)
        name, namespace, port = service["metadata"]["name"], service["metadata"]["namespace"], page.port_of(service)
        path = one.path if one and not page.stripped else page.inside
        pages[addon] = {
            "service": name,
            "namespace": namespace,
            "port": port,
            "path": path or "/",
            "cluster_url": f"http://{name}.{namespace}{'' if port == _DEFAULT_PORTS['http'] else f':{port}'}{path}",
            "url": _url(one, at, gate) if one else "",
        }
    return pages


def _address(cluster: Cluster, gate: Gate) -> tuple[str, str]:
    """Return host and port of the gateway (":8080", empty for the default port); both are empty if not known yet."""
    pods = pods_with(cluster, "", gate.selector)
    for service in cluster.list(SERVICE) if pods else ():
        if selected_by(service, pods):
            found = read_ingress(cluster, service["metadata"]["name"], service["metadata"]["namespace"])
            for port in found["ports"].values():
                if port["port"] == gate.port and not found["pending"]:
                    number = port["node_port"] if found["type"] == "NodePort" else gate.port
                    host = found["hosts"][0]
                    return f"[{host}]" if ":" in host else host, "" if number == _DEFAULT_PORTS[
                        gate.scheme
                    ] else f":{number}"
    return "", ""


def _url(one: Exposed, at: tuple[str, str], gate: Gate) -> str:
    host, port = at
    if one.host != "*" and "*" in one.host:
        return ""  # a wildcard stands for many hosts
    name = host if host and one.host == "*" else one.host
    return f"{gate.scheme}://{name}{port}{one.path or '/'}" if host else ""
