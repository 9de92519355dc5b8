# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record what the variables of a mesh declare, and return what they no longer declare."""

from __future__ import annotations

from typing import Any

from ..arguments import ArgumentSpec
from ..istio.inspection.left_over import search
from ..istio.model.record import PARTS, Record
from ..kube.apply.lock import Lock
from ..reconciliation import Reconciliation
from ..task import Definition, Task


def record(task: Task) -> Reconciliation:
    """Record what is declared."""
    parameters = task.params
    revision = parameters["revision"] or ""
    place = Record(parameters["namespace"], "" if revision == "default" else revision, parameters["site"] or "")
    declared = {part: parameters[part] for part in PARTS}
    declared["applications"] = [f"{one['namespace']}/{one['name']}" for one in parameters["applications"]]
    found = search(task.cluster, place, declared, parameters["parts"])
    more = {"left_over": [one.as_dict() for one in found.found], "parts": list(parameters["parts"])}
    # A single ConfigMap is one request, which needs no lock.
    return Reconciliation(
        place.unit(found.recorded, found.live),
        Lock.of("mesh_record", namespace=place.namespace),
        lock_from=2,
        timeout=task.cluster.patience,
        finish=lambda _plan: more,
    )


_NAMES: dict[str, Any] = {"type": "list", "elements": "str", "default": []}
_APPLICATION: ArgumentSpec = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "default": "default"},
}

DEFINITION = Definition(
    {
        "namespace": {"type": "str", "default": "istio-system"},
        "revision": {"type": "str"},
        "site": {"type": "str"},
        **dict.fromkeys(PARTS, _NAMES),
        "applications": {"type": "list", "elements": "dict", "options": _APPLICATION, "default": []},
        "parts": {"type": "list", "elements": "str", "choices": list(PARTS), "default": list(PARTS)},
    },
    record,
)
