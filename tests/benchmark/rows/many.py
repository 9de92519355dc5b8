# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many objects at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.wait import wait_gone

from ..results import Result, compared, in_turn
from ..stage import Stage

_NAMESPACE = Kind("v1", "Namespace")


def objects(stage: Stage) -> list[Result]:
    """ConfigMaps and Services in many namespaces: applied, and applied again."""
    namespaces = 10 if stage.short else 100
    mine, others = (_manifest(stage, owner, namespaces) for owner in ("ours", "kubectl"))
    application = {"name": "many", "src": [str(mine)]}
    cold: dict[str, list[float]] = {"ours": [], "kubectl": []}
    stage.warm_up("application", application)

    def ours() -> float:
        cold["ours"].append(stage.module("application", application, changes=True).seconds)
        return stage.module("application", application, changes=False).seconds

    def theirs() -> float:
        cold["kubectl"].append(stage.kubectl_apply(others))
        return stage.kubectl_apply(others)

    again = in_turn(
        1 if stage.short else 5,
        lambda: _gone_after(stage, "ours", namespaces, ours),
        lambda: _gone_after(stage, "kubectl", namespaces, theirs),
    )
    name = f"{namespaces * 20:,} objects in {namespaces} namespaces"
    peer = "kubectl apply --server-side"
    return [
        compared(f"{name}: apply", cold["ours"], cold["kubectl"], peer=peer, goal=0.5),
        compared(f"{name}: again", *again, peer=peer, goal=0.1),
    ]


def _manifest(stage: Stage, owner: str, namespaces: int) -> Path:
    path = stage.folder / f"many-{owner}.yaml"
    found = [obj for number in range(namespaces) for obj in _objects(_name(owner, number))]
    # Namespaces first, as kubectl goes from top to bottom.
    found.sort(key=lambda obj: obj["kind"] != "Namespace")
    path.write_text(yaml.dump_all(found, Dumper=yaml.CSafeDumper), encoding="utf-8")
    return path


def _objects(namespace: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}]
    for number in range(10):
        metadata = {"name": f"many-{number}", "namespace": namespace}
        ports = [{"name": "http", "port": 80, "targetPort": 8080}]
        spec = {"selector": {"app": f"many-{number}"}, "ports": ports}
        found.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"number": str(number)}})
        found.append({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
    return found


def _gone_after(stage: Stage, owner: str, namespaces: int, measure: Callable[[], float]) -> float:
    try:
        return measure()
    finally:
        names = [_name(owner, number) for number in range(namespaces)]
        stage.cluster.parallel(lambda name: stage.cluster.delete(_NAMESPACE, name), names)
        keys = [Key("v1", "Namespace", "", name) for name in names]
        wait_gone(stage.cluster, keys, timeout=600, progress=silent)


def _name(owner: str, number: int) -> str:
    return f"many-{owner}-{number}"
