# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan's changes as text that a person reads: a unified diff per object, secrets hidden."""

from __future__ import annotations

import difflib
from typing import Any

from .plan import Change, clean
from .yaml_writer import write_yaml

BIG = 20_000
"""Characters from which on an object that is created as a whole is shown in one line."""

_SIGN = {"create": "+", "update": "~", "delete": "-"}


def diffs(changes: list[Change]) -> list[dict[str, str]]:
    """One ready-made text per change, in the form that Ansible prints under --diff."""
    return [{"prepared": _text(change)} for change in changes]


def _text(change: Change) -> str:
    before, after = _hidden(clean(change.before), None), _hidden(clean(change.after), clean(change.before))
    title = f"{_SIGN[change.action]} {change.key} ({change.action}{', taking it over' if change.retired else ''})"
    old, new = _yaml(before), _yaml(after)
    if change.action != "update" and len(old or new) > BIG:
        return f"{title}: {len((old or new).splitlines())} lines\n"
    if old == new:
        return f"{title}: only who owns its fields\n"
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), "before", "after", lineterm="", n=3)
    return "\n".join([title, *list(lines)[2:], ""])


def _hidden(obj: dict[str, Any] | None, before: dict[str, Any] | None) -> dict[str, Any] | None:
    """The object with every value of a Secret replaced by a word that tells only whether it is another."""
    if obj is None or obj["kind"] != "Secret":
        return obj
    hidden = {
        section: _hidden_values(obj[section], (before or {}).get(section) or {})
        for section in ("data", "stringData")
        if obj.get(section)
    }
    metadata = dict(obj["metadata"])
    # kubectl keeps a copy of what it applied, secrets included.
    if "annotations" in metadata:
        metadata["annotations"] = {
            name: "<hidden>" if name.endswith("last-applied-configuration") else value
            for name, value in metadata["annotations"].items()
        }
    return {**obj, "metadata": metadata, **hidden}


def _hidden_values(values: dict[str, Any], before: dict[str, Any]) -> dict[str, str]:
    return {
        name: "<hidden, changed>" if name in before and before[name] != value else "<hidden>"
        for name, value in values.items()
    }


def _yaml(obj: dict[str, Any] | None) -> str:
    if obj is None:
        return ""
    return write_yaml([obj], sort_keys=True, explicit_start=False)
