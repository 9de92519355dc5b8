# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check a mesh before its upgrade."""

from __future__ import annotations

from typing import Any

from ..istio.control_plane import tag_objects
from ..istio.release.releases import read_release_data
from ..istio.release.support import Support
from ..istio.upgrade.checks import Finding, findings
from ..istio.upgrade.facts import Facts
from ..istio.upgrade.record import Plane, Record
from ..istio.upgrade.state import Mesh, choose, plain
from ..kube.errors import InvalidInput, Refused
from ..task import Definition, Result, Task


def wanted_plane(parameters: dict[str, Any], *, in_place: bool = False) -> Plane:
    """Return the control plane of the options. Raises InvalidInput for one without a version."""
    options = parameters["control_plane"]
    version = str(options.get("version") or "")
    if not version:
        raise InvalidInput("The upgrade has no version. Set control_plane.version to an exact Istio version.")
    unnamed = tag_objects.DEFAULT if in_place else version.replace(".", "-")
    return Plane(str(options.get("revision") or "") or unnamed, version)


def checked(task: Task, mesh: Mesh, record: Record, *, in_place: bool = False) -> list[Finding]:
    """Return the findings about an upgrade, by the options of its control plane."""
    options = task.params["control_plane"]
    support = Support(
        read_release_data(options.get("release_data") or []),
        str(options.get("security") or "warn"),
        int(options.get("end_of_life_days") or 0),
    )
    facts = Facts.read(task.cluster, mesh, record, namespace_of(task))
    version = task.cluster.version()
    return findings(facts, support, version, in_place=in_place, interrupt=task.params["interrupt"])


def namespace_of(task: Task) -> str:
    """Return the namespace of the control planes."""
    return str(task.params["control_plane"].get("namespace") or "istio-system")


def check(task: Task) -> Result:
    """Return the findings about an upgrade."""
    in_place = task.params["in_place"]
    wanted = wanted_plane(task.params, in_place=in_place)
    mesh = Mesh.read(task.cluster, namespace_of(task))
    if in_place:
        plane = mesh.plane(wanted.revision)
        if plane is None:
            raise Refused(
                f"Cannot upgrade revision {wanted.revision} in place: not found in the cluster. Set the revision of an"
                " installed control plane.",
                code="nothing_to_upgrade",
            )
        record: Record | None = Record(Plane(wanted.revision, plane["version"]), wanted)
    else:
        old, downgrade = task.params["from_revision"] or "", task.params["allow_downgrade"]
        record = choose(mesh, wanted, old, downgrade=downgrade)
    found = checked(task, mesh, record, in_place=in_place) if record else []
    return {"changed": False, "upgrade": plain(record) if record else {}, "findings": found}


DEFINITION = Definition(
    {
        "control_plane": {"type": "dict", "required": True},
        "in_place": {"type": "bool", "default": False},
        "from_revision": {"type": "str"},
        "allow_downgrade": {"type": "bool", "default": False},
        "interrupt": {"type": "bool", "default": False},
    },
    check,
    nested=("control_plane",),
)
