# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the namespaces and workloads of a mesh."""

from __future__ import annotations

from ..istio.injection.sidecars import read_state
from ..task import Definition, Result, Task


def read(task: Task) -> Result:
    """Return the namespaces, and the workloads with missing or outdated sidecars."""
    state = read_state(task.cluster, task.params["namespaces"])
    return {
        "changed": False,
        "namespaces": [namespace.as_dict() for namespace in state.namespaces],
        "workloads": [workload.as_dict() for workload in state.workloads],
        "unlabelled": [workload.as_dict() for workload in state.unlabelled],
    }


DEFINITION = Definition(
    {"namespaces": {"type": "list", "elements": "str"}},
    read,
)
