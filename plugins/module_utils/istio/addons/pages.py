# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages of addons: where each is served inside the cluster, and how its program learns of another path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...kube.errors import InvalidInput
from .parts import Object, container, edit_config, set_argument, set_variables

PATH_ANNOTATION = "meshops.istio/path"
"""On the Service of a page that was told another path than the release's own."""

Tell = Callable[[list[Object], str], None]
"""Tells an addon's program the path that it is reached at, without a slash at its end, empty for the root."""


@dataclass(frozen=True)
class Page:
    """An addon's page.

    service: the Service that serves it, where the release has it by this name. inside: the path in front of it there.
    usual: the path at which it is exposed unless the user says otherwise. tell: how its program is told of a path,
    None where it can only be at `usual`. stripped: the program stays at `inside`; the route has to take the path off.
    """

    service: str
    inside: str
    usual: str
    tell: Tell | None = None
    stripped: bool = False

    def service_of(self, addon: str, objects: list[Object]) -> Object:
        """Its Service among the addon's objects. InvalidInput where the release has another."""
        for obj in objects:
            if obj["kind"] == "Service" and obj["metadata"]["name"] == self.service:
                return obj
        raise InvalidInput(f"The addon {addon} of this release has no Service {self.service}.", addon=addon)

    def port_of(self, service: Object) -> int:
        """The port of the page: the Service's first that is not gRPC's."""
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
    # Those who ask it inside of the cluster do so without the path.
    set_argument(program, "--web.route-prefix", "/")


def _jaeger(objects: list[Object], path: str) -> None:
    if any("config.yaml" in (obj.get("data") or {}) for obj in objects if obj["kind"] == "ConfigMap"):
        edit_config("jaeger", objects, "config.yaml", lambda config: _base_path(config, path))
    else:  # the first Jaeger takes it from its environment
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
"""Loki and the monitors of Prometheus' operator have no page."""


def tell(addon: str, objects: list[Object], path: str) -> None:
    """Tell an addon's program the path that it is reached at. InvalidInput for one that it cannot be at."""
    page = PAGES[addon]
    if page.tell is not None:
        page.tell(objects, path)
    elif path != page.usual.rstrip("/"):
        raise InvalidInput(
            f"The page of {addon} can be at {page.usual} only: expose it at a host of its own.", addon=addon, path=path
        )
