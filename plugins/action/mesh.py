# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible_collections.meshops.istio.plugins.plugin_utils.mesh_action import MeshAction

TAGS: Mapping[str, str] = {
    "gateway_api": "gateway_api",
    "control_plane": "control_plane",
    "injection": "injection",
    "restart": "injection",
    "addons": "addons",
    "applications": "applications",
}
"""The tag of the role mesh with which each part is selected. Other parts are planned with all tags."""

RECORDED: Mapping[str, str] = {
    "addons": "addons",
    "applications": "applications",
    "namespaces": "injection",
    "revision_tags": "control_plane",
}
"""The tag with which each part of a mesh's record is selected."""


class ActionModule(MeshAction):
    """Resolve the paths of all parts on the controller, and leave out the parts that tags leave out."""

    files = ("overlays", "release_data", "src")
    folders = ("source",)

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module with the parts that the tags of this run select."""
        parts = self._task.args.get("parts")
        variables = task_vars or {}

        def selected(names: Iterable[Any], tags: Mapping[str, str]) -> list[Any]:
            return [name for name in names if name not in tags or self._selected(tags[name], variables)]

        if isinstance(parts, list):
            self._task.args["parts"] = selected(parts, TAGS)
        record = self._task.args.get("record")
        if isinstance(record, Mapping):
            self._task.args["record"] = {**record, "parts": selected(record.get("parts", RECORDED), RECORDED)}
        if not self._selected("injection", variables):
            self._task.args.pop("uninject_namespaces", None)
        return super().run(tmp, task_vars)

    def _resolved(self, option: str, value: Any) -> Any:
        if isinstance(value, Mapping) and option != "kubeconfig":
            return {name: super(ActionModule, self)._resolved(name, one) for name, one in value.items()}
        if option == "applications" and isinstance(value, list):
            return [self._resolved("application", one) for one in value]
        return super()._resolved(option, value)

    def _find_needle(self, dirname: str, needle: str) -> str:
        """Find a file where the tasks of the role applications, which apply the plan, find it: among its files first."""
        paths = self._task.get_search_path()
        if self._task._role is not None:
            paths = [os.path.join(os.path.dirname(self._task._role._role_path), "applications"), *paths]
        found = self._loader.path_dwim_relative_stack(paths, dirname, needle)
        if found is None:
            raise AnsibleError(f"Could not find {needle}.")
        return str(found)

    def _show_changes(self, host: str, changes: Any) -> None:
        """Show the changes, unless the module has reported those of each part as progress."""
        if self._task.check_mode or not self._local:
            super()._show_changes(host, changes)
