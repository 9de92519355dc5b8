# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The formats of variables with names, hosts, ports and quantities, and their validation."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.objects import names


@dataclass(frozen=True)
class Format:
    """A format: its noun, a test, and the rule for the error."""

    noun: str
    fits: Callable[[str], bool]
    rule: str


def _matching(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


def _number(lowest: float, highest: float = float("inf")) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            return lowest <= float(text) <= highest
        except ValueError:
            return False

    return fits


def _port(lowest: int) -> Callable[[str], bool]:
    return lambda text: text.isdecimal() and lowest <= int(text) <= 65535


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return fits


_LETTERS = "it must consist of lower case letters, digits and '-', and start and end with a letter or digit"

NAMESPACE = Format("the name of a Namespace", names.is_label, names.NAMESPACE_RULE)
REVISION = Format(
    "the name of a revision",
    lambda text: names.is_label(text) and len(text) <= 56,
    f"{_LETTERS}, at most 56 characters, such as 1-29-1",
)
SITE = Format("the name of a site", names.is_label, f"{_LETTERS}, at most 63 characters, such as team-a")
TAG = Format(
    "the name of a revision tag",
    lambda text: names.is_label(text) and len(text) <= 43,
    f"{_LETTERS}, at most 43 characters, such as prod",
)
APPLICATION = Format("the name of an application", names.is_label, f"{_LETTERS}, at most 63 characters")
SERVICE = Format(
    "the name of a gateway", names.is_service_name, f"{_LETTERS}, start with a letter, and have at most 63 characters"
)
SECRET = Format("the name of a Secret", names.is_subdomain, f"{_LETTERS}; dots may separate its parts")
OBJECT = Format("the name of an object", names.is_subdomain, f"{_LETTERS}; dots may separate its parts")
SUBSET = Format("the name of a subset", names.is_label, f"{_LETTERS}, such as v2")
DNS_LABEL = Format("a DNS label", names.is_service_name, f"{_LETTERS}, start with a letter, such as shop-east")
HOST = Format(
    "a host",
    names.is_host_pattern,
    "it must be a name such as mesh.example.com, *.example.com, or * for any, without scheme, port and path",
)
VERSION = Format(
    "an exact version",
    _matching(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?"),
    "it must be complete, such as 1.29.1, to prevent unexpected upgrades",
)
PORT = Format("a port", _port(1), "it must be a number from 1 to 65535")
ANY_PORT = Format("a port", _port(0), "it must be a number from 1 to 65535, or 0 for any")
PORT_NAME = Format("the name of a port", names.is_label, f"{_LETTERS}, at most 15 characters, such as http2")
LABEL = Format("the key of a label", names.is_qualified_name, "such as app or example.com/team")
LABEL_VALUE = Format(
    "the value of a label",
    names.is_label_value,
    "it must consist of letters, digits, '-', '_' and '.', start and end with a letter or digit, and have at most 63"
    " characters",
)
ANNOTATION = Format("the key of an annotation", names.is_qualified_name, "such as example.com/team")
NETWORK = Format(
    "a network", _parses(lambda text: ipaddress.ip_network(text, strict=False)), "such as 10.0.0.0/8 or 203.0.113.7/32"
)
ADDRESS = Format("an IP address", _parses(ipaddress.ip_address), "such as 203.0.113.7")
QUANTITY = Format("a quantity", names.is_quantity, "such as 10Gi, 500m or 2")
PERCENT = Format("a percentage", _number(0, 100), "it must be a number from 0 to 100")
POSITIVE = Format("a valid number", _number(1), "it must be at least 1")
REGISTRY = Format(
    "a registry",
    _matching(r"[^\s/:@]+(:\d+)?(/[^\s:]*)?"),
    "such as registry.example.com:5000/mirror, without a scheme",
)
IMAGE_TAG = Format("the tag of an image", _matching(r"\w[\w.-]{0,127}"), "such as 1.29.1-distroless")

KEYS = "<keys>"
"""In a path, the keys of a map; `*` is each of its values, `[]` each item of a list."""

_GATEWAY = {
    f"annotations.{KEYS}": ANNOTATION,
    "source_ranges[]": NETWORK,
    "address": ADDRESS,
    f"node_ports.{KEYS}": PORT_NAME,
    "node_ports.*": ANY_PORT,
    "azure.dns_label": DNS_LABEL,
}

FORMATS: Mapping[str, Format] = {
    "mesh_version": VERSION,
    "mesh_revision": REVISION,
    "mesh_revision_tags[]": TAG,
    "mesh_namespace": NAMESPACE,
    "mesh_site": SITE,
    "mesh_hub": REGISTRY,
    "mesh_tag": IMAGE_TAG,
    **{f"mesh_ingress_{path}": one for path, one in _GATEWAY.items()},
    **{f"mesh_ingress[].{path}": one for path, one in _GATEWAY.items()},
    "mesh_ingress[].name": SERVICE,
    "mesh_ingress[].namespace": NAMESPACE,
    f"mesh_ingress[].labels.{KEYS}": LABEL,
    "mesh_ingress[].labels.*": LABEL_VALUE,
    "mesh_inject_namespaces[]": NAMESPACE,
    "mesh_uninject_namespaces[]": NAMESPACE,
    "mesh_restart_max_unavailable": POSITIVE,
    "mesh_applications[].name": APPLICATION,
    "mesh_applications[].namespace": NAMESPACE,
    "mesh_applications[].wait_for[].name": OBJECT,
    "mesh_applications[].wait_for[].namespace": NAMESPACE,
    "mesh_applications[].wait_timeout": POSITIVE,
    "mesh_applications[].wait_back_off": POSITIVE,
    "mesh_addons_host": HOST,
    "mesh_addons_secret": SECRET,
    "mesh_addons_expose[].host": HOST,
    "mesh_addons_gateway.port": PORT,
    "mesh_addons_gateway.secret": SECRET,
    f"mesh_addons_gateway.selector.{KEYS}": LABEL,
    "mesh_addons_gateway.selector.*": LABEL_VALUE,
    "mesh_addons_grafana_secret": SECRET,
    "mesh_addons_resources.*.*.*": QUANTITY,
    "mesh_addons_storage.*": QUANTITY,
    "mesh_addons_storage.*.size": QUANTITY,
    "mesh_addons_tracing_sampling": PERCENT,
    "mesh_dashboard_port": ANY_PORT,
    "mesh_image_pull_secrets[]": SECRET,
    "mesh_image_registry": REGISTRY,
    "mesh_release_timeout": POSITIVE,
    "mesh_uninstall_applications[]": APPLICATION,
    "mesh_wait_timeout": POSITIVE,
    "mesh_wait_back_off": POSITIVE,
    "canary_name": OBJECT,
    "canary_namespace": NAMESPACE,
    "canary_subset": SUBSET,
    "openshift_namespace": NAMESPACE,
    "openshift_projects[]": NAMESPACE,
    "openshift_scc_namespaces[]": NAMESPACE,
}
"""The formats by the paths of variables."""

_STEP = re.compile(r"[.\[]")
_PARTS = frozenset(path[: step.start()] for path in FORMATS for step in _STEP.finditer(path)) | FORMATS.keys()


def problems(name: str, value: Any) -> Iterator[str]:
    """Return an error for each invalid name, host, port and quantity in a variable."""
    return _problems(name, name, value, listed=False)


def _problems(path: str, where: str, value: Any, *, listed: bool) -> Iterator[str]:
    if path not in _PARTS:
        return
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _of(f"{path}.{KEYS}", f"a key of {where}", key, listed=False)
            known = f"{path}.{key}"
            yield from _problems(known if known in _PARTS else f"{path}.*", f"{where}.{key}", one, listed=False)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _problems(f"{path}[]", f"{where}[{number}]", one, listed=True)
    elif value is not None and value != "":
        yield from _of(path, where, value, listed=listed)


def _of(path: str, where: str, value: Any, *, listed: bool) -> Iterator[str]:
    form = FORMATS.get(path)
    if form is not None and not form.fits(str(value)):
        several = " Separate items by commas or lines." if listed and re.search(r"\s", str(value)) else ""
        yield f"{where} {str(value)!r} is not {form.noun}: {form.rule}.{several}"
