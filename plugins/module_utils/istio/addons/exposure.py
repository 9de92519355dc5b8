# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addons at the ingress gateway: one Gateway for all of them, and for each host one VirtualService."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...kube.errors import InvalidInput
from ..gateways.addresses import read_ingress
from ..traffic.gateways import build
from ..traffic.shared.fields import NETWORKING, make, texts
from ..traffic.shared.registry import SERVICE
from ..traffic.shared.workloads import pods_with, selected_by
from .pages import PAGES, PATH_ANNOTATION, tell
from .settings import Manifests, Options

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

Object = dict[str, Any]

NAME = "addons"
"""The name of the Gateway, and the beginning of those of the VirtualServices."""

_PATH = re.compile(r"/[\w./~-]*")
_USUAL = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Gate:
    """The gateway that shows addons: its pods by their labels, the port of its Service, and a certificate's Secret."""

    selector: Mapping[str, str]
    port: int
    secret: str

    @classmethod
    def of(cls, options: Options) -> Gate:
        """From the option `gateway`."""
        secret = options.get("secret") or ""
        selector = options.get("selector") or {"istio": "ingressgateway"}
        return cls(texts(selector), options.get("port") or (443 if secret else 80), secret)

    @property
    def scheme(self) -> str:
        """http or https."""
        return "https" if self.secret else "http"


@dataclass(frozen=True)
class Exposed:
    """One addon at the gateway; `path` is empty for the root and else without a slash at its end."""

    addon: str
    host: str
    path: str


def exposed(entries: Iterable[Options], addons: Sequence[str]) -> dict[str, Exposed]:
    """Which addons are exposed where: entries of `host`, `path` and `addons`, all that have a page where it names none.

    Raises InvalidInput for an addon that is not chosen, has no page, or is exposed twice, and for places taken twice.
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
                f"{where}.path is for one addon, and this is about {', '.join(wanted) or 'none'}.", option=where
            )
        for addon in wanted:
            _refuse_unexposable(where, addon, addons)
            if addon in found:
                raise InvalidInput(f"{where}: {addon} is exposed already, and it has one place only.", option=where)
            path = entry.get("path") or PAGES[addon].usual
            if not _PATH.fullmatch(path):
                raise InvalidInput(f"{where}: '{path}' is no path; it begins with a slash.", option=where)
            found[addon] = Exposed(addon, entry.get("host") or "*", path.rstrip("/"))
    _refuse_shared_places(found.values())
    return found


def _refuse_unexposable(where: str, addon: str, addons: Sequence[str]) -> None:
    if addon not in addons:
        raise InvalidInput(
            f"{where}: {addon} is not among the addons {', '.join(addons)}: add it, or take it out of expose.",
            option=where,
        )
    if addon not in PAGES:
        raise InvalidInput(
            f"{where}: {addon} has no page to expose; {', '.join(sorted(PAGES))} have one.", option=where, addon=addon
        )


def _refuse_shared_places(found: Iterable[Exposed]) -> None:
    places: dict[tuple[str, str], str] = {}
    for one in found:
        other = places.setdefault((one.host, one.path), one.addon)
        if other != one.addon:
            raise InvalidInput(
                f"{other} and {one.addon} are both exposed at {one.host}{one.path or '/'}; give one of them another path"
                " or host.",
                option="expose",
            )


def traffic(found: Mapping[str, Exposed], chosen: Manifests, namespace: str, gate: Gate) -> list[Object]:
    """The Gateway and the VirtualServices for what is exposed; none for nothing."""
    hosts = sorted({one.host for one in found.values()})
    if not hosts:
        return []
    tls = {"tls": {"mode": "simple", "secret": gate.secret}} if gate.secret else {}
    server = {"port": gate.port, "protocol": gate.scheme, "hosts": hosts, **tls}
    identity = {"name": NAME, "namespace": namespace}
    made = build.build({**identity, "selector": gate.selector, "servers": [server]})
    for host in hosts:
        # The longest path first, else the root would take all.
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
    # Without its last slash a page's own links would lead beside it.
    away = {"name": f"{one.addon}-slash", "match": match[:1], "redirect": {"uri": f"{one.path}/"}}
    rewritten = {"match": match[-1:], "rewrite": {"uri": f"{page.inside}/"}, **route}
    return [away, rewritten] if one.path else [rewritten]


def tell_programs(found: Mapping[str, Exposed], chosen: Manifests) -> None:
    """Tell each exposed addon's program its path, in its manifests; its Service keeps it for who asks later."""
    for one in found.values():
        page, objects = PAGES[one.addon], chosen[one.addon]
        tell(one.addon, objects, one.path)
        if not page.stripped:
            metadata = page.service_of(one.addon, objects)["metadata"]
            metadata["annotations"] = {**(metadata.get("annotations") or {}), PATH_ANNOTATION: one.path or "/"}


def dashboards(cluster: Cluster, found: Mapping[str, Exposed], chosen: Manifests, gate: Gate) -> dict[str, Object]:
    """Where each addon's page is: `service`, `namespace`, `port`, `path`, `cluster_url`, and `url` at the gateway."""
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
            "cluster_url": f"http://{name}.{namespace}{'' if port == _USUAL['http'] else f':{port}'}{path}",
            "url": _url(one, at, gate) if one else "",
        }
    return pages


def _address(cluster: Cluster, gate: Gate) -> tuple[str, str]:
    """Host and port (with a colon, empty for the usual one) of the gateway; both empty where they are not known yet."""
    pods = pods_with(cluster, "", gate.selector)
    for service in cluster.list(SERVICE) if pods else ():
        if selected_by(service, pods):
            found = read_ingress(cluster, service["metadata"]["name"], service["metadata"]["namespace"])
            for port in found["ports"].values():
                if port["port"] == gate.port and not found["pending"]:
                    number = port["node_port"] if found["type"] == "NodePort" else gate.port
                    host = found["hosts"][0]
                    return f"[{host}]" if ":" in host else host, "" if number == _USUAL[gate.scheme] else f":{number}"
    return "", ""


def _url(one: Exposed, at: tuple[str, str], gate: Gate) -> str:
    host, port = at
    if one.host != "*" and "*" in one.host:
        return ""  # which of the hosts that fall under it is asked for, nobody has said
    name = host if host and one.host == "*" else one.host
    return f"{gate.scheme}://{name}{port}{one.path or '/'}" if host else ""
