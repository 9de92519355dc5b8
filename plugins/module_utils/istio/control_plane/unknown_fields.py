# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find fields of a configuration that the release does not know, and that istioctl accepts without an error.

These are the fields of meshConfig, which istiod ignores, and the values of ztunnel, which its chart does not use. istioctl
itself rejects all other unknown fields.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ...kube.errors import InvalidInput
from ...kube.yaml.reader import read_yaml
from ...kube.yaml.text_encoding import read_text
from ..release.message_types import Message, message_types
from ..release.release import Release
from .operator_merge import get_path

_FILES = (
    "mesh/v1alpha1/config.proto",
    "mesh/v1alpha1/network.proto",
    "mesh/v1alpha1/proxy.proto",
    "networking/v1alpha3/destination_rule.proto",
    "networking/v1alpha3/virtual_service.proto",
    "networking/v1beta1/proxy_config.proto",
    "type/v1beta1/selector.proto",
)
_MESH_CONFIG = "istio.mesh.v1alpha1.MeshConfig"
_PATHS = ("spec.meshConfig", "spec.values.meshConfig")
_CHART_DEFAULTS = "_internal_defaults_do_not_edit"
_VALUE = re.compile(r"\.Values\.(\w+)")


class Unknown(NamedTuple):
    """A field that the release does not know, and the known one that it probably means, if any."""

    path: str
    meant: str


def unknown_fields(release: Release, configuration: Mapping[str, Any]) -> list[Unknown]:
    """Return the unknown fields of an IstioOperator that istioctl accepts; none if the release's fields are not known."""
    found: list[Unknown] = []
    meshes = [(path, get_path(configuration, path)) for path in _PATHS]
    if any(isinstance(mesh, Mapping) and mesh for _path, mesh in meshes):
        types = message_types(release.istioctl, _FILES)
        for path, mesh in meshes:
            found += _in_message(mesh, _MESH_CONFIG, types, path.removeprefix("spec."))
    ztunnel = get_path(configuration, "spec.values.ztunnel")
    if isinstance(ztunnel, Mapping) and (known := _chart_values(release, "ztunnel")):
        found += _in(ztunnel, known, "values.ztunnel")
    return found


def warnings(unknown: Iterable[Unknown], release: str) -> list[str]:
    """Return a sentence for each unknown field."""
    return [
        f"{one.path} is unknown in Istio {release} and has no effect."
        + (f" Did you mean {one.meant}?" if one.meant else " Remove it.")
        for one in unknown
    ]


def refuse_unknown(unknown: list[Unknown], release: str) -> None:
    """Raise InvalidInput for unknown fields."""
    if unknown:
        sentences = " ".join(warnings(unknown, release))
        raise InvalidInput(sentences, code="unknown_fields", fields=[one.path for one in unknown])


def _in_message(value: Any, kind: str, types: Mapping[str, Message], path: str) -> Iterator[Unknown]:
    message = types.get(kind)
    if message is None:
        return  # a scalar, or a type of another project, such as a Duration
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _in_message(item, kind, types, f"{path}[{index}]")
    elif not isinstance(value, Mapping):
        return
    elif message.is_map:
        for key, item in value.items():
            yield from _in_message(item, message.fields.get("value", ""), types, f"{path}.{key}")
    else:
        yield from _in(value, message.fields, path)
        for key, item in value.items():
            yield from _in_message(item, message.fields.get(str(key), ""), types, f"{path}.{key}")


def _in(given: Mapping[str, Any], known: Iterable[str], path: str) -> Iterator[Unknown]:
    names = {name.lower(): name for name in sorted(known, key=lambda name: "_" not in name)}
    for key in map(str, given):
        if key not in names.values() and key not in known:
            near = difflib.get_close_matches(key.lower(), names, n=1, cutoff=0.7)
            yield Unknown(f"{path}.{key}", names[near[0]] if near else "")


def _chart_values(release: Release, chart: str) -> set[str]:
    """Return the names of the values that a chart has defaults for or uses; empty if they cannot be told."""
    folder = release.manifests / "charts" / chart
    defaults = folder / "values.yaml"
    if not defaults.is_file():
        return set()
    names = {"compatibilityVersion", "global", "platform", "profile"}
    for document in read_yaml(read_text(defaults), str(defaults)):
        values = document if isinstance(document, Mapping) else {}
        inner = values.get(_CHART_DEFAULTS)
        names.update(map(str, values), map(str, inner if isinstance(inner, Mapping) else ()))
    for path in (folder / "templates").glob("*"):
        if path.is_file():
            names.update(_VALUE.findall(read_text(path)))
    return names
