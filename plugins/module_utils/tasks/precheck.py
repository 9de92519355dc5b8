# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check if a cluster is compatible with an Istio release."""

from __future__ import annotations

from typing import Any

from ..arguments import RELEASE, SUPPORT
from ..istio.inspection.analysis import refuse_blind_precheck
from ..istio.inspection.prechecks import read_messages
from ..istio.release.charts import chart_hub
from ..istio.release.istioctl import Istioctl
from ..task import Definition, Result, Task
from ..verdict import VERDICT, verdict


def check(task: Task) -> Result:
    """Run the prechecks and return their messages."""
    release, _fetched = task.release()
    wanted = {"namespace": task.params["namespace"], "revision": task.params["revision"] or ""}
    task.cluster.version()  # fails for an unreachable cluster with a better message than istioctl's
    refuse_blind_precheck(task.cluster)
    support = task.support()
    hub = task.params["hub"] or chart_hub(release)
    images = [f"{hub}/pilot:{release.version}"] if hub else []
    found = Istioctl(release, task.cluster).precheck(**wanted)
    messages = [*read_messages(task.cluster, release, **wanted, support=support, images=images), *found]
    if task.params["ignore_version_check"]:
        messages = [_lenient(message) for message in messages]
    return verdict(task, messages, check=f"The precheck of Istio {release.version}", code="precheck_failed")


def _lenient(message: dict[str, Any]) -> dict[str, Any]:
    ignored = message["code"] in ("unknown_release", "unsupported_kubernetes")
    return {**message, "level": "warning"} if ignored else message


DEFINITION = Definition(
    {
        "version": {"type": "str", "required": True},
        "namespace": {"type": "str", "default": "istio-system"},
        "revision": {"type": "str"},
        "ignore_version_check": {"type": "bool", "default": False},
        "hub": {"type": "str"},
        **VERDICT,
        **RELEASE,
        **SUPPORT,
    },
    check,
)
