# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find or download an Istio release."""

from __future__ import annotations

from ..arguments import RELEASE
from ..task import Definition, Result, Task


def find(task: Task) -> Result:
    """Return the release and the paths of its parts."""
    release, fetched = task.release()
    return {
        "changed": False,
        "version": release.version,
        "path": str(release.root),
        "istioctl": str(release.istioctl),
        "samples": str(release.samples),
        "profiles": release.profiles,
        "fetched": fetched,
    }


DEFINITION = Definition(
    {"version": {"type": "str", "required": True}, **RELEASE},
    find,
    connects=False,
)
