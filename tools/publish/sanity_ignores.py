# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find entries of tests/sanity/ignore-*.txt that Red Hat's certification does not permit."""

from __future__ import annotations

from pathlib import Path

PERMITTED = frozenset(
    {
        "action-plugin-docs",
        "pylint:used-before-assignment",
        "shebang",
        "shellcheck",
        "validate-modules:missing-gplv3-license",
    }
)
"""As in the rule `sanity` of ansible-lint, without Pythons that no supported ansible-core runs on."""


def forbidden(folder: Path) -> list[str]:
    """Return the entries that are not permitted, as FILE:LINE: ENTRY."""
    found = []
    for path in sorted(folder.glob("ignore-*.txt")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            words = line.partition("#")[0].split()
            if words and (len(words) != 2 or words[1] not in PERMITTED):
                found.append(f"{path.name}:{number}: {' '.join(words)}")
    return found
