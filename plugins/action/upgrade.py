# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.meshops.istio.plugins.plugin_utils.mesh_action import MeshAction


class ActionModule(MeshAction):
    """Show progress, resolve the paths of the control plane, and leave out the steps that tags leave out."""

    files = ("overlays", "release_data")
    folders = ("source",)
    nested = ("control_plane",)

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module with the steps that the tags of this run select."""
        steps = self._task.args.get("steps")
        if isinstance(steps, list):
            self._task.args["steps"] = [step for step in steps if self._selected(str(step), task_vars or {})]
        result: dict[str, Any] = super().run(tmp, task_vars)
        return result

    def _show_changes(self, host: str, changes: Any) -> None:
        """Show the changes, unless the module has reported those of each move as progress."""
        if self._task.check_mode or not self._local:
            super()._show_changes(host, changes)
