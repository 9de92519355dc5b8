# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.meshops.istio.plugins.plugin_utils.console import show
from ansible_collections.meshops.istio.plugins.plugin_utils.report.lines import summary
from ansible_collections.meshops.istio.plugins.plugin_utils.report.machine import as_json, as_junit
from ansible_collections.meshops.istio.plugins.plugin_utils.report.page import as_markdown
from ansible_collections.meshops.istio.plugins.plugin_utils.report.results import readable_results
from ansible_collections.meshops.istio.plugins.plugin_utils.report.status import Result, overall

FORMS: Mapping[str, Callable[[Mapping[str, Result]], str]] = {
    "json": as_json,
    "junit": as_junit,
    "markdown": as_markdown,
}


class ActionModule(ActionBase):
    """Print the table, set the artifact and write the reports. ansible.builtin.debug would print a quoted list."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Print the table and write the reports."""
        super().run(tmp, task_vars)
        _validated, given = self.validate_argument_spec(
            {
                "results": {"type": "dict", "required": True},
                "show": {"type": "bool", "default": True},
                "changes": {"type": "int", "default": 10},
                **{form: {"type": "path"} for form in FORMS},
            }
        )
        results = readable_results(given["results"])
        if given["show"]:
            show("\n".join(summary(results, given["changes"])))
        for form, text in FORMS.items():
            if given[form]:
                try:
                    _write(given[form], text(results))
                except OSError as error:
                    return {
                        "failed": True,
                        "msg": f"Cannot write the report {given[form]}: {error.strerror}. Choose another path.",
                        "code": "system",
                    }
        # As set_stats does: AWX passes these on as artifacts, to the next job of a workflow too.
        statistics = {"data": {"mesh_result": dict(results)}, "per_host": False, "aggregate": True}
        return {"changed": False, "status": overall(results.values()), "ansible_stats": statistics}


def _write(path: str, text: str) -> None:
    place = os.path.abspath(path)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "w", encoding="utf-8") as file:
        file.write(text)
