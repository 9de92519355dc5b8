# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from typing import Any

from ansible_collections.meshops.istio.plugins.plugin_utils.mesh_action import MeshAction


class ActionModule(MeshAction):
    """Keep the tunnel open until the Ansible run ends, which is the parent of each task's process."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Pass the process ID of the run to the module."""
        if self._task.args.get("tunnel") and self._local:
            self._task.args.setdefault("tunnel_owner", os.getppid())
        return super().run(tmp, task_vars)
