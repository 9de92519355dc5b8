# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan's changes as text that a person reads: a unified diff per object, secrets hidden."""

from __future__ import annotations

import difflib
from typing import Any

from ..objects.redaction import redacted, redacted_text
from ..yaml.writer import write_yaml
from .change import Change, clean

BIG = 20_000
"""Characters from which on an object that is created as a whole is shown in one line."""

_SIGN = {"create": "+", "update": "~", "delete": "-"}


def diffs(changes: list[Change]) -> list[dict[str, str]]:
    """One ready-made text per change, in the form that Ansible prints under --diff."""
    return [{"prepared": _text(change)} for change in changes]


def _text(change: Change) -> str:
    live, wanted = clean(change.before), clean(change.after)
    before, after = redacted(live) if live else None, redacted(wanted, live) if wanted else None
    title = f"{_SIGN[change.action]} {change.key} ({change.action}{', taking it over' if change.retired else ''})"
    old, new = _yaml(before), _yaml(after)
    if change.action != "update" and len(old or new) > BIG:
        return f"{title}: {len((old or new).splitlines())} lines\n"
    if old == new:
        return f"{title}: only who owns its fields\n"
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), "before", "after", lineterm="", n=3)
    return redacted_text("\n".join([title, *list(lines)[2:], ""]))


def _yaml(obj: dict[str, Any] | None) -> str:
    if obj is None:
        return ""
    return write_yaml([obj], sort_keys=True, explicit_start=False)
