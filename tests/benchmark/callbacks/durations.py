# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes how long each task took, from when it is started until its result is there, as a line of JSON."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: durations
type: aggregate
short_description: How long each task took
description:
  - Appends a line of JSON for each task to the file that the environment variable BENCHMARK_DURATIONS names.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "durations"

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._started = time.monotonic()

    def v2_runner_on_ok(self, result: Any) -> None:
        self._write(result, failed=False)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._write(result, failed=True)

    def _write(self, result: Any, *, failed: bool) -> None:
        line = {
            "action": result._task.resolved_action,
            "seconds": time.monotonic() - self._started,
            "changed": bool(result._result.get("changed")),
            "failed": failed,
            "message": str(result._result.get("msg", "")) if failed else "",
        }
        with open(os.environ["BENCHMARK_DURATIONS"], "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
