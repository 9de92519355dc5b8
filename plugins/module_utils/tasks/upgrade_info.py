# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read where an upgrade stands."""

from __future__ import annotations

from ..istio.control_plane import installed_objects, tag_objects
from ..istio.model.gateway_workloads import is_gateway, name_of
from ..istio.model.labels import REVISION, labels_of
from ..istio.upgrade.state import Mesh, injection_labels, next_step, nothing_left, plain, remaining
from ..task import Definition, Result, Task


def read(task: Task) -> Result:
    """Return the control planes, what belongs to them, and what an upgrade has left to do."""
    namespace = task.params["namespace"]
    mesh = Mesh.read(task.cluster, namespace)
    record = mesh.record
    left = nothing_left()
    if record is not None:
        revision = "" if record.old.revision == tag_objects.DEFAULT else record.old.revision
        left = remaining(mesh, record, installed_objects.of_revision(task.cluster, revision, namespace))
    injected = {name: mesh.injectors.of_namespace(one) for name, one in sorted(mesh.namespaces.items())}
    return {
        "changed": False,
        "upgrade": plain(record) if record else {},
        "next": next_step(left),
        "remaining": left,
        "control_planes": [
            {key: one[key] for key in ("revision", "version", "namespace", "healthy", "tags")} for one in mesh.planes
        ],
        "namespaces": [
            {
                "name": name,
                "revision": injector or "",
                "labels": injection_labels(mesh.namespaces[name]),
                "proxies": mesh.proxies(name),
            }
            for name, injector in injected.items()
            if injector or mesh.proxies(name)
        ],
        "gateways": [
            {"namespace": name_of(one)[0], "name": name_of(one)[1], "revision": labels_of(one).get(REVISION, "")}
            for one in sorted(filter(is_gateway, mesh.gateways), key=name_of)
        ],
    }


DEFINITION = Definition({"namespace": {"type": "str", "default": "istio-system"}}, read)
