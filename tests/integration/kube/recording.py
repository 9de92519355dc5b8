# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records how an API server returns the unit tests' objects: `KUBECONFIG=… python tests/integration/kube/recording.py`.

To be run again when objects.yaml changes, or to see what a newer Kubernetes does.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.reconcile import reconcile
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.settings import Settings
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of, read_manifests
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent

DATA = Path(__file__).parents[2] / "unit" / "kube" / "objects" / "data"
MANAGER = "meshops.istio/recorded"

_VOLATILE = ("uid", "resourceVersion", "creationTimestamp", "generation")


def objects() -> list[dict[str, Any]]:
    """The unit tests' objects, as they are written."""
    file = DATA / "objects.yaml"
    return read_manifests(file.read_text(), file.name)


def record(cluster: Cluster) -> list[dict[str, Any]]:
    """The objects as the server returns them, once they are applied; leaves nothing behind."""
    desired = objects()
    try:
        _reconcile(cluster, Unit(MANAGER, desired))
        keys = [key_of(obj) for obj in desired]
        return [_lasting(cluster.get(key.of, key.name, key.namespace) or {}) for key in keys]
    finally:
        _reconcile(cluster, Unit(MANAGER, [], stale=lambda _cluster: _live(cluster, desired)))


def _reconcile(cluster: Cluster, unit: Unit) -> None:
    reconcile(cluster, unit, Settings(check=False, diff=False, wait=not unit.objects, timeout=60, progress=silent))


def _live(cluster: Cluster, desired: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = (cluster.get(key.of, key.name, key.namespace) for key in map(key_of, desired))
    return [obj for obj in found if obj is not None]


def _lasting(obj: dict[str, Any]) -> dict[str, Any]:
    metadata = {name: value for name, value in obj["metadata"].items() if name not in _VOLATILE}
    metadata["managedFields"] = [
        {name: value for name, value in entry.items() if name != "time"}
        for entry in metadata["managedFields"]
        if not entry.get("subresource")
    ]
    return {**{name: value for name, value in obj.items() if name != "status"}, "metadata": metadata}


def main() -> None:
    """Write what an API server returns to the unit tests' data, one object to a line."""
    recorded = record(Cluster.connect({}, user_agent="meshops.istio/recording"))
    lines = ",\n".join(json.dumps(obj, sort_keys=True, separators=(",", ":")) for obj in recorded)
    (DATA / "recorded.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
