# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check if a cluster is compatible with an Istio release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..arguments import RELEASE, SUPPORT
from ..istio.inspection.analysis import refuse_blind_precheck
from ..istio.inspection.control_planes import describe
from ..istio.inspection.prechecks import read_messages
from ..istio.release.charts import chart_hub
from ..istio.release.istioctl import Istioctl
from ..istio.upgrade import checks
from ..istio.upgrade.facts import Facts
from ..istio.upgrade.record import Plane, Record
from ..istio.upgrade.state import Mesh
from ..kube.errors import ApiError
from ..kube.objects.kinds import DEPLOYMENT
from ..task import Definition, Result, Task
from ..verdict import VERDICT, verdict

if TYPE_CHECKING:
    from ..istio.release.support import Support
    from ..kube.api.cluster import Cluster


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
    messages += upgrade_messages(
        task.cluster, Plane(wanted["revision"] or "default", release.version), support, task.params["namespace"]
    )
    if task.params["ignore_version_check"]:
        messages = [_lenient(message) for message in messages]
    return verdict(task, messages, check=f"The precheck of Istio {release.version}", code="precheck_failed")


def upgrade_messages(cluster: Cluster, new: Plane, support: Support, namespace: str) -> list[dict[str, str]]:
    """Return messages about the upgrade of the installed revision, or of the only other one, to another version."""
    istiods = describe(cluster.list(DEPLOYMENT, namespace, label_selector="app=istiod"), (), (), ())["control_planes"]
    installed = {one["revision"]: Plane(one["revision"], one["version"]) for one in istiods}
    in_place = new.revision in installed
    old = installed.get(new.revision) or (next(iter(installed.values())) if len(installed) == 1 else None)
    if old is None or old.version in ("", new.version):
        return []
    try:
        facts = Facts.read(cluster, Mesh.read(cluster, namespace), Record(old, new), namespace)
    except ApiError as error:
        if error.status != 403:
            raise
        text = f"What the upgrade from {old} to {new} changes was not checked: {error.message}"
        return [{"code": "upgrade_unchecked", "level": "info", "origin": "the mesh", "message": text}]
    found = checks.of_mesh(facts, support, in_place=in_place, interrupt=True)
    return [
        {
            "code": one["code"],
            "level": one["level"],
            "origin": one["origin"],
            "message": f"{one['message']} {one['fix']}",
        }
        for one in found
    ]


def _lenient(message: dict[str, Any]) -> dict[str, Any]:
    ignored = message["code"] in ("unknown_release", "unsupported_kubernetes", "skipped_minors")
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
