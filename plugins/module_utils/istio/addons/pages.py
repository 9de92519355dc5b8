# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The web pages of addons: the Service and path that serve each, and how to configure another path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...kube.errors import InvalidInput
from ...kube.objects.objects import Object
from .parts import container, edit_config, set_argument, set_variables

PATH_ANNOTATION = "meshops.istio/path"
"""Annotation of a page's Service: the path, if it is not the release's default."""

SetPath = Callable[[list[Object], str], None]
"""Sets the path in an addon's manifests, without a trailing slash; empty for the root."""


@dataclass(frozen=True)
class Page:
    """An addon's page.

    service: the name of its Service. inside: the path prefix at the Service. usual: the default path at the gateway.
    set_path: configures another path, None if only `usual` works. stripped: the addon keeps serving at `inside`, so
    that the route has to rewrite the path.
    """

    service: str
    inside: str
    usual: str
    set_path: SetPath | None = None
    stripped: bool = False

    def service_of(self, addon: str, objects: list[Object]) -> Object:
        """Return its Service among the addon's objects. Raises InvalidInput if the release has none of this name."""
        for obj in objects:
            if obj["kind"] == "Service" and obj["metadata"]["name"] == self.service:
                return obj
        raise InvalidInput(
            f"Service {self.service} not found in the manifests of the addon {addon} of this release. Remove the addon"
            " from expose, or use another release.",
            addon=addon,
        )

    def port_of(self, service: Object) -> int:
        """Return the port of the page: the Service's first port that is not gRPC."""
        ports = [one for one in service["spec"]["ports"] if not str(one.get("name", "")).startswith("grpc")]
        return int(ports[0]["port"])


def _kiali(objects: list[Object], path: str) -> None:
    edit_config("kiali", objects, "config.yaml", lambda config: config["server"].update(web_root=path or "/"))
    program = container("kiali", objects)
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if probe in program:
            program[probe]["httpGet"]["path"] = f"{path}/healthz"


def _grafana(objects: list[Object], path: str) -> None:
    root = f"%(protocol)s://%(domain)s:%(http_port)s{path}"
    variables = {"GF_SERVER_ROOT_URL": f"{root}/", "GF_SERVER_SERVE_FROM_SUB_PATH": "true" if path else "false"}
    set_variables(container("grafana", objects), variables)


def _prometheus(objects: list[Object], path: str) -> None:
    program = container("prometheus", objects)
    set_argument(program, "--web.external-url", f"{path}/")
    # Clients inside the cluster use no path.
    set_argument(program, "--web.route-prefix", "/")


def _jaeger(objects: list[Object], path: str) -> None:
    if any("config.yaml" in (obj.get("data") or {}) for obj in objects if obj["kind"] == "ConfigMap"):
        edit_config("jaeger", objects, "config.yaml", lambda config: _base_path(config, path))
    else:  # Jaeger 1 reads it from the environment
        set_variables(container("jaeger", objects), {"QUERY_BASE_PATH": path or "/"})


def _base_path(config: Object, path: str) -> None:
    config["extensions"]["jaeger_query"]["base_path"] = path or "/"


def _zipkin(objects: list[Object], path: str) -> None:
    set_variables(container("zipkin", objects), {"ZIPKIN_UI_BASEPATH": path or "/"})


PAGES = {
    "kiali": Page("kiali", "/kiali", "/kiali", _kiali),
    "grafana": Page("grafana", "", "/grafana", _grafana),
    "prometheus": Page("prometheus", "", "/prometheus", _prometheus, stripped=True),
    "jaeger": Page("tracing", "/jaeger", "/jaeger", _jaeger),
    "zipkin": Page("tracing", "/zipkin", "/zipkin", _zipkin, stripped=True),
    "skywalking": Page("tracing-ui", "", "/"),
}
"""Loki and the Prometheus operator's monitors have no page."""


def set_path(addon: str, objects: list[Object], path: str) -> None:
    """Set the path of an addon's page in its manifests. Raises InvalidInput for a path that it does not support."""
    page = PAGES[addon]
    if page.set_path is not None:
        page.set_path(objects, path)
    elif path != page.usual.rstrip("/"):
        raise InvalidInput(
            f"Cannot expose the addon {addon} at {path or '/'}: it supports the path {page.usual} only. Expose it at a"
            " host of its own.",
            addon=addon,
            path=path,
        )
