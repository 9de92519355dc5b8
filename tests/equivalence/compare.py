# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tells the objects of one cluster from those of another."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key

Object = dict[str, Any]

_VOLATILE = {"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"}
# Counted by the controllers of Deployments and DaemonSets.
_COUNTED = {"deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation"}
_ALLOCATED = ("clusterIP", "clusterIPs", "healthCheckNodePort")


@dataclass(frozen=True)
class Difference:
    """One value that differs, at `path` in the object `key`; an empty path is the object itself.

    Absent is None on the side that lacks it; Kubernetes keeps no nulls.
    """

    key: Key
    path: tuple[str | int, ...]
    theirs: Any
    ours: Any


def normalised(obj: Mapping[str, Any]) -> Object:
    """An object without status, versions, times, owners of fields, and what the server or controllers choose."""
    metadata = {name: value for name, value in obj["metadata"].items() if name not in _VOLATILE}
    annotations = {
        name: text for name, text in (metadata.pop("annotations", None) or {}).items() if name not in _COUNTED
    }
    if annotations:
        metadata["annotations"] = annotations
    result = {**{name: value for name, value in obj.items() if name != "status"}, "metadata": metadata}
    if obj["kind"] == "Service":
        result["spec"] = _without_allocated(obj)
    return result


def differences(theirs: Mapping[Key, Object], ours: Mapping[Key, Object]) -> list[Difference]:
    """All that differs between two sets of normalised objects, by key and path."""
    found: list[Difference] = []
    for key in sorted({*theirs, *ours}):
        if key in theirs and key in ours:
            found += (Difference(key, path, old, new) for path, old, new in _walk(theirs[key], ours[key], ()))
        else:
            found.append(Difference(key, (), theirs.get(key), ours.get(key)))
    return found


def text_of(found: Difference) -> str:
    """A difference for people: one line for a whole object, else a unified diff of the value."""
    if not found.path:
        return f"{found.key}: {'only ours' if found.theirs is None else 'only with istioctl'}"
    where = ".".join(str(step) for step in found.path)
    lines = difflib.unified_diff(_lines(found.theirs), _lines(found.ours), "istioctl", "ours", lineterm="", n=1)
    return "\n".join([f"{found.key}: {where}", *lines])


def _walk(theirs: Any, ours: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any, Any]]:
    if isinstance(theirs, Mapping) and isinstance(ours, Mapping):
        for name in sorted({*theirs, *ours}):
            yield from _walk(theirs.get(name), ours.get(name), (*path, name))
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for index, (old, new) in enumerate(zip(theirs, ours, strict=True)):
            yield from _walk(old, new, (*path, index))
    elif type(theirs) is not type(ours) or theirs != ours:
        yield path, theirs, ours


def _lines(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        return value.splitlines()
    return yaml.safe_dump(value, sort_keys=True, width=1000).removesuffix("...\n").splitlines()


def _without_allocated(service: Mapping[str, Any]) -> Object:
    """A Service's spec without the addresses and ports that nobody asked for, by the word of its managedFields."""
    fields = [
        (entry.get("fieldsV1") or {}).get("f:spec", {}) for entry in service["metadata"].get("managedFields") or ()
    ]
    owned = {name for entry in fields for name in entry}
    spec = {name: value for name, value in service["spec"].items() if name not in _ALLOCATED or f"f:{name}" in owned}
    if ports := spec.get("ports"):
        spec["ports"] = [_without_node_port(port, [entry.get("f:ports", {}) for entry in fields]) for port in ports]
    return spec


def _without_node_port(port: Mapping[str, Any], fields: list[Mapping[str, Any]]) -> Object:
    item = f'k:{{"port":{port["port"]},"protocol":"{port.get("protocol", "TCP")}"}}'
    asked_for = any("f:nodePort" in entry.get(item, {}) for entry in fields)
    return {name: value for name, value in port.items() if name != "nodePort" or asked_for}
