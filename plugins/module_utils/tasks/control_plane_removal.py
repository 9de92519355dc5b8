# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remove a revision of the control plane, or all of Istio, after a backup of what would be lost."""

from __future__ import annotations

from pathlib import Path

from ..istio.control_plane import installed_objects, removal
from ..istio.model.ownership import LOCK
from ..kube.errors import MeshError
from ..kube.objects.objects import Object, key_of
from ..kube.plan.backup import (
    default_path,
    refuse_lost_folder,
    text_of,
    try_place,
    write,
)
from ..kube.plan.keep import Kept
from ..kube.plan.plan import Plan
from ..reconciliation import Reconciliation
from ..task import Definition, Result, Task
from .control_plane import SPEC, present

_OTHERS = "another control plane is there"


def absent(task: Task) -> Reconciliation:
    """Remove the revision, or all of Istio with purge."""
    revision, purge = task.params["revision"] or "", task.params["purge"]
    lost: list[Object] = []
    marked: list[Kept] = []
    backup = Path(task.params["backup"] or default_path(task.cluster.server))

    saved = False

    def check(plan: Plan) -> None:
        if not task.params["force"]:
            left = task.params["assume_left"] if task.check_mode else []
            removal.refuse_in_use(task.cluster, plan, revision=revision, purge=purge, left=left)
        lost[:] = removal.users_resources(task.cluster, plan)
        marked[:] = plan.kept
        if lost and not saved:
            refuse_lost_folder(task.params["backup"])
            try_place(backup, text_of(lost))

    def save(_plan: Plan) -> None:
        nonlocal saved
        if lost and not saved:
            write(backup, text_of(lost))
            saved = True
            task.progress(f"saved {len(lost)} Istio resources to {backup}")

    unit = removal.absent(
        revision=revision, namespace=task.params["namespace"], purge=purge, root_key=task.params["purge_root_key"]
    )
    agents = [] if purge else installed_objects.shared_agents(task.cluster, revision, task.params["namespace"])

    def explain(error: MeshError) -> MeshError:
        if saved:
            error.details["backup_file"] = str(backup)
        return error

    def finish(_plan: Plan) -> Result:
        return {
            "revision": revision or "default",
            "gateways": [],
            "kept": [one.summary for one in [*(Kept(key_of(one), _OTHERS) for one in agents), *marked]],
            "resources": [key_of(one)._asdict() for one in lost],
            "backup_file": str(backup) if saved else "",
        }

    return Reconciliation(unit, LOCK, checks=check, before=save, finish=finish, explain=explain)


def run(task: Task) -> Reconciliation:
    """Bring the unit into the state of the options."""
    return (present if task.params["state"] == "present" else absent)(task)


DEFINITION = Definition(
    {
        **SPEC,
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "purge": {"type": "bool", "default": False},
        "purge_root_key": {"type": "bool", "default": False},
        "backup": {"type": "path"},
        "assume_left": {"type": "list", "elements": "str", "default": []},
    },
    run,
    required_if=[("state", "present", ["version"])],
)
