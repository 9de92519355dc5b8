# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names shared by modules and their action plugins, in a file of their own, because action plugins need no more."""

from __future__ import annotations

PROGRESS_FILE = "MESHOPS_PROGRESS"
"""Environment variable with the path of the file for progress, which the action plugin displays."""

PHASES = "phases"
"""Key of a result that the action plugin removes, and displays with -v."""
