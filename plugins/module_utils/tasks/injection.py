# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Label namespaces for injection."""

from __future__ import annotations

from ..istio.injection.namespaces import (
    LOCK,
    MODES,
    unit,
    wanted_labels,
)
from ..kube.objects.objects import Object
from ..kube.plan.resources import resources
from ..reconciliation import Reconciliation
from ..task import Definition, Task


def label(task: Task) -> Reconciliation:
    """Label the namespaces."""
    parameters = task.params
    wanted = wanted_labels(parameters["mode"], parameters["revision"] or "", present=parameters["state"] == "present")
    read: dict[str, Object] = {}
    namespaces = unit(
        parameters["namespaces"], wanted, create=parameters["create_namespaces"], force=parameters["force"], read=read
    )
    # A single label is one request, which needs no lock.
    return Reconciliation(
        namespaces,
        LOCK,
        lock_from=2,
        timeout=task.cluster.patience,
        finish=lambda plan: {"resources": resources(plan, read.values())},
    )


DEFINITION = Definition(
    {
        "namespaces": {"type": "list", "elements": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "mode": {"type": "str", "choices": list(MODES), "default": "enabled"},
        "revision": {"type": "str"},
        "create_namespaces": {"type": "bool", "default": False},
        "force": {"type": "bool", "default": False},
        "plan_digest": {"type": "str"},
    },
    label,
    required_if=[("mode", "revision", ["revision"])],
)
