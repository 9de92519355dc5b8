# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.meshops.istio.plugins.plugin_utils.mesh_action import MeshAction


class ActionModule(MeshAction):
    """Resolve the paths of the control plane."""

    files = ("overlays", "release_data")
    folders = ("source",)
    nested = ("control_plane",)
