# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan all parts of a mesh, apply or remove those that are due, and read the state of the mesh, over one connection."""

from __future__ import annotations

from ..istio.model.record import PARTS as RECORDED
from ..kube.api.identity import Identity
from ..kube.errors import MeshError
from ..progress_file import changes_line
from ..task import Definition, Result, Task
from . import mesh_info
from .mesh_plan import PARTS, MeshPlan
from .mesh_removal import MeshRemoval


def reconcile(task: Task) -> Result:
    """Install, update or remove the mesh; in check mode, only plan that."""
    identity, failure = Identity.of(task.cluster), ""
    plan = (MeshPlan if task.params["state"] == "present" else MeshRemoval)(task)
    try:
        plan.make()
    except MeshError as error:
        if not task.params["allow_failure"]:
            raise
        failure = error.message
    changes, diff = plan.changes, plan.diff
    if plan.due and not failure and not task.check_mode:
        from .mesh_installation import Installation

        if changes:
            task.progress(changes_line("plan", changes, planned=True))
        installation = Installation(task, plan)
        installation.run()
        changes, diff = installation.changes, installation.diff
    result: Result = {
        "changed": bool(changes),
        "cluster": identity._asdict(),
        "parts": plan.results,
        "changes": changes,
        "plan_digest": plan.digest,
        "due": plan.due,
        "left_over": plan.left_over,
        "failure": failure,
        "state": mesh_info.state(task, wait=task.params["ingress_wait"], wait_timeout=task.params["wait_timeout"]),
    }
    return {**result, "diff": diff} if task.shows_diff else result


DEFINITION = Definition(
    {
        **mesh_info.SPEC,
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "parts": {"type": "list", "elements": "str", "choices": list(PARTS), "default": list(PARTS)},
        "release": {"type": "dict", "default": {}},
        "precheck": {"type": "dict", "default": {}},
        "gateway_api": {"type": "dict", "default": {}},
        "control_plane": {"type": "dict", "default": {}},
        "revision_tags": {"type": "list", "elements": "str", "default": []},
        "record": {"type": "dict", "default": {}},
        "injection": {"type": "dict", "default": {}},
        "restart": {"type": "dict", "default": {}},
        "addons": {"type": "dict", "default": {}},
        "application": {"type": "dict", "default": {}},
        "applications": {"type": "list", "elements": "dict", "default": []},
        "prune": {"type": "list", "elements": "str", "choices": list(RECORDED), "default": []},
        "uninject_namespaces": {"type": "list", "elements": "str", "default": []},
        "keep": {"type": "list", "elements": "str", "choices": list(PARTS), "default": []},
        "plan_digest": {"type": "str"},
        "allow_failure": {"type": "bool", "default": False},
        "ingress_wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 300},
    },
    reconcile,
    nested=(
        "release",
        "precheck",
        "gateway_api",
        "control_plane",
        "injection",
        "restart",
        "addons",
        "application",
        "applications",
    ),
)
