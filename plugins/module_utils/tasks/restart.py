# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restart workloads with missing or outdated sidecars."""

from __future__ import annotations

from pathlib import Path

from ..arguments import WAIT
from ..istio.injection import pods_without_controller
from ..istio.injection.restart import Restart
from ..istio.injection.sidecars import Workload
from ..kube.apply.lock import Lock
from ..kube.errors import InvalidInput, MeshError
from ..kube.plan.plan import Plan
from ..reconciliation import Reconciliation
from ..task import Definition, Result, Task


def restart(task: Task, *, missing: bool = True) -> Reconciliation:
    """Restart the workloads with missing or outdated sidecars; without `missing`, only the latter."""
    parameters = task.params
    if parameters["max_unavailable"] < 1:
        raise InvalidInput("max_unavailable has to be at least 1 (workload at a time).")
    named = parameters["namespaces"] or []
    lock = Lock.of("restart", namespace=named[0]) if len(named) == 1 else Lock.of("restart")
    work = Restart(
        namespaces=parameters["namespaces"],
        outdated=parameters["outdated"],
        max_unavailable=parameters["max_unavailable"],
        recreate_pods=parameters["recreate_pods"],
        wait=parameters["wait"],
        missing=missing,
    )
    saved: list[Path] = []

    def save(plan: Plan) -> None:
        path = pods_without_controller.save(plan, task.cluster)
        if path:
            saved.append(path)
            task.progress(f"saved the pods to recreate to {path}")

    def check(plan: Plan) -> None:
        work.refuse_forbidden(task.cluster, plan, lock, check=task.check_mode)

    def explain(error: MeshError) -> MeshError:
        if error.code != "not_recreated" or not saved:
            return error
        return MeshError(f"{error.message} Its manifest is in {saved[0]}.", code="pod_not_created", file=str(saved[0]))

    return Reconciliation(
        work.unit(),
        lock,
        checks=check,
        before=save,
        finish=lambda _plan: result_of(work, diff=task.shows_diff),
        explain=explain,
    )


def result_of(work: Restart, *, diff: bool) -> Result:
    """Return which workloads and pods were restarted, and which were not."""
    workloads, rolling_out, reported = work.due
    changes = [{"action": "restart", "api_version": "apps/v1", **_named(one)} for one in workloads]
    changes += [{"action": "recreate", "api_version": "v1", **_named(one)} for one in work.pods]
    result: Result = {
        "changes": changes,
        "restarted": [_named(one) for one in [*workloads, *work.pods]],
        "rolling_out": [{**_named(one), "progress": one.progress} for one in rolling_out],
        "reported": [{**_named(one), "reason": one.reason} for one in reported],
    }
    if diff:
        result["diff"] = [{"prepared": _text(one, "restart")} for one in workloads]
        result["diff"] += [{"prepared": _text(one, "recreate")} for one in work.pods]
    return result


def _named(workload: Workload) -> dict[str, str]:
    return {"kind": workload.kind, "namespace": workload.namespace, "name": workload.name}


def _text(workload: Workload, how: str) -> str:
    why = [
        f"{count} {what}" for count, what in ((workload.missing, "missing"), (workload.outdated, "outdated")) if count
    ]
    return f"~ {workload.kind} {workload.namespace}/{workload.name} ({how}): sidecars {' and '.join(why)}\n"


DEFINITION = Definition(
    {
        "namespaces": {"type": "list", "elements": "str"},
        "outdated": {"type": "bool", "default": False},
        "max_unavailable": {"type": "int", "default": 2},
        "plan_digest": {"type": "str"},
        "recreate_pods": {"type": "bool", "default": False},
        **WAIT,
    },
    restart,
)
