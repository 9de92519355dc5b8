# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What modules and their action plugins share, in a file of its own, because action plugins need no more."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

PROGRESS_FILE = "MESHOPS_PROGRESS"
"""Environment variable with the path of the file for progress, which the action plugin displays."""

PHASES = "phases"
"""Key of a result that the action plugin removes, and displays with -v."""

_CHANGES = "\x1e"
"""The first character of a line with changes; any other line is text."""


def changes_line(title: str, changes: Sequence[dict[str, str]], *, planned: bool = False) -> str:
    """Return the line for the changes of a part, or of a plan, each of which is displayed."""
    return _CHANGES + json.dumps({"title": title, "changes": list(changes), "planned": planned})


def changes_in(line: str) -> dict[str, Any] | None:
    """Return title, changes and planned of such a line; None for any other line; empty if it cannot be read."""
    if not line.startswith(_CHANGES):
        return None
    try:
        found: dict[str, Any] = json.loads(line[len(_CHANGES) :])
    except ValueError:  # a secret was redacted in it
        return {}
    return found
