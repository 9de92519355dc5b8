# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options and results of modules that check something and return messages."""

from __future__ import annotations

from collections.abc import Iterable

from .arguments import ArgumentSpec
from .istio.inspection.messages import Message, fatal, sorted_messages
from .task import Result, Task

VERDICT: ArgumentSpec = {
    "fail_on": {"type": "str", "choices": ["error", "warning", "info", "never"], "default": "error"},
    "tolerate": {"type": "list", "elements": "str", "default": []},
}


def verdict(task: Task, messages: Iterable[Message], *, check: str, code: str) -> Result:
    """Return the result of a module whose `check` found these messages; fail with `code` for those at the threshold."""
    found = sorted_messages(messages, task.params["tolerate"])
    bad = fatal(found, task.params["fail_on"])
    result: Result = {"changed": False, "ok": not bad, "messages": found}
    if bad:
        first = bad[0]
        more = f" (and {len(bad) - 1} more, in `messages`)" if len(bad) > 1 else ""
        result |= {
            "failed": True,
            "msg": f"{check} failed: {first['origin']}: {first['message']}{more}",
            "code": code,
            "details": {"messages": len(bad)},
        }
    return result
