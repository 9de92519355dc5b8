# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Return variables without logging them. Template errors are still shown, unlike with no_log."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the converted variables."""
        super().run(tmp, task_vars)
        _validated, given = self.validate_argument_spec({"conformed": {"type": "dict", "required": True}})
        read = given["conformed"]
        return {"changed": False, "settings": read["settings"], "errors": read["errors"], "_ansible_no_log": True}
