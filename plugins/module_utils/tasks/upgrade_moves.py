# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The moves of an upgrade: control planes, namespaces, gateways and tags, each by the task that manages them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..istio.control_plane import tag_objects
from ..istio.injection import namespaces as labelling
from ..istio.upgrade import record as records
from ..istio.upgrade.record import Plane, Record
from ..istio.upgrade.state import INJECTION
from ..progress_file import changes_line
from ..reconciliation import Reconciliation
from ..task import Definition, Result, Task
from . import control_plane, control_plane_removal, injection, restart, revision_tag
from .part import Part, Releases


class Moves:
    """Change the mesh as a step of an upgrade does, and collect the changes."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._releases: Releases = {}
        self.namespace: str = task.params["control_plane"].get("namespace") or "istio-system"
        self.changes: list[dict[str, str]] = []

    def remember(self, record: Record) -> None:
        """Write the record of the upgrade."""
        self._done("record", self._task.reconcile(Reconciliation(record.unit(self.namespace), records.LOCK)))

    def forget(self) -> None:
        """Delete the record of the upgrade."""
        self._done("record", self._task.reconcile(Reconciliation(records.removed(self.namespace), records.LOCK)))

    def refuse(self, plane: Plane) -> None:
        """Raise the error with which the installation of a new control plane would fail before its first write."""
        part = self._part("control_plane", control_plane.DEFINITION, self._options(plane), check_mode=True)
        part.reconcile(control_plane.present(part, gateways=False))

    def install(self, plane: Plane, *, gateways: bool, moves_from: str) -> None:
        """Install a control plane, with the gateways of the revision `moves_from` if it has `gateways`."""
        part = self._part("control_plane", control_plane.DEFINITION, self._options(plane))
        self._done(str(plane), part.reconcile(control_plane.present(part, gateways=gateways, moves_from=moves_from)))

    def remove(self, plane: Plane) -> None:
        """Remove a control plane. Raises Refused while proxies use it."""
        options = {**self._options(plane), "state": "absent"}
        part = self._part("control_plane", control_plane_removal.DEFINITION, options)
        self._done(str(plane), part.reconcile(control_plane_removal.absent(part)))

    def point(self, tag: str, plane: Plane) -> None:
        """Point a revision tag at a control plane."""
        shared = {
            name: value
            for name, value in self._options(plane).items()
            if name in revision_tag.DEFINITION.spec and name not in ("state", "revision", "plan_digest")
        }
        part = self._part(
            f"revision tag {tag}", revision_tag.DEFINITION, {**shared, "name": tag, "revision": plane.revision}
        )
        self._done(f"tag {tag}", revision_tag.DEFINITION.run(part))

    def label(self, names: Sequence[str], wanted: Mapping[str, str]) -> None:
        """Give namespaces these labels for injection, and no others for it."""
        every = {name: wanted.get(name) for name in INJECTION}
        part = self._part("injection", injection.DEFINITION, {"namespaces": list(names)})
        unit = labelling.unit(names, every, create=False, force=True)
        limit = self._task.cluster.patience
        self._done("labels", part.reconcile(Reconciliation(unit, labelling.LOCK, lock_from=2, timeout=limit)))

    def restart(self, names: Sequence[str]) -> None:
        """Restart the workloads of namespaces whose sidecars are of another revision, and wait for them."""
        part = self._part(
            "restart",
            restart.DEFINITION,
            {
                "namespaces": list(names),
                "max_unavailable": self._task.params["max_unavailable"],
                "wait_timeout": self._task.time_limit,
            },
        )
        self._done("restart", part.reconcile(restart.restart(part, missing=False)))

    def _options(self, plane: Plane) -> dict[str, Any]:
        """Return the options of the control plane, with this version and revision."""
        given = dict(self._task.params["control_plane"])
        if given.get("version") != plane.version:
            given.pop("checksum", None)
        for name in ("plan_digest", "state"):
            given.pop(name, None)
        revision = None if plane.revision == tag_objects.DEFAULT else plane.revision
        return {**given, "version": plane.version, "revision": revision, "namespace": self.namespace}

    def _part(
        self, title: str, definition: Definition, options: Mapping[str, Any], *, check_mode: bool = False
    ) -> Part:
        known = {name: value for name, value in options.items() if value is not None}
        return Part(
            self._task, title, definition, known, self._releases, check_mode=check_mode or self._task.check_mode
        )

    def _done(self, title: str, result: Result) -> None:
        self.changes += result["changes"]
        if result["changes"] and not self._task.check_mode:
            self._task.progress(changes_line(title, result["changes"]))
