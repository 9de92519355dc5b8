# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Add to what the role mesh passes to the module mesh, and to an upgrade, the options of the modules of its parts that are variables."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from ansible_collections.meshops.istio.tools.documentation import documentation

PARTS = ("precheck", "release", "gateway_api", "control_plane", "injection", "restart", "addons", "application")
"""The options of the module mesh that hold the options of the module of this name."""
REMOVAL = frozenset({"assume_left", "backup", "purge", "purge_root_key", "state"})
"""Options for a removal, which the module mesh does not do."""
BEGIN = "    # The variables that are options of these modules. make docs adds what is missing.\n"


def passed(texts: dict[Path, str], argument: Callable[[str], str]) -> dict[Path, str]:
    """Return the texts of tasks with the missing options; what a task passes already stays as it is.

    argument: returns what to pass as an option such as `control_plane.values`; empty if no variable is that option.
    """
    return {path: _completed(text, argument) if BEGIN in text else text for path, text in texts.items()}


def _completed(text: str, argument: Callable[[str], str]) -> str:
    for module in PARTS:
        # The role upgrade has a variable for the options of the control plane.
        block = re.search(rf"(?m)^    (?:upgrade_)?{module}:\n((?:      .*\n)*)", text)
        if block is None:
            continue
        there = set(re.findall(r"(?m)^      (\w+):", block[1]))
        options = [name for name in documentation(module)["options"] if name not in there | REMOVAL]
        missing = {name: argument(f"{module}.{name}") for name in options}
        lines = "".join(f'      {name}: "{value}"\n' for name, value in missing.items() if value)
        text = text[: block.end()] + lines + text[block.end() :]
    return text
