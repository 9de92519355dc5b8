# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the default of mesh_version into examples, guides, the AWX project and the execution environment.

The default is in roles/mesh/meta/options.yml. `make docs` runs this before it writes the role's defaults, which still have
the one before.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
OPTIONS, DEFAULTS = "roles/mesh/meta/options.yml", "roles/mesh/defaults/main.yml"
PLACES = (
    "README.md",
    "awx/project/inventories/group_vars/*.yml",
    "docs/docsite/rst/guide_*.rst",
    "examples/**/*.yml",
    "execution-environment.yml",
    OPTIONS,
    "plugins/filter/*.py",
    "plugins/modules/*.py",
    "tools/argspec_table.py",
)
"""What has it as an example. What the role's options are written into has it from there."""


def default_version(root: Path = ROOT) -> str:
    """Return the default of mesh_version."""
    return str(_options(root)["mesh_version"]["default"])


def _options(root: Path) -> dict[str, dict[str, str]]:
    sections = yaml.safe_load((root / OPTIONS).read_text(encoding="utf-8"))["sections"]
    return {name: option for section in sections for name, option in section["options"].items()}


def replaced(text: str, before: str, after: str) -> str:
    """Return a text with another version, also where it is the name of a revision."""
    for separator in ".-":
        old, new = before.replace(".", separator), after.replace(".", separator)
        text = re.sub(rf"(?<![\d{separator}]){re.escape(old)}(?!\d|[{separator}]\d)", new, text)
    return text


def changes(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """Yield the files that have the version before, and their new text."""
    before = str(yaml.safe_load((root / DEFAULTS).read_text(encoding="utf-8"))["mesh_version"])
    after = default_version(root)
    for path in sorted(path for place in PLACES for path in root.glob(place)):
        text = path.read_text(encoding="utf-8")
        new = replaced(text, before, after)
        if new != text:
            yield path, new


def main() -> None:
    """Write the files, or with --check only name them."""
    found = list(changes())
    for path, text in found:
        if "--check" in sys.argv[1:]:
            sys.exit(f"{path.relative_to(ROOT)} has another version than mesh_version; run make docs.")
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
