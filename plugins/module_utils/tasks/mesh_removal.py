# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the removal of a mesh: the parts in the order in which they can go, the control plane last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..task import Definition
from . import addons, application, control_plane_removal, injection, restart
from .mesh_plan import CONTROL_PLANE, MeshPlan

PARTS = ("applications", "addons", "injection", "control_plane")
"""The parts, in the order in which they are removed."""


class MeshRemoval(MeshPlan):
    """The plan of a removal. A part that is kept is planned too, so that its objects are known."""

    def make(self) -> None:
        """Plan the parts. Raises MeshError for the first that cannot be removed."""
        for part in self._wanted(PARTS):
            getattr(self, f"_{part}")()

    def _applications(self) -> None:
        self.results["applications"] = []
        for unit in reversed(self._task.params["applications"]):
            options = {**self._task.params["application"], **unit}
            title = f"application {unit.get('name')}"
            self.results["applications"].append(self._gone("applications", application.DEFINITION, options, title))

    def _addons(self) -> None:
        self._gone("addons", addons.DEFINITION, self._task.params["addons"])

    def _injection(self) -> None:
        """Take the namespaces out of the mesh: without labels, every sidecar is outdated."""
        self._gone("injection", injection.DEFINITION, self._task.params["injection"])
        labelled = self.parts[-1].due
        options = {**self._task.params["restart"], "outdated": True}
        self._planned("injection", restart.DEFINITION, options, title="restart", digested=False, follows=True)
        if labelled:
            self._mark("injection")

    def _control_plane(self) -> None:
        options = {**self._task.params["control_plane"]}
        if not {"applications", "injection"} & {*self._task.params["parts"]}:
            # Nothing leaves the mesh before it.
            options.pop("assume_left", None)
        self._gone("control_plane", control_plane_removal.DEFINITION, options, CONTROL_PLANE)

    def _gone(self, name: str, definition: Definition, options: Mapping[str, Any], title: str = "") -> dict[str, Any]:
        kept = name in self._task.params["keep"]
        result = self._planned(name, definition, {**options, "state": "absent"}, title=title, listed=not kept)
        if kept:
            self._unmark(name)
        return result
