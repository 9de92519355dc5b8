# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Format a plan's changes as unified diffs, with secrets hidden."""

from __future__ import annotations

import difflib
from typing import Any

from ..objects.redaction import redacted, redacted_text
from ..yaml.writer import write_yaml
from .change import Change, clean

BIG = 20_000
"""The length from which a created or deleted object is shown as one line."""

_SIGN = {"create": "+", "update": "~", "delete": "-"}


def diffs(changes: list[Change]) -> list[dict[str, str]]:
    """Return one text for each change, in the form of Ansible's --diff."""
    return [{"prepared": _text(change)} for change in changes]


def _text(change: Change) -> str:
    live, wanted = clean(change.before), clean(change.after)
    before, after = redacted(live) if live else None, redacted(wanted, live) if wanted else None
    title = f"{_SIGN[change.action]} {change.key} ({change.action}{', takeover' if change.previous_managers else ''})"
    title += f": {change.note}" if change.note else ""
    old, new = _yaml(before), _yaml(after)
    if change.action != "update" and len(old or new) > BIG:
        return f"{title}: {len((old or new).splitlines())} lines\n"
    if old == new:
        return f"{title}: only the ownership of fields\n"
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), "before", "after", lineterm="", n=3)
    return redacted_text("\n".join([title, *list(lines)[2:], ""]))


def _yaml(obj: dict[str, Any] | None) -> str:
    if obj is None:
        return ""
    return write_yaml([obj], sort_keys=True, explicit_start=False)
