# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the addons of a release by name: the manifests in `samples/addons` and `samples/addons/extras`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ...kube.errors import InvalidInput
from ...kube.objects.objects import Key, Object, key_of, read_manifests
from ...kube.yaml.text_encoding import read_text
from ..control_plane.configuration import DEFAULT_NAMESPACE
from ..release.release import Release

ALL = "all"
"""Selects what `kubectl apply -f samples/addons` applies: all addons except the extras."""


NAMES = frozenset(
    {
        "grafana",
        "jaeger",
        "kiali",
        "loki",
        "prometheus",
        "prometheus-operator",
        "prometheus_vm",
        "prometheus_vm_tls",
        "skywalking",
        "zipkin",
    }
)
"""The addons of all releases: removing one needs no release at hand, and changes nothing where it has gone before."""


def chosen(release: Release, wanted: Iterable[str]) -> list[str]:
    """Return the selected addons without duplicates, in the given order. Raises InvalidInput for an unknown addon."""
    known = _files(release)
    usual = sorted(name for name, path in known.items() if path.parent == _folder(release))
    names = [name for one in wanted for name in (usual if one == ALL else [one])]
    for name in names:
        if name not in known:
            raise InvalidInput(
                f"Addon '{name}' not found in Istio {release.version}. Choose one of {', '.join(known) or '(none)'}.",
                code="unknown_addon",
                addon=name,
                addons=list(known),
            )
    return list(dict.fromkeys(names))


def refuse_unknown(names: Iterable[str], installed: Iterable[str], namespace: str) -> None:
    """Raise InvalidInput for an addon to remove that no release has, and that is not installed either."""
    there = sorted(set(installed))
    for name in names:
        if name not in (ALL, *NAMES, *there):
            raise InvalidInput(
                f"The addon '{name}' cannot be removed from {namespace}: no release of Istio has an addon of that name,"
                f" and of the addons {', '.join(there) or 'none'} is installed there. Correct the name, in the role"
                " mesh in mesh_uninstall_addons.",
                code="unknown_addon",
                addon=name,
                addons=there,
            )


def manifests(release: Release, names: Sequence[str], namespace: str) -> dict[str, list[Object]]:
    """Return the objects of addons, by addon, in the control plane's namespace.

    Raises InvalidInput if two addons contain the same object, as all tracing backends do.
    """
    known = _files(release)
    found = {name: _objects(known[name], namespace) for name in names}
    owners: dict[tuple[str, str, str, str], str] = {}
    for name, objects in found.items():
        for key in map(key_of, objects):
            other = owners.setdefault(key.identity, name)
            if other != name:
                raise _excluded(other, name, key)
    return found


def _excluded(one: str, other: str, key: Key) -> InvalidInput:
    return InvalidInput(
        f"The addons {one} and {other} conflict: both contain {key}. Choose one of them.",
        code="addons_exclude_each_other",
        addons=[one, other],
        object=key._asdict(),
    )


def _folder(release: Release) -> Path:
    return release.samples / "addons"


def _files(release: Release) -> dict[str, Path]:
    folder = _folder(release)
    paths = [*folder.glob("*.yaml"), *folder.glob("extras/*.yaml")]
    return {path.stem: path for path in sorted(paths, key=lambda path: path.stem)}


def _objects(path: Path, namespace: str) -> list[Object]:
    found = read_manifests(read_text(path), str(path))
    return found if namespace == DEFAULT_NAMESPACE else [_moved(obj, namespace) for obj in found]


def _moved(node: Any, namespace: str) -> Any:
    """Replace the namespace everywhere: subjects, host names and configuration name it too."""
    if isinstance(node, str):
        return node.replace(DEFAULT_NAMESPACE, namespace)
    if isinstance(node, dict):
        return {name: _moved(value, namespace) for name, value in node.items()}
    if isinstance(node, list):
        return [_moved(value, namespace) for value in node]
    return node
