# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Edit the parts of an addon's manifests: its workload, containers and configuration files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...kube.errors import InvalidInput
from ...kube.objects.objects import Object
from ...kube.yaml.reader import read_yaml
from ...kube.yaml.writer import write_yaml

WORKLOADS = ("Deployment", "StatefulSet")
CONFIG_ANNOTATION = "meshops.istio/config"
"""Annotation of pods with a changed configuration: a digest, so that another configuration restarts them."""


def workload(addon: str, objects: Iterable[Object]) -> Object:
    """Return the addon's Deployment or StatefulSet. Raises InvalidInput if it has none."""
    found = [obj for obj in objects if obj["kind"] in WORKLOADS]
    if not found:
        raise InvalidInput(
            f"Cannot change settings of the addon {addon}: it has no Deployment or StatefulSet. Remove its settings.",
            addon=addon,
        )
    return found[0]


def pod(addon: str, objects: Iterable[Object]) -> Object:
    """Return the pod template of the addon's workload."""
    template: Object = workload(addon, objects)["spec"]["template"]
    return template


def container(addon: str, objects: Iterable[Object]) -> Object:
    """Return the addon's main container: the one of its name, else the last."""
    containers: list[Object] = pod(addon, objects)["spec"]["containers"]
    return next((one for one in containers if one["name"] == addon), containers[-1])


def set_variables(target: Object, variables: Mapping[str, Any]) -> None:
    """Set environment variables of a container; a value that is a map becomes `valueFrom`."""
    others = [one for one in target.get("env") or () if one["name"] not in variables]
    new = [
        {"name": name, "valueFrom": value} if isinstance(value, Mapping) else {"name": name, "value": str(value)}
        for name, value in variables.items()
    ]
    target["env"] = [*others, *new]


def set_argument(target: Object, name: str, value: str) -> None:
    """Set the argument `name=value` of a container, replacing an existing one in place."""
    arguments = [str(one) for one in target.get("args") or ()]
    where = next((index for index, one in enumerate(arguments) if one.startswith(f"{name}=")), len(arguments))
    target["args"] = [*arguments[:where], f"{name}={value}", *arguments[where + 1 :]]


def config_of(addon: str, objects: Iterable[Object], key: str) -> Object:
    """Parse the YAML under `key` of the addon's ConfigMap; empty if the release has none."""
    for obj in objects:
        if obj["kind"] == "ConfigMap" and key in (obj.get("data") or {}):
            found = read_yaml(obj["data"][key], f"{key} of {addon}")
            return dict(found[0]) if found and isinstance(found[0], Mapping) else {}
    return {}


def edit_config(addon: str, objects: Iterable[Object], key: str, edit: Callable[[Object], None]) -> None:
    """Change the YAML under `key` of the addon's ConfigMap, so that its pods restart with it."""
    listed = list(objects)
    config = next((obj for obj in listed if obj["kind"] == "ConfigMap" and key in (obj.get("data") or {})), None)
    if config is None:
        raise InvalidInput(
            f"Cannot configure the addon {addon}: {key} not found in the ConfigMaps of this release. Remove the setting,"
            " or use another release.",
            addon=addon,
        )
    document = read_yaml(config["data"][key], f"{key} of {addon}")[0]
    edit(document)
    config["data"][key] = write_yaml([document], explicit_start=False)
    metadata = pod(addon, listed).setdefault("metadata", {})
    digest = hashlib.sha256("\n".join(map(str, sorted(config["data"].items()))).encode()).hexdigest()
    metadata["annotations"] = {**(metadata.get("annotations") or {}), CONFIG_ANNOTATION: digest}
